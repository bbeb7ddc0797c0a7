"""A training recipe: one TOML file, checked against these types."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from converter.errors import RecipeError

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Count = Annotated[int, Meta(ge=1)]


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Residual blocks at one resolution. Every stage but the first halves height and width."""

    filters: Count
    blocks: Count


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The residual network."""

    stem_filters: Count = 24
    stem_kernel: Count = 5
    after_stem: Literal["pool", "keep"] = "pool"
    """pool: max pooling to 24 x 24, fast. keep: the first stage works at 48 x 48, all the detail that a face of FER2013
    has."""
    block: Literal["basic", "bottleneck"] = "basic"
    stages: tuple[Stage, ...]
    head: Literal["mean", "spatial", "pyramid"] = "mean"
    """mean: global average pooling. spatial: 1x1 convolution to head_filters, then all positions (for points).
    pyramid: answers per cell at strides 8, 16 and 32 (for faces)."""
    head_filters: Count = 32
    """Channels of the spatial head, or of the pyramid."""
    dropout: Share = 0.0
    squeeze: Annotated[int, Meta(ge=0)] = 0
    """Basic blocks weigh their channels by what the whole face shows, through a layer of filters / squeeze; 0 = not."""


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is trained on and how it is drawn."""

    outputs: tuple[str, ...] = ()
    """Emotion: names of the net's outputs; the five answers first. Classes that are not named are left out."""
    validation_share: Share = 0.1
    near_copy_correlation: Share = 1.0
    """Emotion: pictures that correlate by this much stay on one side of the split; 1 = exact copies only."""
    class_balance: Share = 0.0
    """Emotion: 0 draws classes as often as they are found, 1 draws all equally often."""
    source_balance: Share = 0.0
    """Keypoints: 0 draws sources as often as they are found, 1 draws all equally often."""
    side_shift_px: dict[str, float] = {}
    """Keypoints: how far to the right of where they belong a source's labels lie, pixels of the crop (`evaluate` says).
    Mirrored faces get theirs as far to the right; else the net would learn the middle, which is right for neither."""


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The optimisation."""

    epochs: Count
    batch_size: Count = 64
    optimizer: Literal["sgd", "adamw"] = "sgd"
    learning_rate: Positive = 0.1
    """Peak of a cosine that starts after the warm-up and ends at 0."""
    warmup_epochs: NotNegative = 1.0
    weight_decay: NotNegative = 5e-4
    """Of convolution and dense kernels only."""
    average_momentum: Share = 0.999
    """Momentum of the moving average of the weights, which is what is validated and exported."""
    label_smoothing: Share = 0.0
    votes_weight: Share = 0.0
    """Emotion: share of crowd votes in the target where a file has them."""
    soft_weight: Share = 0.0
    """Emotion: share of a teacher's answers (`train --soft-labels`) in the target, taken last."""
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """Of the arithmetic while training; weights are float32 in both."""
    mixup_alpha: NotNegative = 0.0
    """Emotion: parameter of the Beta distribution; 0 = off."""
    huber_delta_px: Positive = 2.0
    """Keypoints: errors above this count linearly."""


class Detection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Faces: what a training picture is put together from, and what counts as a face in it."""

    crop_px: Annotated[int, Meta(ge=64, multiple_of=32)] = 256
    """Side of the square training pictures."""
    input_shape: tuple[Annotated[int, Meta(multiple_of=32)], Annotated[int, Meta(multiple_of=32)]] = (256, 320)
    """Height and width at which epochs are judged."""
    natural: Share = 0.5
    """Chance that a scene about fills its part; else a face of it is brought to a drawn size."""
    min_face_px: Positive = 8.0
    """Smaller faces (square root of the area) are neither face nor background."""
    max_face_px: Positive = 220.0
    """Largest size that faces are brought to."""
    level_limits_px: tuple[float, float] = (32.0, 80.0)
    """Up to the first size faces belong to cells of stride 8, up to the second to 16, above to 32."""
    level_overlap: Annotated[float, Meta(ge=1.0)] = 1.25
    """Faces within this factor of a limit belong to both levels."""
    center_radius: Positive = 1.5
    """Cells whose middle is this near to the face's middle (in strides, per axis) answer for it."""
    mosaic: Share = 0.4
    """Chance that a training picture is put together from four."""
    no_face: Share = 0.2
    """Chance that a part is taken from a picture without faces."""
    hard_no_face: Share = 0.0
    """Chance that such a picture, or a ground, is drawn by how much it fools the net that the training starts from."""
    soft_ground: Share = 0.0
    """Chance that it is blurred as what lies far out of focus: a pale blob is no face."""
    turned: Share = 0.0
    """Chance that a further scene of a mosaic is one with a face in an unusual pose, and that the face is looked at."""
    rolled: Share = 0.0
    """Chance that a scene is rolled about a face."""
    most_rolled_deg: NotNegative = 50.0
    """By up to this, to either side."""
    most_enlarged: Positive = 2.5
    """Scenes are enlarged by this at most: what is enlarged further is a blur that no camera sees."""
    cutout: Share = 0.0
    """Chance that a part shows a face of a file without boxes (labelled faces, faces with points) on a ground."""
    roll_deg: NotNegative = 20.0
    """Such a face is turned by up to this."""
    jpeg: Share = 0.4
    """Chance of a compression with losses."""
    box_weight: NotNegative = 2.0
    """Weight of the boxes' loss beside the scores' loss."""
    close_ups: bool = False
    """The device shall look at doubtful finds once more, cut from the full frame: finds more faces in up to twice the
    time. Epochs are judged without."""


class Augment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Random changes of every training picture. A mirror is always drawn with probability one half."""

    rotation_deg: NotNegative = 15.0
    scale: NotNegative = 0.15
    """Size changes by a factor exp(+-scale)."""
    shift_px: NotNegative = 5.0
    """Of the 96 x 96 input."""
    brightness: Share = 0.2
    contrast: Share = 0.25
    gamma: NotNegative = 0.3
    blur: Share = 0.1
    """Chance of a blur."""
    noise: NotNegative = 4.0
    """Largest standard deviation of added noise, grey levels."""
    erase: Share = 0.25
    """Chance of a grey rectangle over part of the face."""


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything but data and seed that decides what a training gives."""

    kind: Literal["emotion", "keypoints", "faces"]
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    seed: int = 1
    calibration_count: Count = 256
    """Training pictures that fix the int8 ranges."""
    data: Data = Data()
    model: Model
    training: Training
    augment: Augment = Augment()
    detection: Detection = Detection()
    """Faces only."""


def builtin_recipes() -> tuple[str, ...]:
    """Name the recipes that are shipped."""
    folder = resources.files("converter") / "recipes"
    return tuple(sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_recipe(name_or_path: str) -> Recipe:
    """Read a shipped recipe by name or any recipe by path.

    Raises:
        RecipeError: no such file, not TOML, or a key or value that does not fit.
    """
    path = Path(name_or_path)
    if name_or_path in builtin_recipes():
        path = Path(str(resources.files("converter") / "recipes" / f"{name_or_path}.toml"))
    try:
        text = path.read_bytes()
    except OSError as error:
        shipped = ", ".join(builtin_recipes())
        raise RecipeError(f"{name_or_path}: no such recipe; give a path or one of: {shipped}") from error
    return parse_recipe(text, str(path))


def parse_recipe(text: bytes, where: str) -> Recipe:
    """Check a recipe's TOML; `where` names it in errors."""
    try:
        return msgspec.toml.decode(text, type=Recipe)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise RecipeError(f"{where}: {error}{_nearest_key(str(error))}") from error
    except RecursionError as error:
        raise RecipeError(f"{where}: brackets in brackets without end; see the shipped recipes") from error


def _nearest_key(message: str) -> str:
    found = re.search(r"unknown field `(\w+)`", message)
    if not found:
        return ""
    known = {
        field
        for struct in (Recipe, Data, Model, Stage, Training, Augment, Detection)
        for field in struct.__struct_fields__
    }
    near = difflib.get_close_matches(found.group(1), sorted(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; known keys: {', '.join(sorted(known))}"


def builtin_name(content: Mapping[str, Any]) -> str | None:
    """Name the shipped recipe that a resolved one is, whatever its seed, epochs and soft weight; None = it is none."""
    try:
        wanted = _without_flags(msgspec.convert(content, type=Recipe))
    except msgspec.ValidationError:  # of a version that knew other settings
        return None
    return next((name for name in builtin_recipes() if _without_flags(load_recipe(name)) == wanted), None)


def _without_flags(recipe: Recipe) -> Recipe:
    return replaced(recipe, epochs=1, seed=1, soft_weight=0.0)


def replaced(
    recipe: Recipe,
    *,
    epochs: int | None = None,
    seed: int | None = None,
    batch_size: int | None = None,
    soft_weight: float | None = None,
) -> Recipe:
    """Change what a command line may change, with the same checks as in a file."""
    content: dict[str, Any] = msgspec.to_builtins(recipe)
    if epochs is not None:
        content["training"]["epochs"] = epochs
    if batch_size is not None:
        content["training"]["batch_size"] = batch_size
    if soft_weight is not None:
        content["training"]["soft_weight"] = soft_weight
    if seed is not None:
        content["seed"] = seed
    try:
        return msgspec.convert(content, type=Recipe)
    except msgspec.ValidationError as error:
        raise RecipeError(f"command line: {error}") from error
