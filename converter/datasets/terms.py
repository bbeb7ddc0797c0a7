"""Where known data files come from and what their owners allow, found by the file's digest."""

from __future__ import annotations

from importlib import resources

import msgspec


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the owners of a data file say."""

    title: str
    origin: str
    terms: str
    limits: tuple[str, ...] = ()
    """What a net trained on it should not be trusted with."""


def source_of(name: str, sha256: str, *, terms: str | None = None) -> Source:
    """Look a data file up.

    Args:
        name: of the file, for files that are not known.
        sha256: its digest.
        terms: what the user says about files that are not known.
    """
    text = (resources.files("converter") / "datasets" / "sources.json").read_bytes()
    known = msgspec.json.decode(text, type=dict[str, Source])
    stated = terms or "not stated by whoever exported this bundle: ask before you use it"
    return known.get(sha256, Source(name, "data of whoever exported this bundle", stated))
