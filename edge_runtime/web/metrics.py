"""Counters in Prometheus' text form; every name is in docs/metrics.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from edge_runtime._version import __version__
from edge_runtime.board import FLAGS, Board
from edge_runtime.contract import UncertainReason
from edge_runtime.errors import DelegateReason
from edge_runtime.histogram import Histogram
from edge_runtime.payloads import EventType
from edge_runtime.stages import MODEL_STAGES, StageTimes
from edge_runtime.web.display import Display

if TYPE_CHECKING:
    from prometheus_client.core import Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

THIS_BOARD: Final = Board()

CAMERA_REASONS: Final = ("lost", "missing", "permission", "stalled", "frozen")
"""Of edge_runtime.errors; a camera that hangs ends the program instead."""

_BROKER: Final = (
    ("mqtt_connected", "connected", "1 while the broker knows this device."),
    ("outbox_messages", "pending", "Events that the broker has not acknowledged."),
    ("outbox_oldest_age_seconds", "oldest_age_s", "How long the oldest of them has waited."),
)
"""Name, attribute of the sink, help."""


class MetricsMissingError(ImportError):
    """The library that writes the text form is not installed."""


@dataclass(frozen=True, eq=False)  # a Counter has no hash
class Metrics:
    """Reads the counters when it is asked; the frame loop does not know of it."""

    display: Display
    times: StageTimes
    fallbacks: Counter[str] = field(default_factory=Counter)
    """How often the processor took over from the accelerator, by reason."""
    board: Board = THIS_BOARD

    def text(self) -> bytes:
        """Write every metric.

        Raises:
            MetricsMissingError: prometheus-client is not installed.
        """
        try:
            from prometheus_client import CollectorRegistry, generate_latest
        except ImportError as error:
            raise MetricsMissingError("metrics need prometheus-client: pip install 'emotion-edge[metrics]'") from error
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """Yield every family, as prometheus-client wants it."""
        yield from self._identity()
        yield from self._frames()
        yield from self._durations()
        yield from self._sinks()
        yield from self._board()

    def _identity(self) -> Iterator[Metric]:
        status = self.display.status
        yield _gauge("build_info", "Always 1; what runs.", 1, version=__version__)
        models = status.models if status else {}
        yield _labelled(
            "gauge",
            "model_info",
            "Always 1; which nets run, and where.",
            ("model", "name", "accelerator"),
            # Without the reason in brackets: a label has few values.
            [
                ((kind, name, status.accelerator.partition(" (")[0] if status else ""), 1)
                for kind, name in models.items()
            ],
        )

    def _frames(self) -> Iterator[Metric]:
        tally = self.display.tally
        dropped = tally.frames_dropped
        captured = tally.processed + sum(dropped.values())
        yield _counter("frames_captured", "Frames a source delivered.", captured)
        yield _labelled(
            "counter",
            "frames_dropped",
            "Frames that were not processed.",
            ("reason",),
            _rows(dropped),
        )
        yield _gauge("tracks_active", "Faces in the newest frame.", tally.faces)
        yield _labelled(
            "counter",
            "uncertain",
            "Faces without an answer, per frame.",
            ("reason",),
            _rows(tally.uncertain, get_args(UncertainReason)),
        )
        yield _labelled(
            "counter",
            "camera_restarts",
            "Cameras that were lost.",
            ("reason",),
            _rows(tally.camera_restarts, CAMERA_REASONS),
        )

    def _durations(self) -> Iterator[Metric]:
        yield _histogram(
            "pipeline_latency_seconds",
            "From the capture of a frame to its answers; processing time alone for files.",
            (),
            [((), self.display.tally.latency)],
        )
        stages: list[tuple[tuple[str, ...], Histogram]] = [
            ((stage if stage in MODEL_STAGES else "none", stage), found)
            for stage, found in self.times.histograms.items()
        ]
        yield _labelled(
            "counter",
            "accelerator_fallback",
            "How often the processor took over from the accelerator.",
            ("reason",),
            _rows(self.fallbacks, get_args(DelegateReason)),
        )
        yield _histogram("inference_duration_seconds", "Stages of a frame.", ("model", "stage"), stages)

    def _sinks(self) -> Iterator[Metric]:
        sinks = self.display.sinks
        events = _rows(self.display.tally.events, get_args(EventType))
        yield _labelled("counter", "events", "Events written.", ("type",), events)
        yield _labelled(
            "counter",
            "events_published",
            "Messages a sink handed over for good.",
            ("type", "sink"),
            [((topic, sink.name), count) for sink in sinks for topic, count in _count_of(sink, "published")],
        )
        yield _labelled(
            "counter",
            "events_dropped",
            "Messages a sink lost.",
            ("sink", "reason"),
            [((sink.name, reason), count) for sink in sinks for reason, count in _count_of(sink, "dropped")],
        )
        for name, attribute, text in _BROKER:
            found = [getattr(sink, attribute, None) for sink in sinks if sink.name == "mqtt"]
            if found and found[0] is not None:
                yield _gauge(name, text, float(found[0]))

    def _board(self) -> Iterator[Metric]:
        temperature_c = self.board.temperature_c()
        if temperature_c is not None:
            yield _gauge("soc_temperature_celsius", "Of the processor.", temperature_c)
        throttling = self.board.throttling()
        if throttling is not None:
            flags: Rows = [((name,), name in throttling.now) for name in FLAGS.values()]
            yield _labelled("gauge", "throttled", "1 while the firmware slows the board down.", ("flag",), flags)
        memory_mb = self.board.memory_mb()
        if memory_mb is not None:
            yield _gauge("resident_memory_bytes", "Of this program.", memory_mb * 1e6)


Rows = list[tuple[tuple[str, ...], float]]


def _labelled(kind: Literal["counter", "gauge"], name: str, text: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    full = f"emotion_edge_{name}"
    family: CounterMetricFamily | GaugeMetricFamily = (
        CounterMetricFamily(full, text, labels=labels)
        if kind == "counter"
        else GaugeMetricFamily(full, text, labels=labels)
    )
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _gauge(name: str, text: str, value: float, **labels: str) -> Metric:
    return _labelled("gauge", name, text, tuple(labels), [(tuple(labels.values()), value)])


def _counter(name: str, text: str, value: float) -> Metric:
    return _labelled("counter", name, text, (), [((), value)])


def _histogram(name: str, text: str, labels: tuple[str, ...], rows: list[tuple[tuple[str, ...], Histogram]]) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(f"emotion_edge_{name}", text, labels=labels)
    for values, found in rows:
        family.add_metric(values, _buckets(found), found.total)
    return family


def _buckets(found: Histogram) -> list[tuple[str, float]]:
    """Prometheus' buckets are cumulative and end with +Inf."""
    so_far, buckets = 0, []
    for bound, count in zip((*map(str, found.bounds), "+Inf"), tuple(found.counts), strict=True):
        so_far += count
        buckets.append((bound, float(so_far)))
    return buckets


def _rows(counted: Counter[str], known: tuple[str, ...] = ()) -> Rows:
    """Make a row of each count, and of each known label that was not counted yet.

    A counter that appears with 1 hides that one from increase() and rate(), which see changes alone.
    Source: Prometheus' documentation, Instrumentation, Avoid missing metrics.
    """
    return [((name,), count) for name, count in sorted({**dict.fromkeys(known, 0), **counted.copy()}.items())]


def _count_of(sink: Any, name: str) -> list[tuple[str, int]]:  # noqa: ANN401  each sink counts what it can
    counted = getattr(sink, name, None)
    return sorted(counted.copy().items()) if isinstance(counted, Counter) else []
