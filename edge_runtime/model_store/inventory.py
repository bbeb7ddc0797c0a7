"""Every model of a device: what is shipped, installed, configured, active and previous."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from edge_runtime.bundle import builtin_bundle_path, load_bundle
from edge_runtime.contract import SHIPPED_KINDS, ModelKind
from edge_runtime.errors import ModelError, StoreError
from edge_runtime.model_store.changes import require_label
from edge_runtime.model_store.layout import SHIPPED, Choice, ModelStore
from edge_runtime.model_store.opening import Place, open_store, place_of, place_of_faces, trusted_keys
from edge_runtime.model_store.proof import Prove, prove
from edge_runtime.model_store.versions import split_label
from edge_runtime.settings import Config
from edge_runtime.signature import TrustedKeys


@dataclass(frozen=True)
class Entry:
    """One model."""

    kind: ModelKind
    name: str
    version: str
    path: Path
    origin: Literal["configured", "installed", "shipped"]
    sha256: str = ""
    """Digest of the .tflite; empty when the bundle cannot be loaded."""
    in_use: bool = False
    """Whether `run` would use it."""
    active: bool = False
    previous: bool = False
    problem: str = ""
    """Why it cannot be used."""

    def as_row(self) -> dict[str, Any]:
        """Write it for JSON."""
        return asdict(self) | {"path": str(self.path)}


def entries(config: Config) -> list[Entry]:
    """List every model, by kind; one that cannot be loaded is listed with its problem."""
    keys = trusted_keys(config.models)
    store = open_store(config.models)
    return [entry for kind in SHIPPED_KINDS for entry in _of_kind(kind, config, store, keys)]


def verified(found: list[Entry], prove: Prove = prove) -> list[Entry]:
    """Let every net that can be loaded answer its recorded inputs."""
    wrong = prove([entry.path for entry in found if not entry.problem])
    return [replace(entry, problem=entry.problem or wrong.get(entry.path, "")) for entry in found]


def _of_kind(kind: ModelKind, config: Config, store: ModelStore | None, keys: TrustedKeys | None) -> Iterator[Entry]:
    try:
        choice, problem = store.choice(kind) if store else Choice(), ""
        place = _place_of(kind, config)
    except StoreError as error:  # a service would say so too, and run the shipped one
        choice, problem, place = Choice(), str(error), Place(builtin_bundle_path(kind), "shipped")
    used = place.path if kind != "faces" or config.detector.kind == "faces" else None
    if place.origin == "configured" and used:
        yield _loaded(Entry(kind, used.name, "", used, "configured", in_use=True), keys)
    shipped = place.path if place.origin == "shipped" else builtin_bundle_path(kind)
    entry = _loaded(Entry(kind, kind, "", shipped, "shipped", in_use=used == shipped), None)
    yield _marked(replace(entry, problem=entry.problem or problem), SHIPPED, choice)
    for label in store.installed(kind) if store else []:
        path = store.folder(kind, label) if store else Path()
        name, version = split_label(label) or (label, "")
        entry = _loaded(Entry(kind, name, version, path, "installed", in_use=used == path), keys, label)
        yield _marked(entry, label, choice)


def _place_of(kind: ModelKind, config: Config) -> Place:
    return place_of_faces(config.detector, config.models) if kind == "faces" else place_of(kind, config.models)


def _marked(entry: Entry, label: str, choice: Choice) -> Entry:
    return replace(entry, active=choice.active == label, previous=choice.previous == label)


def _loaded(entry: Entry, keys: TrustedKeys | None, label: str | None = None) -> Entry:
    """Fill in what the bundle says of itself, or why it cannot be loaded."""
    try:
        bundle = load_bundle(entry.path, kind=entry.kind, keys=keys)
        if label is not None:
            require_label(bundle, label)
    except ModelError as error:
        return replace(entry, problem=str(error))
    manifest = bundle.manifest
    return replace(entry, name=manifest.name, version=manifest.version, sha256=bundle.model_sha256)
