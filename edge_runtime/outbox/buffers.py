"""The outbox's part in memory: what is not yet committed, what can be taken, what is on its way to the broker."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from edge_runtime.interfaces import Clock
from edge_runtime.outbox.store import StoredEvent

MEMORY_EVENTS: Final = 1000
"""Events that wait for the disk; the oldest are dropped and counted."""

READY_EVENTS: Final = 256
"""Events that are read ahead from the disk."""

GROUP_EVENTS: Final = 128
"""Events in one commit at most: an almost full disk takes a small group when it would refuse a large one."""

LEAST_BURST: Final = 20.0
"""Events that may be taken at once, however low the rate."""


class Buffers:
    """Every list has an end. Any thread may call any method; none of them touches the disk."""

    def __init__(self, *, clock: Clock, send_per_s: float) -> None:
        """Start empty; `send_per_s` limits what can be taken."""
        self.dropped: Counter[str] = Counter()
        self.disk_is_bad = False
        """Whether events wait because the disk cannot be written."""
        self._changed = threading.Condition()
        self._clock = clock
        self._send_per_s = send_per_s
        self._burst = max(LEAST_BURST, send_per_s)
        self._tokens = self._burst
        self._tokens_at = clock.monotonic()
        self._new: deque[StoredEvent] = deque()
        self._group: list[StoredEvent] = []
        self._ready: deque[tuple[int | None, StoredEvent]] = deque()
        self._taken: dict[int, tuple[int | None, StoredEvent]] = {}
        self._last_key = 0
        self._sent: set[int] = set()
        self._group_sent: set[int] = set()
        self._waiting_on_disk = 0

    def append(self, event: StoredEvent) -> None:
        """Keep a new event until the next commit."""
        with self._changed:
            self._new.append(event)
            self._drop_surplus()

    def take(self, limit: int) -> list[tuple[int, StoredEvent]]:
        """Hand out ready events in order with keys of their own, as many as the rate allows."""
        with self._changed:
            count = min(limit, len(self._ready), int(self._refilled_tokens()))
            self._tokens -= count
            taken = []
            for _ in range(count):
                self._last_key += 1
                self._taken[self._last_key] = self._ready.popleft()
                taken.append((self._last_key, self._taken[self._last_key][1]))
            return taken

    def acknowledge(self, key: int) -> None:
        """Note that the broker has an event."""
        with self._changed:
            seq, _ = self._taken.pop(key, (None, None))
            if seq is not None:
                self._sent.add(seq)

    def rewind(self) -> None:
        """Make ready again, in front and in order, what was taken and not acknowledged."""
        with self._changed:
            self._ready.extendleft(self._taken[key] for key in sorted(self._taken, reverse=True))
            self._taken.clear()

    def pending(self) -> int:
        """Count the events that are not acknowledged."""
        with self._changed:
            on_disk = self._waiting_on_disk - len(self._sent) - len(self._group_sent)
            passed_on = sum(seq is None for seq, _ in (*self._ready, *self._taken.values()))
            return max(0, on_disk) + len(self._new) + len(self._group) + passed_on

    def open_group(self) -> tuple[Sequence[StoredEvent], frozenset[int]]:
        """Begin a commit: the oldest new events in order, and rows that are acknowledged."""
        with self._changed:
            self._group = [self._new.popleft() for _ in range(min(GROUP_EVENTS, len(self._new)))]
            self._group_sent, self._sent = self._sent, set()
            return self._group, frozenset(self._group_sent)

    def group_is_stored(self, waiting_on_disk: int, *, trimmed_to: int) -> None:
        """End a commit that worked; rows up to `trimmed_to` are gone."""
        with self._changed:
            self._group, self._group_sent = [], set()
            self._waiting_on_disk = waiting_on_disk
            while self._ready and self._ready[0][0] is not None and self._ready[0][0] <= trimmed_to:
                self._ready.popleft()
            self._changed.notify_all()

    def group_failed(self) -> None:
        """End a commit that did not: everything waits for the next one."""
        with self._changed:
            self._new.extendleft(reversed(self._group))
            self._sent |= self._group_sent
            self._group, self._group_sent = [], set()
            self._drop_surplus()

    def wait_until_stored(self, timeout_s: float) -> bool:
        """Wait until nothing is uncommitted; whether that came true."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._new and not self._group, timeout_s)

    def uncommitted(self) -> int:
        """Count the events that are on no disk yet."""
        with self._changed:
            return len(self._new) + len(self._group)

    def has_news(self) -> bool:
        """Whether there is something to commit."""
        with self._changed:
            return bool(self._new or self._sent)

    def room(self) -> int:
        """How many events can be read ahead."""
        with self._changed:
            return READY_EVENTS - len(self._ready)

    def add_ready(self, rows: Iterable[tuple[int, StoredEvent]], waiting_on_disk: int) -> int:
        """Take rows from the disk, but those that are already here; how many there are new."""
        with self._changed:
            here = {seq for seq, _ in (*self._ready, *self._taken.values())} | self._sent | self._group_sent
            fresh = [row for row in rows if row[0] not in here]
            self._ready.extend(fresh)
            self._waiting_on_disk = waiting_on_disk
            return len(fresh)

    def read_ahead(self) -> frozenset[int]:
        """Return the rows that are here and not acknowledged."""
        with self._changed:
            return frozenset(seq for seq, _ in (*self._ready, *self._taken.values()) if seq is not None)

    def drop(self, seqs: Collection[int]) -> None:
        """Let rows go that somebody deleted; what is on its way to the broker is not sent once more."""
        with self._changed:
            self._ready = deque(row for row in self._ready if row[0] not in seqs)
            self._taken = {key: row for key, row in self._taken.items() if row[0] not in seqs}

    def pass_on(self, limit: int) -> int:
        """Make new events ready without storing them: the disk is bad, the broker may be well."""
        with self._changed:
            count = max(0, min(limit - len(self._ready), len(self._new)))
            self._ready.extend((None, self._new.popleft()) for _ in range(count))
            return count

    def forget_disk(self) -> None:
        """Cut the ties to a file that is gone: what is here stays, in memory only."""
        with self._changed:
            self._ready = deque((None, event) for _, event in self._ready)
            self._taken = {key: (None, event) for key, (_, event) in self._taken.items()}
            self._sent.clear()
            self._group_sent.clear()
            self._waiting_on_disk = 0

    def _drop_surplus(self) -> None:
        while len(self._new) > MEMORY_EVENTS:
            self._new.popleft()
            self.dropped["disk" if self.disk_is_bad else "queue_full"] += 1

    def _refilled_tokens(self) -> float:
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._tokens_at) * self._send_per_s)
        self._tokens_at = now
        return self._tokens
