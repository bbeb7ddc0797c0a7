"""What /metrics says, read with Prometheus' own parser, and that docs/metrics.md names all of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from edge_runtime.board import Board
from edge_runtime.errors import CameraHungError, SourceError
from edge_runtime.payloads import OutMessage
from edge_runtime.stages import STAGES, StageTimes
from edge_runtime.testing import MemorySink
from edge_runtime.web.display import Display
from edge_runtime.web.metrics import CAMERA_REASONS, Metrics
from tests import samples
from tests.boards import raspberry_pi
from tests.web.conftest import Running, face
from tests.web.test_display import display

NOT_ALLOWED = {"track_id", "track", "pid", "process"}


class CountingSink(MemorySink):
    """A sink that counts as the real ones do."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "mqtt"
        self.connected, self.pending, self.oldest_age_s = True, 7, 1.5
        self.published = Counter({"event": 3})
        self.dropped = Counter({"not_connected": 2})


def families(shown: Display, board: Board | None = None) -> dict[str, Metric]:
    times = StageTimes()
    with times.measure("emotion"):
        pass
    text = Metrics(shown, times, board=board or Board(Path("/nowhere"))).text().decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    samples_of = [sample for family in found.values() for sample in family.samples]
    (wanted,) = [sample for sample in samples_of if sample.name == name and sample.labels == labels]
    return wanted.value


def busy_display() -> Display:
    shown = display()
    shown.sinks = [CountingSink()]
    with shown.looking():
        for reason in (None, "pose", "pose"):
            _show(shown, reason)
    for message in samples.messages():
        shown.publish(message)
    return shown


def _show(shown: Display, reason: str | None) -> None:
    from tests.web.conftest import observed

    shown.show(*observed(1, face(reason=reason)))  # type: ignore[arg-type]


def test_counters_hold_what_happened(tmp_path: Path) -> None:
    board = raspberry_pi(tmp_path, millidegrees=51234, throttled="50005")

    found = families(busy_display(), board=board)

    assert value(found, "emotion_edge_frames_captured_total") == 3
    assert value(found, "emotion_edge_uncertain_total", reason="pose") == 2
    assert value(found, "emotion_edge_tracks_active") == 1
    assert value(found, "emotion_edge_events_total", type="emotion_started") == 1
    assert value(found, "emotion_edge_events_published_total", sink="mqtt", type="event") == 3
    assert value(found, "emotion_edge_events_dropped_total", sink="mqtt", reason="not_connected") == 2
    assert value(found, "emotion_edge_mqtt_connected") == 1
    assert value(found, "emotion_edge_outbox_messages") == 7
    assert value(found, "emotion_edge_outbox_oldest_age_seconds") == 1.5
    assert value(found, "emotion_edge_pipeline_latency_seconds_count") == 3
    assert value(found, "emotion_edge_inference_duration_seconds_count", model="emotion", stage="emotion") == 1
    assert value(found, "emotion_edge_soc_temperature_celsius") == pytest.approx(51.234)
    assert value(found, "emotion_edge_throttled", flag="under_voltage") == 1
    assert value(found, "emotion_edge_throttled", flag="frequency_capped") == 0


def test_every_stage_has_its_histogram() -> None:
    found = families(display())

    stages = {sample.labels["stage"] for sample in found["emotion_edge_inference_duration_seconds"].samples}

    assert stages == set(STAGES)


def test_what_never_happened_stands_at_zero_so_that_the_first_time_is_an_increase() -> None:
    found = families(display())

    for name, labels in {
        "emotion_edge_camera_restarts_total": {"reason": "frozen"},
        "emotion_edge_accelerator_fallback_total": {"reason": "aborted"},
        "emotion_edge_uncertain_total": {"reason": "pose"},
        "emotion_edge_events_total": {"type": "face_appeared"},
    }.items():
        assert value(found, name, **labels) == 0


def test_every_reason_of_a_lost_camera_is_known() -> None:
    kinds: list[type[SourceError]] = [SourceError, *SourceError.__subclasses__()]

    assert {kind.reason for kind in kinds} - {CameraHungError.reason} == set(CAMERA_REASONS)


def test_a_lost_camera_is_counted() -> None:
    import msgspec

    shown = display()

    lost = msgspec.structs.replace(samples.status(), camera="lost")
    for _ in range(2):
        shown.publish(OutMessage("status", lost))
        shown.publish(OutMessage("status", msgspec.structs.replace(lost, reasons=("mqtt: away",))))  # told again
        shown.publish(OutMessage("status", samples.status()))
    shown.publish(OutMessage("status", msgspec.structs.replace(lost, camera_reason="frozen")))

    assert value(families(shown), "emotion_edge_camera_restarts_total", reason="lost") == 2
    assert value(families(shown), "emotion_edge_camera_restarts_total", reason="frozen") == 1


def test_no_label_tells_faces_or_processes_apart() -> None:
    labels = {name for family in families(busy_display()).values() for found in family.samples for name in found.labels}

    assert not labels & NOT_ALLOWED


def test_the_page_about_metrics_names_every_metric_and_no_other(repository: Path, tmp_path: Path) -> None:
    found = families(busy_display(), board=raspberry_pi(tmp_path, millidegrees=1000, throttled="0"))
    exist = {name + ("_total" if family.type == "counter" else "") for name, family in found.items()}

    page = (repository / "docs" / "metrics.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^\| `(emotion_edge_\w+)", page, re.MULTILINE)) == exist


def test_the_server_serves_them(serve: Callable[..., Running]) -> None:
    answered = serve().ask("/metrics")

    assert answered.status == 200
    assert answered.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b"emotion_edge_build_info" in answered.body
