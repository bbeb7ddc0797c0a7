"""A model bundle: a folder or one stored zip, verified before anything reads the model."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_runtime._version import __version__
from edge_runtime.contract import EMOTION_LABELS, INPUT_SIZE_PX, KEYPOINT_COUNT, MANIFEST_SCHEMA, NONE_OUTPUT, ModelKind
from edge_runtime.errors import BundleError, ContractError, SignatureError
from edge_runtime.manifest import Manifest
from edge_runtime.signature import SIGNATURE_SUFFIX, TrustedKeys, verify_signature

MODEL_FILE: Final = "model.tflite"
EDGETPU_FILE: Final = "model_edgetpu.tflite"
COMPILED_MARK: Final = b"edgetpu-custom-op"
"""Name of the operator that the Edge TPU's compiler puts in the place of those it mapped: a net without it is not
compiled."""
MANIFEST_FILE: Final = "manifest.json"
GOLDEN_FILE: Final = "golden.npz"
LABELS_FILE: Final = "labels.txt"
SUMS_FILE: Final = "SHA256SUMS"
ZIP_SUFFIX: Final = ".emodel"
REQUIRED_FILES: Final = (MODEL_FILE, MANIFEST_FILE, LABELS_FILE)

# A bundle is an input from outside: bound what it may claim.
_MAX_FILE_BYTES = 64 * 1024 * 1024
_MAX_FILES = 64
_MAX_BYTES = 2 * _MAX_FILE_BYTES
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

# What zipfile lets through when a zip is damaged: an entry's name or its packed bytes may be nonsense.
_ZIP_DAMAGE = (zipfile.BadZipFile, OSError, NotImplementedError, EOFError, RuntimeError, ValueError, zlib.error)


@dataclass(frozen=True)
class Bundle:
    """A verified bundle. Every file's digest matched SHA256SUMS."""

    path: Path
    """Where it came from."""
    manifest: Manifest
    files: dict[str, bytes]
    """Contents by file name."""

    @property
    def model(self) -> bytes:
        """The .tflite."""
        return self.files[MODEL_FILE]

    @property
    def model_sha256(self) -> str:
        """Hexadecimal digest of the .tflite."""
        return hashlib.sha256(self.model).hexdigest()

    def golden(self) -> dict[str, NDArray[np.generic]]:
        """Arrays of the self-test: `inputs` (N, h, w) uint8 and `output_0`... int8; empty when there are none."""
        if GOLDEN_FILE not in self.files:
            return {}
        # MemoryError: a header that claims more than there is. AttributeError, KeyError, TypeError: no zip of arrays.
        try:
            with np.load(io.BytesIO(self.files[GOLDEN_FILE]), allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except (*_ZIP_DAMAGE, MemoryError, AttributeError, KeyError, TypeError) as error:
            raise BundleError(
                f"{self.path}/{GOLDEN_FILE}: not the arrays of a self-test ({error}); export the model again"
            ) from error


def builtin_bundle_path(kind: ModelKind) -> Path:
    """Path of the shipped bundle of a kind."""
    return Path(str(resources.files("edge_runtime") / "assets" / kind))


def load_bundle(path: Path, *, kind: ModelKind | None = None, keys: TrustedKeys | None = None) -> Bundle:
    """Read and verify a bundle folder or .emodel file.

    Args:
        path: folder or zip.
        kind: refuse any other kind.
        keys: refuse what none of them has signed; None = signatures are not looked at.

    Raises:
        BundleError: missing, unreadable, incomplete or damaged.
        SignatureError: not signed with one of the keys.
        ContractError: intact, but not what this runtime expects.
    """
    # Not path.is_file(): it raises where a folder on the way may not be read.
    files = _read_zip(path) if os.path.isfile(path) else _read_folder(path)  # noqa: PTH113
    if keys is not None:
        _verify_signature(files, path, keys)
    verify_digests(files, path)
    missing = [name for name in REQUIRED_FILES if name not in files]
    if missing:
        raise BundleError(f"{path}: incomplete bundle, no {missing[0]}; make it with `emotion-convert export`")
    try:
        manifest = msgspec.json.decode(files[MANIFEST_FILE], type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"{path}/{MANIFEST_FILE}: {error}; make it with `emotion-convert export`") from error
    bundle = Bundle(path, manifest, files)
    check_contract(bundle, kind=kind)
    return bundle


def _verify_signature(files: dict[str, bytes], path: Path, keys: TrustedKeys) -> None:
    name = SUMS_FILE + SIGNATURE_SUFFIX
    if SUMS_FILE not in files or name not in files:
        raise SignatureError(
            f"{path}: not signed: no {SUMS_FILE} with a {name}, expected one by a key of {keys.where}; sign it with "
            f"`minisign -Sm {SUMS_FILE}`"
        )
    verify_signature(files[SUMS_FILE], files[name], keys, f"{path}/{name}")


def verify_digests(files: dict[str, bytes], path: Path) -> None:
    """Compare every file with SHA256SUMS; a file that is not listed is refused too."""
    if SUMS_FILE not in files:
        raise BundleError(f"{path}: no {SUMS_FILE}, so nothing proves the model is intact; export it again")
    listed = {}
    for line in files[SUMS_FILE].decode("ascii", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    for name, content in files.items():
        if name in {SUMS_FILE, SUMS_FILE + SIGNATURE_SUFFIX}:
            continue
        found = hashlib.sha256(content).hexdigest()
        if listed.get(name) != found:
            raise BundleError(
                f"{path}/{name}: damaged: digest {found[:12]}..., expected {listed.get(name, 'none')[:12]}...; "
                f"copy the bundle again"
            )
    for name in listed:
        if name not in files:
            raise BundleError(f"{path}: {name} is listed in {SUMS_FILE} but missing; copy the bundle again")


def check_contract(bundle: Bundle, *, kind: ModelKind | None) -> None:
    """Refuse a bundle whose manifest does not fit edge_runtime.contract."""
    manifest, path = bundle.manifest, bundle.path
    _expect(path, "schema", manifest.schema, MANIFEST_SCHEMA)
    if kind is not None:
        _expect(path, "kind", manifest.kind, kind)
    if _version_key(manifest.min_runtime_version) > _version_key(__version__):
        raise ContractError(
            f"{path}: needs emotion-edge >= {manifest.min_runtime_version}, this is {__version__}; upgrade the runtime"
        )
    if manifest.kind == "faces":
        return
    _expect(path, "input.shape", manifest.input.shape, (1, INPUT_SIZE_PX, INPUT_SIZE_PX, 1))
    if manifest.kind == "keypoints":
        _expect(path, "output.shape", manifest.output.shape, (1, 2 * KEYPOINT_COUNT))
        return
    _expect(path, "labels", manifest.labels, EMOTION_LABELS)
    written = tuple(bundle.files[LABELS_FILE].decode("utf-8", errors="replace").split())
    _expect(path, LABELS_FILE, written, EMOTION_LABELS)
    names = manifest.output.names
    _expect(path, "output.names (without none)", tuple(n for n in names if n != NONE_OUTPUT), EMOTION_LABELS)
    _expect(path, "output.shape", manifest.output.shape, (1, len(names)))


def _expect(path: Path, what: str, found: object, expected: object) -> None:
    if found != expected:
        raise ContractError(
            f"{path}: {what} is {found}, but this runtime expects {expected}; "
            f"export the model again with `emotion-convert export`"
        )


def _version_key(version: str) -> tuple[int, ...]:
    digits = version.split("-", maxsplit=1)[0].split("+", maxsplit=1)[0].split(".")
    return tuple(int(part) for part in digits if part.isdecimal())


def _read_folder(path: Path) -> dict[str, bytes]:
    try:
        entries = sorted(entry for entry in path.iterdir() if entry.is_file())
        _refuse_excess([entry.stat().st_size for entry in entries], path)
        return {entry.name: _read_bounded(entry) for entry in entries}
    except BundleError:  # is an OSError too
        raise
    except OSError as error:
        raise BundleError(f"{path}: cannot read the model bundle ({error.strerror}); check the path") from error


def _refuse_excess(sizes: list[int], path: Path) -> None:
    if len(sizes) > _MAX_FILES or sum(sizes) > _MAX_BYTES:
        raise BundleError(
            f"{path}: {len(sizes)} files of {sum(sizes)} bytes, expected at most {_MAX_FILES} of {_MAX_BYTES}; "
            f"this is no model bundle"
        )


def _read_bounded(path: Path) -> bytes:
    # Without waiting: a link may lead to a pipe, or to a file of the kernel that has nothing to say yet.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if status.st_size > _MAX_FILE_BYTES or not stat.S_ISREG(status.st_mode):
            raise BundleError(
                f"{path}: {status.st_size} bytes, expected at most {_MAX_FILE_BYTES}; this is no model bundle"
            )
        return file.read(status.st_size)


def _read_zip(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_excess([entry.file_size for entry in archive.infolist()], path)
            return {entry.filename: _read_entry(archive, entry, path) for entry in archive.infolist()}
    except BundleError:  # is an OSError too
        raise
    except _ZIP_DAMAGE as error:
        raise BundleError(f"{path}: neither a bundle folder nor an {ZIP_SUFFIX} file ({error})") from error


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> bytes:
    plain = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    named = _FILE_NAME.fullmatch(entry.filename) is not None
    if not plain or entry.file_size > _MAX_FILE_BYTES or not named:
        raise BundleError(f"{path}: unexpected entry {entry.filename}; make it with `emotion-convert export`")
    with archive.open(entry) as file:
        # Not read() without a size: it unpacks up to 2 GB at once, whatever size the entry claims to have.
        return file.read(entry.file_size)
