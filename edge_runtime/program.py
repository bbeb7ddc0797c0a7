"""From a configuration to a running service, and again when the configuration is loaded anew."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace as with_fields

from edge_runtime.claims import Claims, claims_of
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.interfaces import Sink
from edge_runtime.model_store.opening import Settled, settle
from edge_runtime.output_settings import Console, Mqtt
from edge_runtime.service import Service
from edge_runtime.session import Reload, Session
from edge_runtime.settings import Config
from edge_runtime.surroundings import Surroundings
from edge_runtime.vitals import Ears, look_after
from edge_runtime.web.paced import PacedSource
from edge_runtime.wiring import Pipeline, open_sinks, open_source, open_web

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

SINK_SECTIONS: Final[tuple[tuple[str, ...], ...]] = (("console",), ("log",), ("mqtt", "outbox", "device"))
"""Of the configuration: those that concern each sink."""


def run(config: Config, surroundings: Surroundings | None = None) -> int:
    """Run until the source ends, max_frames are processed or the stop event is set.

    A configuration that is loaded again takes the place of the old one. When it cannot be used, the old one goes on.

    Returns:
        Number of processed frames.

    Raises:
        EdgeRuntimeError: with the exit code that the command line returns.
    """
    around = surroundings or Surroundings()
    session = Session(around.clock)
    if config.deployment.context == "unspecified":
        logger.warning("deployment.context is not set; say where faces are read (see docs/privacy.md)")
    with Claims() as claims, OpenSinks(around) as sinks:
        old: Config | None = None
        while True:
            try:
                claims.take(claims_of(config))
                _serve(config, sinks, around, session)
            except EdgeRuntimeError as error:
                if old is None or session.reload is None or around.stop.is_set():
                    raise
                session.reload = Reload(session.reload.command, refused=str(error))
                config, old = old, None
                continue
            if session.wanted is None or around.stop.is_set():
                return session.frames
            config, old, session.wanted = session.wanted, config, None


def _serve(config: Config, open_sinks_: OpenSinks, around: Surroundings, session: Session) -> None:
    """Run one configuration until its end, or until another one is wanted."""
    with ExitStack() as stack:
        settled = settle(config, alive=around.heartbeat.alive)
        pipeline = stack.enter_context(Pipeline.from_config(settled.config, alive=around.heartbeat.alive))
        source = open_source(config.source, loop=config.web.enabled and config.web.page)
        sinks = open_sinks_.of(config, live=source.live)
        if config.web.enabled:
            web = open_web(config.web, around.clock, around.heartbeat, pipeline, sinks, live=source.live)
            stack.enter_context(web.server)
            sinks.append(web.display)
            around = replace(around, audience=web.display, heartbeat=web.pulse)
            if config.web.page and not source.live:
                source = PacedSource(source, clock=around.clock, stop=around.stop)
        if not source.live:
            service = Service(config, pipeline, source, sinks, around, session)
            _tell(service, settled)
            service.run()
            return
        watched, vitals = look_after(
            config,
            source,
            sinks,
            clock=around.clock,
            audience=around.audience,
            heartbeat=around.heartbeat,
            figures=session.figures,
        )
        around = replace(around, audience=vitals, heartbeat=vitals)
        service = Service(config, pipeline, watched, sinks, around, session)
        vitals.ears = Ears(note=service.condition.note, tell_system=service.tell_system)
        _tell(service, settled)
        service.run()


def _tell(service: Service, settled: Settled) -> None:
    """Say which models are used, and which activated ones could not be."""
    service.proven = settled.config
    for kind, problem in settled.problems.items():
        service.condition.note(f"{kind} model", problem)
        service.tell_system(problem)


@dataclass(frozen=True)
class _Opened:
    """What some sections of a configuration gave."""

    wanted: tuple[Config, bool]
    sinks: list[Sink]
    stack: ExitStack


class OpenSinks:
    """The sinks of a configuration; each stays open over a reload that does not concern it."""

    def __init__(self, around: Surroundings) -> None:
        """Open nothing yet."""
        self._around = around
        self._opened: dict[tuple[str, ...], _Opened] = {}
        self._reached: set[Mqtt] = set()
        """Connections that were open once."""

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close what is open: hand over what waits."""
        with ExitStack() as stack:
            for opened in self._opened.values():
                stack.callback(opened.stack.close)

    def of(self, config: Config, *, live: bool) -> list[Sink]:
        """Return the sinks of this configuration, opened now where it differs in what concerns them.

        Raises:
            SinkError: one of them can never work.
        """
        wanted = {sections: (_only(config, sections), live) for sections in SINK_SECTIONS}
        for sections in [one for one, opened in self._opened.items() if opened.wanted != wanted[one]]:
            self._opened.pop(sections).stack.close()
            self._around.heartbeat.alive()  # each may take seconds: a broker that is away
        for sections, settings in wanted.items():
            if sections not in self._opened:
                self._opened[sections] = self._open(settings)
                self._around.heartbeat.alive()
        return [sink for sections in SINK_SECTIONS for sink in self._opened[sections].sinks]

    def _open(self, wanted: tuple[Config, bool]) -> _Opened:
        config, live = wanted
        mqtt = config.mqtt
        if mqtt in self._reached:  # a broker is required at the start only; later losses never end the program
            config = with_fields(config, mqtt=with_fields(mqtt, require=False))
        with ExitStack() as stack:
            sinks = open_sinks(config, self._around.clock, live=live, inbox=self._around.inbox)
            opened = _Opened(wanted, [stack.enter_context(sink) for sink in sinks], stack.pop_all())
        self._reached.add(mqtt)
        return opened


def _only(config: Config, sections: tuple[str, ...]) -> Config:
    """Blank all other sections: no other sink comes of it."""
    nothing = Config(console=Console(enabled=False))
    return with_fields(nothing, **{section: getattr(config, section) for section in sections})
