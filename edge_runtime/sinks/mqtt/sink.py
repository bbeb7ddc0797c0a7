"""The MQTT sink: what wiring hands to the frame loop."""

from __future__ import annotations

import logging
import random
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from edge_runtime.commands import Inbox
from edge_runtime.errors import BrokerError
from edge_runtime.interfaces import Clock, Message
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt.desk import CommandDesk
from edge_runtime.sinks.mqtt.intake import Intake
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.packets import require_paho
from edge_runtime.sinks.mqtt.publisher import Publisher
from edge_runtime.sinks.mqtt.waiting import EventQueue, MemoryQueue

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S: Final = 4.5
"""Time at the end for acknowledgements and `offline`: the whole program stops within 5 s."""

REQUIRED_WITHIN_S: Final = 10.0
"""A broker that is required must be there within so many seconds after the start."""


class MqttSink:
    """Publishes everything; `publish` only hands over, whatever the broker does."""

    def __init__(
        self,
        settings: Mqtt,
        *,
        device_id: str,
        clock: Clock,
        outbox: EventQueue | None = None,
        inbox: Inbox | None = None,
        rng: random.Random | None = None,
        required_within_s: float = REQUIRED_WITHIN_S,
    ) -> None:
        """Prepare to publish as `device_id`.

        Args:
            settings: the broker.
            device_id: one topic level, see edge_runtime.config.device_id.
            clock: for time-outs.
            outbox: where events wait on disk, opened and closed with this sink; None = they wait in memory.
            inbox: takes the commands that mqtt.commands allows; None = none are listened for.
            rng: spreads reconnects; a fresh one when left out.
            required_within_s: how long a required broker may take.

        Raises:
            ConfigError: settings that contradict each other.
        """
        self.name = "mqtt"
        self._settings = settings
        self._options = Options(settings, device_id)
        self._queue = outbox or MemoryQueue(settings.queue_size)
        self._open_queue = ExitStack()
        self._required_within_s = required_within_s
        intake = Intake(self._options, inbox, clock) if inbox is not None and settings.commands else None
        self._desk = CommandDesk(self._options, intake)
        self._publisher = Publisher(
            self._options,
            self._queue,
            clock=clock,
            rng=rng or random.Random(),  # noqa: S311
            desk=self._desk,
        )

    def __enter__(self) -> Self:
        """Start to connect; a broker that is away is no error unless it is required.

        Raises:
            SinkError: the password or a certificate cannot be read.
            BrokerError: mqtt.require is set and the broker does not answer.
            EdgeRuntimeError: paho-mqtt is missing.
        """
        require_paho()
        self._options.password()
        self._options.tls_context()
        with ExitStack() as stack:
            stack.enter_context(self._queue)
            self._publisher.start()
            if self._settings.require:
                self._wait_for_broker()
            self._open_queue = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        """Wait a bounded time for acknowledgements, say `offline`, disconnect, close the queue."""
        self._publisher.stop(CLOSE_TIMEOUT_S)
        left = self._queue.pending()
        self._open_queue.close()
        if left:
            level = logging.ERROR if isinstance(self._queue, MemoryQueue) else logging.INFO
            logger.log(level, "%s: %d events are not delivered", self._options.broker, left)

    def publish(self, message: Message) -> None:
        """Take one message; events wait for the broker, streams do not."""
        if message.durable:
            self._queue.append(message)
        else:
            self._publisher.offer(message)

    def _wait_for_broker(self) -> None:
        if self._publisher.connected.wait(self._required_within_s):
            return
        problem = self._publisher.problem or ""
        self._publisher.stop(1.0)
        raise BrokerError(
            f"{problem.removeprefix('mqtt: ')}; a broker is required: start it, correct mqtt.host "
            f"(--mqtt HOST[:PORT]), or set mqtt.require = false to begin without it"
        )

    @property
    def connected(self) -> bool:
        """Whether the broker knows us now."""
        return self._publisher.connected.is_set()

    @property
    def problem(self) -> str | None:
        """What is wrong now, for a person; None when nothing is."""
        return self._publisher.problem or self._queue.problem

    @property
    def published(self) -> Counter[str]:
        """Messages that were sent, events that were acknowledged, by topic."""
        return self._publisher.published

    @property
    def refused_commands(self) -> Counter[str]:
        """Messages on command topics that led to nothing, by reason."""
        return self._desk.refused

    @property
    def dropped(self) -> Counter[str]:
        """Messages that were lost, by reason."""
        # Copied first, which takes no step in Python: other threads count on while these are added up.
        return self._publisher.dropped.copy() + self._queue.dropped.copy() + self._desk.dropped.copy()

    @property
    def pending(self) -> int:
        """Events that the broker has not acknowledged."""
        return self._queue.pending()

    @property
    def oldest_age_s(self) -> float | None:
        """How long the oldest of them has waited, seconds; None in memory, where nobody notes it."""
        age = getattr(self._queue, "oldest_age_s", None)
        return None if age is None else float(age())
