"""Kinds of values that settings have, and what a section of the configuration is."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Count = Annotated[int, Meta(ge=1)]
TopicLevel = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9._-]{0,64}$", description="letters, digits, dot, dash and underscore, 64 at most"),
]
"""One level of an MQTT topic: no slash, no wildcard, no NUL."""
_LEVELS = "letters, digits, dot, dash and underscore, with single slashes between levels of a topic"
TopicPrefix = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", description=_LEVELS)]
"""The beginning of MQTT topics."""
OptionalTopicPrefix = Annotated[str, Meta(pattern=r"^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$", description=_LEVELS)]
"""The same, or empty."""
NetDevice = Annotated[
    str,
    Meta(pattern=r"^(cpu|edgetpu(:(usb|pci):\d+)?)$", description="cpu, edgetpu, edgetpu:usb:N or edgetpu:pci:N"),
]
"""What runs the nets."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of the configuration."""
