"""Events and metrics say where the nets run now, not where they ran at the start."""

from __future__ import annotations

import http.client

import msgspec

from edge_runtime.accelerator.edgetpu import EdgeTpu
from edge_runtime.clock import SystemClock
from edge_runtime.config import load_config
from edge_runtime.contract import SHIPPED_KINDS
from edge_runtime.events import EventWriter, Identity
from edge_runtime.heartbeat import Silence
from edge_runtime.payloads import Event, ModelPayload
from edge_runtime.policy import Change
from edge_runtime.settings import Web
from edge_runtime.testing import ManualClock
from edge_runtime.wiring import Pipeline, open_web
from tests.test_config import NOTHING

MODEL = ModelPayload(name="net", version="1.0.0", sha256="0", runtime="litert", accelerator="edgetpu:usb:0")


def test_events_name_the_device_that_answers_now() -> None:
    writer = EventWriter(Identity("device", "demo", "boot", MODEL), ManualClock())
    change = Change("emotion_ended", at=1.0, track_id=1, face=None, emotion="happy", started_at=0.0, end_reason="lost")

    before = msgspec.json.decode(writer.event(change).to_json(), type=Event)
    writer.runs_on("cpu")
    after = msgspec.json.decode(writer.event(change).to_json(), type=Event)

    assert before.model is not None
    assert after.model is not None
    assert (before.model.accelerator, after.model.accelerator) == ("edgetpu:usb:0", "cpu")
    assert after.model.name == "net"


def test_the_metric_counts_by_reason_how_often_the_processor_took_over() -> None:
    config = load_config(NOTHING, overrides={"models.device": "edgetpu"})

    with Pipeline.from_config(config) as pipeline:
        web = open_web(Web(enabled=True, port=0), SystemClock(), Silence(), pipeline, [], live=False)
        with web.server:
            connection = http.client.HTTPConnection("127.0.0.1", web.server.port, timeout=30)
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
            connection.close()

    assert isinstance(pipeline.parts.accelerator, EdgeTpu)
    line = f'emotion_edge_accelerator_fallback_total{{reason="not_compiled"}} {len(SHIPPED_KINDS)}.0'
    assert line in text.splitlines()
