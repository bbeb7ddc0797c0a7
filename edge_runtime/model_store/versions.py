"""Names and versions of stored bundles, and which version is the higher one."""

from __future__ import annotations

import re
from typing import Final

from edge_runtime.errors import ContractError

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_BUILD = r"[0-9A-Za-z-]+"
VERSION: Final = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    rf"(?:\+{_BUILD}(?:\.{_BUILD})*)?"
)
"""Source: Semantic Versioning 2.0.0, https://semver.org."""

_LABEL = re.compile(r"([a-z0-9][a-z0-9-]*?)-([0-9]+\.[0-9]+\.[0-9]+.*)")

Precedence = tuple[tuple[int, int, int], bool, tuple[tuple[bool, int, str], ...]]


def precedence(version: str) -> Precedence:
    """Order versions as Semantic Versioning does: by numbers, a pre-release before its release, builds alike.

    Raises:
        ContractError: not MAJOR.MINOR.PATCH.
    """
    found = VERSION.fullmatch(version)
    if found is None:
        raise ContractError(
            f"version {version!r}: expected MAJOR.MINOR.PATCH as semver.org has it, for instance 1.4.0; "
            f"export the model again with `emotion-convert export --version`"
        )
    major, minor, patch, before = found.groups()
    identifiers = tuple(
        (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in (before or "").split(".") if part
    )
    return (int(major), int(minor), int(patch)), before is None, identifiers


def label_of(name: str, version: str) -> str:
    """Name of a bundle's folder in the store: NAME-VERSION."""
    precedence(version)
    label = f"{name}-{version}"
    if split_label(label) != (name, version):
        raise ContractError(f"name {name!r}: expected small letters, digits and dashes; export the model again")
    return label


def split_label(label: str) -> tuple[str, str] | None:
    """NAME-VERSION -> name and version; None for any other word. A name has no dot, so there is one way only."""
    found = _LABEL.fullmatch(label)
    return (found[1], found[2]) if found and VERSION.fullmatch(found[2]) else None
