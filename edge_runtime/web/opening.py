"""Puts a server together from settings and what the service already has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from edge_runtime.heartbeat import Heartbeat
from edge_runtime.interfaces import Clock, Sink
from edge_runtime.settings import Web
from edge_runtime.stages import StageTimes
from edge_runtime.web.display import Display
from edge_runtime.web.guard import Guard
from edge_runtime.web.metrics import Metrics
from edge_runtime.web.notice import load_notice
from edge_runtime.web.pulse import Pulse
from edge_runtime.web.server import WebServer
from edge_runtime.web.site import Site, load_statics


@dataclass(frozen=True)
class WebParts:
    """What the service has to do with."""

    display: Display
    """An audience of frames and a sink of messages."""
    pulse: Pulse
    """Takes the heartbeat's place, and passes it on."""
    server: WebServer
    """To be entered."""


def assemble(
    settings: Web,
    *,
    clock: Clock,
    heartbeat: Heartbeat,
    times: StageTimes,
    fallbacks: Counter[str],
    sinks: Sequence[Sink],
    live: bool,
) -> WebParts:
    """Build everything; nothing listens yet.

    Args:
        settings: of the server.
        clock: for ages.
        heartbeat: is passed on to.
        times: of the stages of a frame.
        fallbacks: how often the processor took over from the accelerator, by reason.
        sinks: what they lost and handed over is counted.
        live: whether the source is a camera.

    Raises:
        ConfigError: the token or the notice cannot be used.
    """
    guard, notice = Guard(settings), load_notice(settings.notice_file)
    processing = times.histograms["total"]
    display = Display(settings, notice, clock=clock, processing=processing, sinks=sinks, live=live)
    pulse = Pulse(clock, heartbeat)
    site = Site(settings, display, guard, Metrics(display, times, fallbacks), pulse, load_statics())
    return WebParts(display, pulse, WebServer(site))
