"""The store's folder: unpacked bundles, one small file per kind that says which is active, and nothing half done.

    KIND/NAME-VERSION/     a bundle, never changed after it was put there
    KIND/active.json       the active and the previous bundle of a kind
    staging/               what is being written; whatever a power cut leaves here is removed by the next change
    lock                   held by the one process that changes something

Active and previous stand in one file and not in two links, because they change together: one rename changes both.
A rename replaces a name at once or not at all, and only after everything it leads to was flushed to the disk.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from edge_runtime.contract import ModelKind
from edge_runtime.errors import EdgeRuntimeError, StoreError
from edge_runtime.model_store.versions import Precedence, precedence, split_label

SHIPPED: Final = "shipped"
"""Stands for the bundle that came with the program, in the place of a NAME-VERSION."""

_CHOICE_FILE = "active.json"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Contents of active.json: which bundles of a kind are in use."""

    active: str = SHIPPED
    """NAME-VERSION, or shipped."""
    previous: str | None = None
    """What was active before, for a rollback; None = there is none."""


class ModelStore:
    """Reads need no lock; changes are made inside `with store.locked():`."""

    def __init__(self, root: Path) -> None:
        """Touch nothing yet; the folder need not exist."""
        self.root = root

    def choice(self, kind: ModelKind) -> Choice:
        """Read which bundles of a kind are in use; a store that is not there uses the shipped one.

        Raises:
            StoreError: active.json is damaged or cannot be read.
        """
        path = self.root / kind / _CHOICE_FILE
        try:
            choice = msgspec.json.decode(path.read_bytes(), type=Choice)
        except (FileNotFoundError, NotADirectoryError):
            return Choice()
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}; who may read it? see docs/models.md") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(f"{path}: damaged ({error}); {_remedy_for(kind)}") from error
        for label in (choice.active, choice.previous):
            if label not in {SHIPPED, None} and split_label(str(label)) is None:
                raise StoreError(f"{path}: {label!r} is no NAME-VERSION; {_remedy_for(kind)}")
        return choice

    def folder(self, kind: ModelKind, label: str) -> Path:
        """Place of an installed bundle."""
        return self.root / kind / label

    def installed(self, kind: ModelKind) -> list[str]:
        """NAME-VERSION of every installed bundle of a kind, by name, then from the lowest version to the highest."""
        try:
            names = [entry.name for entry in (self.root / kind).iterdir() if entry.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreError(f"{self.root / kind}: {error.strerror}; who may read it? see docs/models.md") from error
        return sorted(filter(split_label, names), key=_sort_key)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the only right to change the store; leftovers of a change that was cut short are removed.

        Raises:
            StoreError: another process holds it, or the folder cannot be written.
        """
        self._refuse_foreign_root()
        try:
            _make_folder(self.root)
            lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._take(lock)
                self._clean()
                yield
                self._clean()
            finally:
                os.close(lock)
        except EdgeRuntimeError:  # some are an OSError too
            raise
        except OSError as error:
            raise StoreError(
                f"{error.filename or self.root}: {error.strerror}; the store must be writable for this user: "
                f"run it as the service's user, or choose another folder in models.store"
            ) from error

    def stage(self, label: str, files: Mapping[str, bytes]) -> Path:
        """Write a bundle to the staging folder, down to the disk."""
        folder = self._staging / label
        folder.mkdir()
        for name, content in files.items():
            _write(folder / name, content)
        _sync_folder(folder)
        return folder

    def adopt(self, staged: Path, kind: ModelKind) -> Path:
        """Give a staged bundle its place; one that is there already is put away."""
        place = self.folder(kind, staged.name)
        _make_folder(place.parent)
        if place.exists():
            place.rename(self._staging / f"{staged.name}.old")
        staged.rename(place)
        _sync_folder(place.parent)
        return place

    def choose(self, kind: ModelKind, choice: Choice) -> None:
        """Change active and previous at one instant."""
        path = self.root / kind / _CHOICE_FILE
        _make_folder(path.parent)
        staged = self._staging / f"{kind}.json"
        _write(staged, msgspec.json.encode(choice) + b"\n")
        staged.replace(path)
        _sync_folder(path.parent)

    @property
    def _staging(self) -> Path:
        return self.root / "staging"

    def _clean(self) -> None:
        if self._staging.is_symlink():
            self._staging.unlink()
        if self._staging.exists():
            shutil.rmtree(self._staging)
        self._staging.mkdir()

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(
                f"{self.root}: another process is changing the store; try again when it is done"
            ) from error

    def _refuse_foreign_root(self) -> None:
        """What root writes into the service's folder, the service could neither replace nor roll back."""
        place = next(place for place in (self.root, *self.root.absolute().parents) if place.exists())
        owner = place.stat().st_uid
        if os.geteuid() == 0 and owner != 0:
            raise StoreError(
                f"{place}: belongs to {_user_name(owner)} and this is root, whose files the service could not change; "
                f"put `sudo -u {_user_name(owner)}` before the command"
            )


def _sort_key(label: str) -> tuple[str, Precedence, str]:
    name, version = split_label(label) or (label, "0.0.0")
    return name, precedence(version), label


def _remedy_for(kind: str) -> str:
    return f"name one with `emotion-edge model activate`; until then the shipped {kind} model can be used"


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def _make_folder(path: Path) -> None:
    if path.is_dir():
        return
    _make_folder(path.parent)
    path.mkdir(exist_ok=True)
    _sync_folder(path.parent)


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """A name in a folder is on the disk only when the folder was flushed too."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
