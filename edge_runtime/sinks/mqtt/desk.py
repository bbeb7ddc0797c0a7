"""Where commands come in and their results go out, while there is a connection. Belongs to the publisher's thread."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from typing import Final

from edge_runtime.commands import CommandAnswer
from edge_runtime.sinks.mqtt.connection import Connection
from edge_runtime.sinks.mqtt.intake import Intake
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.topics import RESULT

logger = logging.getLogger(__name__)

ANSWERS: Final = 16
"""Results that wait for the broker; the oldest are dropped."""


class CommandDesk:
    """`put` may be called by any thread."""

    def __init__(self, options: Options, intake: Intake | None) -> None:
        """Take in nothing without an intake; results are sent all the same: a reload may have closed it meanwhile."""
        self.refused: Counter[str] = intake.refused if intake else Counter()
        """Messages on command topics that led to nothing, by reason."""
        self.dropped: Counter[str] = Counter()
        self.sent = 0
        self._options, self._intake = options, intake
        self._lock = threading.Lock()
        self._answers: deque[CommandAnswer] = deque()
        self._begun: deque[tuple[str, CommandAnswer]] = deque()

    @property
    def is_empty(self) -> bool:
        """Whether no result waits."""
        return not (self._answers or self._begun)

    def put(self, answer: CommandAnswer) -> None:
        """Keep a result until the broker is there."""
        with self._lock:
            self._answers.append(answer)
            if len(self._answers) > ANSWERS:
                self._answers.popleft()
                self.dropped["answers"] += 1

    def open(self, connection: Connection) -> None:
        """Subscribe on a new connection, or end what an earlier configuration subscribed to."""
        if self._intake is not None:
            connection.listen(self._intake.topic)
        else:
            connection.stop_listening(self._options.topic("cmd/+"))

    def turn(self, connection: Connection) -> None:
        """Take in what came, and send results while the broker has room."""
        if self._intake is not None:
            self._take_in(connection, self._intake)
        # One message at a time: a broker may take no more than one before it acknowledges it.
        while connection.room > 0 and not self.is_empty:
            self._send_one(connection)

    def _take_in(self, connection: Connection, intake: Intake) -> None:
        """Hand on what is allowed; what is refused is answered here."""
        for message in connection.commands():
            answer = intake.take(message)
            if answer is not None:
                self.put(answer)
        if overheard := connection.take_overheard():
            intake.refused["too_fast"] += overheard
        if connection.deaf is not None:
            told = "%s: commands are not heard (%s); may this user read %s?"
            logger.warning(told, self._options.broker, connection.deaf, intake.topic)
            connection.deaf = None

    def _send_one(self, connection: Connection) -> None:
        """Send a result, or its copy where the sender waits for it on a topic of its own."""
        if not self._begun:
            with self._lock:
                answer = self._answers.popleft()
            topics = (self._options.topic(RESULT.replace("<name>", answer.payload.command)), answer.reply_to.topic)
            self._begun.extend((topic, answer) for topic in topics if topic is not None)
            self.sent += 1
        topic, answer = self._begun.popleft()
        connection.answer(topic, answer.to_json(), schema=answer.schema, correlation=answer.reply_to.correlation)
