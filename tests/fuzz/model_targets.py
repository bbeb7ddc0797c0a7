"""Model bundles: a zip with anything in it, and right bundles of which one file is anything and is listed as such."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from edge_runtime.bundle import GOLDEN_FILE, LABELS_FILE, MANIFEST_FILE, SUMS_FILE, load_bundle
from edge_runtime.errors import EdgeRuntimeError
from tests.fuzz.target import Target
from tests.tiny_bundles import emotion_bundle, sums

_ZIP = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"\xff\xff\xff\xff", b"\x00\x00", b"../", b"/etc/x")
_JSON = (b'"', b"[", b"]", b"{", b"}", b",", b":", b"null", b"1e999", b"-1", b"\\ud800", b"\xff", b"99999999999")
_NPY = (
    b"\x93NUMPY",
    b"'shape': (",
    b"'descr': '|O'",
    b"'descr': '<f8'",
    b"9999999999999",
    b"PK\x01\x02",
    b"PK\x05\x06",
)


@cache
def _whole() -> dict[str, bytes]:
    return emotion_bundle().files()


def _zip(data: bytes, folder: Path) -> None:
    path = folder / "tiny.emodel"
    path.write_bytes(data)
    load_bundle(path).golden()


def _with(changed: dict[str, bytes], folder: Path) -> None:
    """Load a bundle folder of which some files were changed, whoever listed their digests."""
    path = folder / "tiny"
    path.mkdir()
    for name, content in (_whole() | changed).items():
        (path / name).write_bytes(content)
    load_bundle(path).golden()


def _listed(name: str, data: bytes, folder: Path) -> None:
    files = {key: content for key, content in _whole().items() if key != SUMS_FILE} | {name: data}
    _with({name: data, SUMS_FILE: sums(files)}, folder)


MODEL_TARGETS = (
    Target("bundle_zip", _zip, EdgeRuntimeError, "tiny.emodel", _ZIP),
    Target("bundle_sums", lambda data, folder: _with({SUMS_FILE: data}, folder), EdgeRuntimeError, "tiny"),
    Target(
        "bundle_manifest", lambda data, folder: _listed(MANIFEST_FILE, data, folder), EdgeRuntimeError, "tiny", _JSON
    ),
    Target("bundle_labels", lambda data, folder: _listed(LABELS_FILE, data, folder), EdgeRuntimeError, "tiny"),
    Target("bundle_golden", lambda data, folder: _listed(GOLDEN_FILE, data, folder), EdgeRuntimeError, "tiny", _NPY),
)
