"""From a configuration to a running service: builds the parts, holds them open, lets them go."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace

from edge_runtime.service import Service
from edge_runtime.settings import Config
from edge_runtime.surroundings import Surroundings
from edge_runtime.vitals import Ears, look_after
from edge_runtime.web.paced import PacedSource
from edge_runtime.wiring import Pipeline, open_sinks, open_source, open_web

logger = logging.getLogger(__name__)


def run(config: Config, surroundings: Surroundings | None = None) -> int:
    """Run until the source ends, max_frames are processed or the stop event is set.

    Returns:
        Number of processed frames.

    Raises:
        EdgeRuntimeError: with the exit code that the command line returns.
    """
    around = surroundings or Surroundings()
    if config.deployment.context == "unspecified":
        logger.warning("deployment.context is not set; say where faces are read (see docs/privacy.md)")
    with ExitStack() as stack:
        pipeline = stack.enter_context(Pipeline.from_config(config))
        source = open_source(config.source, loop=config.web.enabled and config.web.page)
        sinks = [stack.enter_context(sink) for sink in open_sinks(config, around.clock, live=source.live)]
        if config.web.enabled:
            web = open_web(config.web, around.clock, around.heartbeat, pipeline.times, sinks, live=source.live)
            stack.enter_context(web.server)
            sinks.append(web.display)
            around = replace(around, audience=web.display, heartbeat=web.pulse)
            if config.web.page and not source.live:
                source = PacedSource(source, clock=around.clock, stop=around.stop)
        if not source.live:
            return Service(config, pipeline, source, sinks, around).run()
        watched, vitals = look_after(
            config, source, sinks, clock=around.clock, audience=around.audience, heartbeat=around.heartbeat
        )
        around = replace(around, audience=vitals, heartbeat=vitals)
        service = Service(config, pipeline, watched, sinks, around)
        vitals.ears = Ears(note=service.condition.note, tell_system=service.tell_system)
        return service.run()
