"""Which bundle of a kind a configuration means, and what a start does when an activated one turns out to be bad."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final, Literal

import msgspec

from edge_runtime.bundle import Bundle, builtin_bundle_path, load_bundle
from edge_runtime.contract import SHIPPED_KINDS, ModelKind
from edge_runtime.errors import ModelError, StoreError
from edge_runtime.model_store.changes import require_label
from edge_runtime.model_store.layout import SHIPPED, Choice, ModelStore
from edge_runtime.model_store.proof import Prove, nobody_waits, prove
from edge_runtime.settings import Config, Detector, Models
from edge_runtime.signature import TrustedKeys, load_keys

logger = logging.getLogger(__name__)

SHIPPED_FACES: Final = {160: "faces-small", 320: "faces", 640: "faces-large"}
"""Shipped faces nets by the width of their input, all of the same weights: 160 x 128, 320 x 256, 640 x 480."""

LARGEST_FACES: Final = SHIPPED_FACES[640]

START_LIMIT_S: Final = 20.0
"""For the self-test of one bundle at a start: systemd gives the whole start 90 s."""


@dataclass(frozen=True)
class Place:
    """Where a bundle is, and why that one."""

    path: Path
    origin: Literal["configured", "activated", "shipped"]


@dataclass(frozen=True)
class Settled:
    """A configuration that names a good bundle for every kind."""

    config: Config
    problems: dict[ModelKind, str] = field(default_factory=dict)
    """What was wrong with an activated bundle, and what runs in its place."""


def open_store(models: Models) -> ModelStore | None:
    """Return the configured store; its folder need not exist. None: there shall be none."""
    return ModelStore(Path(models.store)) if models.store else None


def trusted_keys(models: Models) -> TrustedKeys | None:
    """Read whose signatures are asked for; None: nobody's.

    Raises:
        ConfigError: the file cannot be read, or holds no key.
    """
    return load_keys(Path(models.public_key_file)) if models.public_key_file else None


def place_of(kind: ModelKind, models: Models, *, configured: str = "") -> Place:
    """Choose a bundle: a setting wins over the store, the store over what is shipped.

    Args:
        kind: which net.
        models: names the store, and the nets of two kinds.
        configured: the setting of a kind that is set elsewhere.

    Raises:
        StoreError: the store cannot be read.
    """
    setting = {"keypoints": models.keypoints, "emotion": models.emotion}.get(kind) or configured
    if setting:
        return Place(Path(setting), "configured")
    store = open_store(models)
    label = store.choice(kind).active if store else SHIPPED
    if store is None or label == SHIPPED:
        return Place(builtin_bundle_path(kind), "shipped")
    return Place(store.folder(kind, label), "activated")


def place_of_faces(detector: Detector, models: Models) -> Place:
    """Choose the faces bundle; of the shipped ones the smallest that has the width of the search."""
    place = place_of("faces", models, configured=detector.model)
    if place.origin != "shipped":
        return place
    fitting = (name for width, name in SHIPPED_FACES.items() if detector.search_width_px <= width)
    return replace(place, path=place.path.with_name(next(fitting, LARGEST_FACES)))


def load_chosen(kind: ModelKind, place: Place, models: Models) -> Bundle:
    """Load a bundle; all but shipped ones, which are part of the program, must be signed where a key is configured.

    Raises:
        ModelError: missing, damaged, not signed, or not what this runtime expects.
    """
    bundle = load_bundle(place.path, kind=kind, keys=None if place.origin == "shipped" else trusted_keys(models))
    if place.origin == "activated":
        require_label(bundle, place.path.name)
    return bundle


def settle(config: Config, *, alive: Callable[[], None] = nobody_waits) -> Settled:
    """Prove the activated bundles before a service depends on them; roll back those that fail.

    A bundle whose digest, signature, contract or recorded answers are wrong is replaced by the one before it, or by the
    shipped one, also in the store, so that the next start does not try it again.

    Args:
        config: names the store.
        alive: called at least once a second, for a watchdog.

    Returns:
        The configuration with the path of every bundle that was proven, and without a store: what was proven is what
        runs, whatever happens to the store meanwhile.

    Raises:
        ConfigError: the public key cannot be used.
    """
    store = open_store(config.models)
    if store is None:
        return Settled(config)
    keys = trusted_keys(config.models)
    proven = partial(prove, time_limit_s=START_LIMIT_S, alive=alive)
    chosen: dict[ModelKind, str] = {}
    problems: dict[ModelKind, str] = {}
    choices = dict(_choices(store, config, problems))
    failed = _failures(store, {kind: choice.active for kind, choice in choices.items()}, keys, proven)
    for kind, choice in choices.items():
        chosen[kind] = choice.active
        if kind in failed:
            chosen[kind] = _next_best(store, kind, choice, keys, proven)
            problems[kind] = f"{kind} model {choice.active} went back to {chosen[kind]}: {failed[kind]}"
            _record(store, kind, chosen[kind])
    for problem in problems.values():
        logger.error("%s", problem)
    return Settled(_fixed(config, store, chosen), problems)


def _choices(store: ModelStore, config: Config, problems: dict[ModelKind, str]) -> Iterator[tuple[ModelKind, Choice]]:
    """Kinds for which the store decides, and what it says; a store that cannot be read decides nothing."""
    for kind in SHIPPED_KINDS:
        if kind == "faces" and (config.detector.kind != "faces" or config.detector.model):
            continue
        if {"keypoints": config.models.keypoints, "emotion": config.models.emotion}.get(kind):
            continue
        try:
            yield kind, store.choice(kind)
        except StoreError as error:
            problems[kind] = f"the shipped {kind} model runs: {error}"


def _failures(
    store: ModelStore, labels: dict[ModelKind, str], keys: TrustedKeys | None, prove: Prove
) -> dict[ModelKind, str]:
    """Say what is wrong with bundles: first of those that cannot be loaded, then of those that fail their self-test."""
    problems: dict[ModelKind, str] = {}
    loaded: dict[ModelKind, Path] = {}
    for kind, label in labels.items():
        if label == SHIPPED:
            continue
        path = store.folder(kind, label)
        try:
            require_label(load_bundle(path, kind=kind, keys=keys), label)
        except ModelError as error:
            problems[kind] = str(error)
        else:
            loaded[kind] = path
    wrong = prove(list(loaded.values())) if loaded else {}
    return problems | {kind: wrong[path] for kind, path in loaded.items() if path in wrong}


def _next_best(store: ModelStore, kind: ModelKind, choice: Choice, keys: TrustedKeys | None, prove: Prove) -> str:
    previous = choice.previous
    if previous is None or _failures(store, {kind: previous}, keys, prove):
        return SHIPPED
    return previous


def _record(store: ModelStore, kind: ModelKind, label: str) -> None:
    """Make the way back last; a store that cannot be written must not keep the service from running."""
    try:
        with store.locked():
            store.choose(kind, Choice(active=label))
    except StoreError as error:
        logger.warning("the way back to %s %s lasts until the next start only: %s", kind, label, error)


def _fixed(config: Config, store: ModelStore, chosen: dict[ModelKind, str]) -> Config:
    paths = {kind: str(store.folder(kind, label)) for kind, label in chosen.items() if label != SHIPPED}
    models = msgspec.structs.replace(
        config.models,
        keypoints=paths.get("keypoints", config.models.keypoints),
        emotion=paths.get("emotion", config.models.emotion),
        store="",
    )
    detector = msgspec.structs.replace(config.detector, model=paths.get("faces", config.detector.model))
    return msgspec.structs.replace(config, models=models, detector=detector)
