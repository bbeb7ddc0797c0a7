"""How the parts of a shared library are aligned: a kernel with larger pages does not load it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

_LOADED: Final = 1
"""PT_LOAD: a part that is mapped into memory."""


def page_alignment(path: Path) -> int | None:
    """Smallest alignment of a library's loaded parts, bytes; None when the file is no ELF or cannot be read.

    Source: System V ABI, ELF header and program header.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64)
            if head[:4] != b"\x7fELF":
                return None
            wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
            at = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)[0]
            size, count = struct.unpack_from(order + "HH", head, 54 if wide else 42)
            file.seek(at)
            table = file.read(size * count)
        word, where = (order + "Q", 48) if wide else (order + "I", 28)
        alignments = [
            int(struct.unpack_from(word, table, entry + where)[0])
            for entry in range(0, size * count, size)
            if struct.unpack_from(order + "I", table, entry)[0] == _LOADED
        ]
    except (OSError, struct.error, ValueError, IndexError):
        return None
    return min(alignments, default=None)
