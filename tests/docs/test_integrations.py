"""Dashboard, flow and automation speak of metrics, topics and fields that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.payloads import Event
from edge_runtime.sinks.mqtt.topics import ROUTES
from tests.boards import raspberry_pi
from tests.web.test_metrics import busy_display, families

OWN_LABELS = {"instance", "le"}
"""Given by Prometheus itself."""


@pytest.fixture
def metrics(tmp_path: Path) -> dict[str, set[str]]:
    """Return every sample that /metrics can hold, with its labels."""
    found = families(busy_display(), board=raspberry_pi(tmp_path))
    labels: dict[str, set[str]] = {}
    for family in found.values():
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
        labels.setdefault(family.name + ("_total" if family.type == "counter" else ""), set())
    return labels


def dashboard(repository: Path) -> dict[str, Any]:
    """Return the dashboard."""
    text = (repository / "examples" / "grafana-dashboard.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_every_query_of_the_dashboard_asks_for_a_metric_and_labels_that_exist(
    repository: Path, metrics: dict[str, set[str]]
) -> None:
    known_labels = OWN_LABELS.union(*metrics.values())

    for panel in dashboard(repository)["panels"]:
        for target in panel["targets"]:
            names = re.findall(r"emotion_edge_\w+", target["expr"])
            grouped = re.findall(r"(?:by|on) ?\(([^)]*)\)", target["expr"])
            shown = re.findall(r"{{(\w+)}}", target["legendFormat"])
            assert names, panel["title"]
            assert not set(names) - set(metrics), panel["title"]
            used = {label.strip() for group in grouped for label in group.split(",")} | set(shown)
            assert not used - known_labels, panel["title"]
            assert not used - OWN_LABELS - set().union(*(metrics[name] for name in names)), panel["title"]


def test_the_dashboard_shows_every_metric(repository: Path, metrics: dict[str, set[str]]) -> None:
    text = json.dumps(dashboard(repository))

    families_of = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in metrics}

    missing = sorted(name for name in families_of if name not in text)
    assert not missing, f"add a panel to examples/grafana-dashboard.json for {missing}"


def test_panels_of_the_dashboard_do_not_overlap(repository: Path) -> None:
    taken: set[tuple[int, int]] = set()

    for panel in dashboard(repository)["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_the_flow_for_node_red_is_whole_and_speaks_of_topics_and_fields_that_exist(repository: Path) -> None:
    page = (repository / "docs" / "node-red.md").read_text(encoding="utf-8")
    match = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    assert match is not None

    nodes = {node["id"]: node for node in json.loads(match[1])}

    targets = {target for node in nodes.values() for wires in node.get("wires", ()) for target in wires}
    assert targets <= set(nodes)
    assert nodes["ee-in"]["broker"] in nodes
    assert set(re.findall(r"emotion_edge/\+/(\w+)", page)) <= set(ROUTES)
    fields = set(re.findall(r"payload\.(\w+)", page))
    assert fields <= set(Event.__struct_fields__)


def test_the_automation_for_home_assistant_waits_for_an_emotion(repository: Path) -> None:
    page = (repository / "docs" / "home-assistant.md").read_text(encoding="utf-8")

    (awaited,) = re.findall(r"^    to: (\w+)$", page, re.MULTILINE)

    assert awaited in EMOTION_LABELS
