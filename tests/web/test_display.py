"""Between frame loop and browsers: newest only, encoded once, nothing kept when nobody looks."""

from __future__ import annotations

import json
import time
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from edge_runtime.datatypes import Frame, Observation
from edge_runtime.errors import ConfigError
from edge_runtime.histogram import Histogram
from edge_runtime.payloads import OutMessage
from edge_runtime.settings import Web
from edge_runtime.testing import ManualClock
from edge_runtime.web.display import Display
from edge_runtime.web.notice import load_notice
from tests import samples
from tests.web.conftest import face, observed


def display(clock: ManualClock | None = None, *, live: bool = False, **settings: object) -> Display:
    web = msgspec.convert({"enabled": True, **settings}, Web)
    return Display(web, load_notice(""), clock=clock or ManualClock(), processing=Histogram(), sinks=[], live=live)


def test_nothing_is_kept_when_nobody_looks() -> None:
    shown = display()

    shown.show(*observed(1, face()))

    assert shown.picture(0, 0.0) is None
    assert shown.update(0, 0.0) is None
    assert shown.tally.processed == 1


def test_the_last_frame_is_forgotten_when_the_last_one_stops_looking() -> None:
    shown = display()

    with shown.looking():
        shown.show(*observed(1))
        assert shown.picture(0, 0.0) is not None

    assert shown.picture(0, 0.0) is None


@pytest.mark.parametrize("camera", ["paused", "lost", "connecting", "ended"])
def test_the_last_frame_is_forgotten_while_the_camera_does_not_run_though_somebody_looks(camera: str) -> None:
    shown = display()

    with shown.looking():
        shown.show(*observed(1, face()))
        assert shown.picture(0, 0.0) is not None
        assert shown.update(0, 0.0) is not None
        shown.publish(OutMessage("status", msgspec.structs.replace(samples.status(), camera=camera)))
        forgotten = shown.picture(0, 0.0), shown.update(0, 0.0)
        shown.show(*observed(2, face()))
        back = shown.picture(1, 0.0)

    assert forgotten == (None, None)
    assert back is not None
    assert back[0] == 2


def test_whoever_comes_after_a_frame_was_forgotten_waits_for_the_next_one() -> None:
    shown = display()
    with shown.looking():
        shown.show(*observed(1))

    started_at = time.monotonic()
    found = shown.picture(0, 0.2)

    assert found is None
    assert time.monotonic() - started_at >= 0.15


def test_a_slow_looker_gets_the_newest_frame_only() -> None:
    shown = display()

    with shown.looking():
        for index in range(100):
            shown.show(*observed(index))
        found = shown.picture(0, 0.0)
        again = shown.picture(100, 0.0)

    assert found is not None
    assert found[0] == 100
    assert again is None


def test_a_frame_is_encoded_once_for_all() -> None:
    shown = display()

    with shown.looking():
        shown.show(*observed(1, face()))
        first, second = shown.picture(0, 0.0), shown.picture(0, 0.0)
        told, told_again = shown.update(0, 0.0), shown.update(0, 0.0)

    assert first is not None
    assert second is not None
    assert first[1] is second[1]
    assert told is not None
    assert told_again is not None
    assert told[1] is told_again[1]


def test_wide_pictures_are_shrunk() -> None:
    shown = display(picture_width_px=160)
    frame = Frame(0, 0.0, np.zeros((360, 640), np.uint8))

    with shown.looking():
        shown.show(frame, Observation(0, 0.0, 640, 360, ()))
        found = shown.picture(0, 0.0)

    assert found is not None
    decoded = cv2.imdecode(np.frombuffer(found[1], np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    assert decoded.shape == (90, 160)


def test_without_picture_no_picture_is_there_but_points_are() -> None:
    shown = display(picture=False)

    with shown.looking():
        shown.show(*observed(1, face()))
        picture, update = shown.picture(0, 0.0), shown.update(0, 0.0)

    assert picture is None
    assert update is not None
    assert len(json.loads(update[1])["faces"][0]["points"]) == 15


def test_update_says_why_a_face_is_uncertain() -> None:
    shown = display()

    with shown.looking():
        shown.show(*observed(1, face(reason="pose")))
        update = shown.update(0, 0.0)

    assert update is not None
    told = json.loads(update[1])["faces"][0]
    assert (told["label"], told["leading"], told["reason"]) == ("uncertain", "happy", "pose")


def test_rate_and_latency_follow_the_clock() -> None:
    clock = ManualClock()
    shown = display(clock, live=True)

    with shown.looking():
        for index in range(11):
            clock.advance(0.1)
            shown.show(*observed(index, at=clock.monotonic() - 0.03))
        update = shown.update(0, 0.0)

    assert update is not None
    told = json.loads(update[1])
    assert told["fps"] == pytest.approx(10.0, abs=0.1)
    assert told["latency_ms"] == pytest.approx(30.0, abs=0.1)


def test_rate_is_zero_when_no_frame_comes_any_more() -> None:
    clock = ManualClock()
    shown = display(clock)
    for index in range(5):
        clock.advance(0.1)
        shown.show(*observed(index))

    clock.advance(5.0)

    assert shown.fps == 0.0


def test_timeline_holds_five_minutes_and_what_was_so_at_their_start() -> None:
    clock = ManualClock()
    shown = display(clock)
    for faces in (1, 0, 1):
        shown.publish(OutMessage("state", samples.state(faces=faces)))
        clock.advance(200.0)

    told = json.loads(shown.hello())["timeline"]

    assert [(moment["age_s"], moment["label"]) for moment in told] == [(400.0, None), (200.0, "surprise")]


def test_condition_tells_status_and_broker() -> None:
    shown = display()
    shown.publish(OutMessage("status", samples.status()))

    told = json.loads(shown.condition(stalled=False))

    assert (told["camera"], told["broker"], told["accelerator"]) == ("running", "off", "cpu")
    assert json.loads(shown.condition(stalled=True))["state"] == "stalled"


def test_notice_in_another_language_is_shown(tmp_path: Path) -> None:
    shipped = load_notice("")
    path = tmp_path / "de.toml"
    german = msgspec.structs.asdict(shipped) | {"language": "de", "title": "Diese Kamera liest Gesichtsausdrücke"}
    # JSON's strings and lists are TOML's as well.
    path.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in german.items()), encoding="utf-8")

    notice = load_notice(str(path))

    assert notice.title == "Diese Kamera liest Gesichtsausdrücke"
    assert notice.paragraphs == shipped.paragraphs


@pytest.mark.parametrize("text", ["", "title = 3", "language = '<script>'", "\x00", "unknown = 1"])
def test_a_bad_notice_is_refused_with_its_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "notice.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"notice\.toml"):
        load_notice(str(path))
