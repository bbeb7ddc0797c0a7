"""Messages on cmd/<name> become commands for the main loop, or are refused: anybody may write there."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import msgspec

from edge_runtime.commands import COMMAND_NAMES, Command, CommandAnswer, CommandResult, Inbox, ReplyTo
from edge_runtime.interfaces import Clock
from edge_runtime.output_settings import CommandName
from edge_runtime.payloads import rfc3339
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.packets import Received

MAX_COMMAND_BYTES: Final = 4096
"""A command is a few words; larger ones are refused unread."""

MAX_TOPIC_CHARACTERS: Final = 256
MAX_CORRELATION_BYTES: Final = 1024
ANSWERABLE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""Names that a refusal may repeat in a topic."""

REASONS: Final = {
    "too_large": f"larger than {MAX_COMMAND_BYTES} bytes",
    "malformed": 'expected nothing or {"id": "..."} with at most 64 characters',
    "unknown": f"no such command; there are {', '.join(COMMAND_NAMES)}",
    "not_allowed": "not in mqtt.commands",
    "busy": "too many commands wait; try again",
}
"""What a refusal says, by the word it is counted under."""


class _Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a command may say."""

    id: str | None = None


class Intake:
    """Belongs to the publisher's thread. Nothing is carried out here."""

    def __init__(self, options: Options, inbox: Inbox, clock: Clock) -> None:
        """Hand what is allowed to `inbox`."""
        self.refused: Counter[str] = Counter()
        """Messages that led to nothing, by reason."""
        self._options, self._inbox, self._clock = options, inbox, clock
        self._prefix = options.topic("cmd/")

    @property
    def topic(self) -> str:
        """What to subscribe to: also the names that are not allowed, so that they can be refused."""
        return f"{self._prefix}+"

    def take(self, message: Received) -> CommandAnswer | None:
        """Hand over one message; the answer when it is refused and whoever sent it may be told."""
        name = message.topic.removeprefix(self._prefix)
        if message.retained:
            self.refused["retained"] += 1  # said to nobody in particular, perhaps years ago
            return None
        reply_to = self._checked(message.reply_to)
        order = _order(message.payload)
        reason = self._refusal(name, message.payload, order)
        order_id = order.id if order else None
        if reason is None:
            known: CommandName = msgspec.convert(name, CommandName)
            if self._inbox.put(Command(known, order_id, reply_to)):
                return None
            reason = "busy"
        self.refused[reason] += 1
        return self._answer(name, reason, order_id, reply_to) if ANSWERABLE.fullmatch(name) else None

    def _refusal(self, name: str, payload: bytes, order: _Order | None) -> str | None:
        if name not in COMMAND_NAMES:
            return "unknown"
        if name not in self._options.settings.commands:
            return "not_allowed"
        if len(payload) > MAX_COMMAND_BYTES:
            return "too_large"
        return "malformed" if order is None else None

    def _checked(self, reply_to: ReplyTo) -> ReplyTo:
        """Leave out a Response Topic that is none, or that would make us speak in our own name elsewhere."""
        topic, correlation = reply_to.topic, reply_to.correlation
        if topic is not None and (
            not 0 < len(topic) <= MAX_TOPIC_CHARACTERS
            or re.search(r"[+#\0]", topic)
            or topic.startswith(("$", self._options.topic("")))
        ):
            self.refused["response_topic"] += 1
            topic = None
        if correlation is not None and len(correlation) > MAX_CORRELATION_BYTES:
            correlation = None
        return ReplyTo(topic, correlation)

    def _answer(self, name: str, reason: str, order_id: str | None, reply_to: ReplyTo) -> CommandAnswer:
        result = CommandResult(
            device_id=self._options.device_id,
            time=rfc3339(self._clock.utc()),
            command=name,
            ok=False,
            message=f"refused: {REASONS[reason]}",
            id=order_id,
        )
        return CommandAnswer(result, reply_to)


def _order(payload: bytes) -> _Order | None:
    """Read a payload; None when it is no order."""
    if not payload:
        return _Order()
    if len(payload) > MAX_COMMAND_BYTES:
        return None
    try:
        order = msgspec.json.decode(payload, type=_Order)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return order if len(order.id or "") <= 64 else None
