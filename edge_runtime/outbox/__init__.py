"""Events on disk until the broker has acknowledged them.

`disk_queue` is what the MQTT sink takes from, `buffers` its part in memory, `store` holds all SQL, `inspection` is what
the command line shows and asks for.
"""

from __future__ import annotations

from edge_runtime.outbox.disk_queue import Outbox

__all__ = ["Outbox"]
