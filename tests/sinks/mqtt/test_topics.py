from __future__ import annotations

import re
from pathlib import Path

from edge_runtime.schemas import SCHEMA_NAMES
from edge_runtime.sinks.mqtt.topics import LIVE, RESULT, ROUTES, route


def test_the_page_about_mqtt_has_every_topic_as_it_is_sent(repository: Path) -> None:
    page = (repository / "docs" / "mqtt.md").read_text(encoding="utf-8")

    rows = re.findall(r"^\| `([\w/<>]+)` \| (\d) \| (yes|no) \| (never|\d+ s) \|", page, flags=re.MULTILINE)

    told = {name: (int(qos), retain == "yes", expiry) for name, qos, retain, expiry in rows}
    assert told == {
        name: (way.qos, way.retain, "never" if way.expiry_s is None else f"{way.expiry_s} s")
        for name, way in ROUTES.items()
    }


def test_every_payload_has_a_topic() -> None:
    assert set(SCHEMA_NAMES) - {"command_result"} <= set(ROUTES)
    assert RESULT in ROUTES


def test_events_never_expire_and_are_never_retained() -> None:
    assert ROUTES["event"].expiry_s is None
    assert not ROUTES["event"].retain


def test_what_the_table_does_not_name_is_a_stream() -> None:
    assert route("preview") is LIVE
