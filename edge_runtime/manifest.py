"""The types of a bundle's manifest.json: everything about a model that is not in its .tflite."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from edge_runtime.contract import MANIFEST_SCHEMA, ModelKind

Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What the net is fed."""

    shape: tuple[int, int, int, int]
    """(1, height, width, 1)."""
    dtype: str = "int8"
    color: str = "grey"
    framing: str = ""
    """How the crop is cut, in words."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What the net answers."""

    shape: tuple[int, ...]
    dtype: str = "int8"
    names: tuple[str, ...] = ()
    """Emotion: what each output means: one of the five labels, or `none`. Keypoints: empty, the contract names them."""


class SmallFinds(msgspec.Struct, frozen=True, kw_only=True):
    """Faces: small finds count from a score of their own."""

    below_px: Annotated[float, Meta(gt=0.0)]
    """Shorter side, pixels of the net's input, below which a find is small."""
    enter: Share
    """Score from which it counts."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How answers become labels; chosen on validation data."""

    temperature: Annotated[float, Meta(gt=0.0)] = 1.0
    """Logits are divided by this before the softmax."""
    enter: Share = 0.5
    """Support from which a face gets an answer; score from which a find of a faces net counts."""
    small: SmallFinds | None = None
    """Faces: what holds for small finds; None = the same."""
    exit: Share = 0.4
    """Support below which an answer is taken back."""
    window_s: Annotated[float, Meta(ge=0.0)] = 0.5
    """Time constant of the smoothing of scores."""
    close_ups: bool = False
    """Faces: doubtful finds are cut from the full frame and looked at once more. Finds more faces in up to twice the
    time."""


class Quantized(msgspec.Struct, frozen=True, kw_only=True):
    """How the net became int8."""

    mode: str
    calibration_count: int
    converter_versions: dict[str, str] = {}


class TrainingData(msgspec.Struct, frozen=True, kw_only=True):
    """One file the net was trained on."""

    name: str
    sha256: str
    terms: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Contents of manifest.json. Unknown keys are ignored, so that an older runtime reads a newer bundle's extras."""

    schema: str = MANIFEST_SCHEMA
    kind: ModelKind
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+([-+.][0-9A-Za-z.-]+)?$")]
    created_at: str
    """RFC 3339, UTC."""
    input: Input
    output: Output
    labels: tuple[str, ...] = ()
    """A copy of the contract's labels, compared on load."""
    policy: Policy = Policy()
    quantization: Quantized
    accuracy: dict[str, Any] = {}
    """Figures of the float and of the int8 net."""
    parity: dict[str, Any] = {}
    training_data: tuple[TrainingData, ...] = ()
    recipe: dict[str, Any] = {}
    """The resolved recipe, every default written out."""
    limits: tuple[str, ...] = ()
    """Where the net must not be trusted."""
    min_runtime_version: Annotated[str, Meta(max_length=64)] = "0.1.0"
