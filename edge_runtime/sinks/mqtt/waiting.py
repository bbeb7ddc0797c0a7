"""Where events wait until the broker has acknowledged them: in memory here, on disk in edge_runtime.outbox."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from edge_runtime.interfaces import Message

if TYPE_CHECKING:
    from typing_extensions import Self


class EventQueue(Protocol):
    """A bounded queue that forgets an event only when it is acknowledged or pushed out. Safe between two threads."""

    def __enter__(self) -> Self:
        """Open it; SinkError when it can never work."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Store what can be stored and close it."""
        ...

    problem: str | None
    """What is wrong now, for a person; None when nothing is."""

    @property
    def dropped(self) -> Counter[str]:
        """Events that were pushed out, by reason."""
        ...

    def append(self, message: Message) -> None:
        """Take one event; never blocks, never raises."""
        ...

    def take(self, limit: int) -> Sequence[tuple[int, Message]]:
        """Hand out the next events in order with their keys, each once; ready ones only."""
        ...

    def acknowledge(self, key: int) -> None:
        """Forget an event: the broker has it."""
        ...

    def rewind(self) -> None:
        """Hand out again what was handed out and not acknowledged: the connection is gone."""
        ...

    def pending(self) -> int:
        """Count the events that are not acknowledged."""
        ...

    def wake_with(self, wake: Callable[[], None]) -> None:
        """Call `wake`, from any thread, when there is something to take."""
        ...


class MemoryQueue:
    """Events in memory: lost when the process ends, the oldest dropped when there are too many."""

    def __init__(self, size: int) -> None:
        """Hold `size` events at most."""
        self.problem: str | None = None
        self.dropped: Counter[str] = Counter()
        self._size = size
        self._lock = threading.Lock()
        self._waiting: OrderedDict[int, Message] = OrderedDict()
        self._in_flight: dict[int, Message] = {}
        self._last_key = 0
        self._wake: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Lose what waits, and count it."""
        self.dropped["close"] += self.pending()

    def append(self, message: Message) -> None:
        """Take one event; a full queue drops its oldest."""
        with self._lock:
            self._last_key += 1
            self._waiting[self._last_key] = message
            if len(self._waiting) + len(self._in_flight) > self._size:
                self._waiting.popitem(last=False)
                self.dropped["queue_full"] += 1
        if self._wake:
            self._wake()

    def take(self, limit: int) -> Sequence[tuple[int, Message]]:
        """Hand out the oldest that were not handed out yet."""
        with self._lock:
            taken = [self._waiting.popitem(last=False) for _ in range(min(limit, len(self._waiting)))]
            self._in_flight.update(taken)
        return taken

    def acknowledge(self, key: int) -> None:
        """Forget one event."""
        with self._lock:
            self._in_flight.pop(key, None)

    def rewind(self) -> None:
        """Put what is not acknowledged back in front."""
        with self._lock:
            self._waiting = OrderedDict([*sorted(self._in_flight.items()), *self._waiting.items()])
            self._in_flight.clear()

    def pending(self) -> int:
        """Count the events that are not acknowledged."""
        with self._lock:
            return len(self._waiting) + len(self._in_flight)

    def wake_with(self, wake: Callable[[], None]) -> None:
        """Call `wake` after every append."""
        self._wake = wake
