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

_ROOM: Final = 2
"""One result is two messages where the sender waits for it on a topic of its own."""


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

    @property
    def is_empty(self) -> bool:
        """Whether no result waits."""
        return not self._answers

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
        while self._answers and connection.room >= _ROOM:
            with self._lock:
                answer = self._answers.popleft()
            self._send(connection, answer)

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

    def _send(self, connection: Connection, answer: CommandAnswer) -> None:
        topics = [self._options.topic(RESULT.replace("<name>", answer.payload.command))]
        if answer.reply_to.topic is not None:
            topics.append(answer.reply_to.topic)
        for topic in topics:
            connection.answer(topic, answer.to_json(), schema=answer.schema, correlation=answer.reply_to.correlation)
        self.sent += 1
