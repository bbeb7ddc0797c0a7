"""Stores and bundles for tests, and nets that need no proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_runtime.bundle import load_bundle
from edge_runtime.model_store.changes import Changer
from edge_runtime.model_store.layout import ModelStore
from edge_runtime.settings import Models
from edge_runtime.signature import TrustedKeys
from tests.model_store.signing import Signer
from tests.tiny_bundles import emotion_bundle, write_zip

TINY = "tiny-emotion"


def believed(_folders: Sequence[Path]) -> Mapping[Path, str]:
    """Find nothing wrong, without a child process: for tests that are about something else."""
    return {}


def doubted(folders: Sequence[Path]) -> Mapping[Path, str]:
    """Find everything wrong."""
    return dict.fromkeys(folders, "answers otherwise than recorded")


def changer(root: Path, *, keys: TrustedKeys | None = None) -> Changer:
    """Make one that believes every net."""
    return Changer(ModelStore(root), keys, prove=believed)


def emodel(folder: Path, version: str, *, signer: Signer | None = None) -> Path:
    """Write a tiny emotion bundle of a version."""
    files = emotion_bundle(version=version).files()
    folder.mkdir(parents=True, exist_ok=True)
    return write_zip(folder / f"{TINY}-{version}.emodel", signer.signed(files) if signer else files)


def in_use(root: Path) -> str:
    """Say which emotion bundle `run` would use; it must load."""
    from edge_runtime.model_store.opening import load_chosen, place_of

    models = Models(store=str(root))
    manifest = load_chosen("emotion", place_of("emotion", models), models).manifest
    return f"{manifest.name}-{manifest.version}"


def is_whole(folder: Path) -> bool:
    """Whether every file of a bundle folder matches its digest."""
    return bool(load_bundle(folder).files)
