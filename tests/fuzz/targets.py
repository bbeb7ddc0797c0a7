"""Every fuzz target by its name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.fuzz.broker_targets import BROKER_TARGETS
from tests.fuzz.frame_targets import FRAME_TARGETS
from tests.fuzz.model_targets import MODEL_TARGETS
from tests.fuzz.target import Target
from tests.fuzz.text_targets import TEXT_TARGETS

TARGETS: Final[Mapping[str, Target]] = MappingProxyType(
    {target.name: target for target in (*TEXT_TARGETS, *MODEL_TARGETS, *FRAME_TARGETS, *BROKER_TARGETS)}
)
