"""Which bundles are refused, and what the refusal says."""

from __future__ import annotations

import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.bundle import (
    GOLDEN_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    REQUIRED_FILES,
    SUMS_FILE,
    Bundle,
    builtin_bundle_path,
    load_bundle,
    verify_digests,
)
from edge_runtime.contract import SHIPPED_KINDS, ModelKind
from edge_runtime.errors import BundleError, ModelError
from edge_runtime.interpreter import open_interpreter
from edge_runtime.manifest import Manifest
from edge_runtime.quantization import quantize_pixels
from tests.source_tree import ROOT
from tests.tiny_bundles import emotion_bundle, flipped, sums, write_zip

FILES = sorted(emotion_bundle().files())
WHOLE = emotion_bundle().files()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a right emotion bundle."""
    return emotion_bundle().write_folder(tmp_path / "bundle")


def test_a_right_bundle_loads_from_a_folder_and_from_a_zip(folder: Path, tmp_path: Path) -> None:
    zipped = emotion_bundle().write_zip(tmp_path / "tiny.emodel")

    from_folder, from_zip = load_bundle(folder, kind="emotion"), load_bundle(zipped, kind="emotion")

    assert from_folder.files == from_zip.files == WHOLE
    assert from_folder.manifest == from_zip.manifest
    assert from_folder.manifest.policy.temperature == 2.0
    assert from_folder.model == WHOLE[MODEL_FILE]
    assert f"{from_folder.model_sha256}  {MODEL_FILE}" in WHOLE[SUMS_FILE].decode().splitlines()


def test_the_golden_answers_are_those_of_the_model(folder: Path) -> None:
    bundle = load_bundle(folder)
    interpreter = open_interpreter(bundle.model, reference_kernels=True)

    golden = bundle.golden()

    for picture, expected in zip(golden["inputs"], golden["output_0"], strict=True):
        (answer,) = interpreter.invoke(quantize_pixels(np.asarray(picture, np.uint8)))
        assert answer[0].tolist() == expected.tolist()


def test_a_bundle_without_golden_answers_has_none() -> None:
    files = {name: content for name, content in WHOLE.items() if name != GOLDEN_FILE}

    bundle = Bundle(Path("tiny"), msgspec.json.decode(files[MANIFEST_FILE], type=Manifest), files)

    assert bundle.golden() == {}


@pytest.mark.parametrize("kind", SHIPPED_KINDS)
def test_shipped_bundles_are_right(kind: ModelKind) -> None:
    bundle = load_bundle(builtin_bundle_path(kind), kind=kind)

    assert bundle.manifest.kind == kind
    assert 0 < bundle.manifest.policy.exit <= bundle.manifest.policy.enter < 1


@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_in_any_file_is_refused(folder: Path, name: str, place: float) -> None:
    content = WHOLE[name]
    # The last byte of SHA256SUMS is the line's end: the one before it is the first that means something.
    last = len(content) - (2 if name == SUMS_FILE else 1)
    (folder / name).write_bytes(flipped(content, round(place * last), bit=3))

    with pytest.raises(BundleError) as refused:
        load_bundle(folder)

    assert str(folder) in str(refused.value)
    assert "copy the bundle again" in str(refused.value)
    if name != SUMS_FILE:
        assert f"{name}: damaged: digest" in str(refused.value)


@settings(max_examples=60)
@given(st.data())
def test_no_single_bit_of_any_digested_file_may_change(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([name for name in FILES if name != SUMS_FILE]))
    position = data.draw(st.integers(0, len(WHOLE[name]) - 1))
    damaged = WHOLE | {name: flipped(WHOLE[name], position, data.draw(st.integers(0, 7)))}

    with pytest.raises(BundleError, match=rf"tiny/{name}: damaged"):
        verify_digests(damaged, Path("tiny"))


@settings(max_examples=100)
@given(st.integers(0, len(WHOLE[SUMS_FILE]) - 1), st.integers(0, 7))
def test_damaged_sums_never_let_another_model_through(position: int, bit: int) -> None:
    # A line's end that became another kind of line's end changes nothing; everything else is refused.
    damaged = WHOLE | {SUMS_FILE: flipped(WHOLE[SUMS_FILE], position, bit)}
    same_lines = damaged[SUMS_FILE].decode("ascii", "replace").splitlines() == WHOLE[SUMS_FILE].decode().splitlines()

    if same_lines:
        verify_digests(damaged, Path("tiny"))
    else:
        with pytest.raises(BundleError):
            verify_digests(damaged, Path("tiny"))


def test_a_damaged_model_never_reaches_an_interpreter(folder: Path) -> None:
    (folder / MODEL_FILE).write_bytes(flipped(WHOLE[MODEL_FILE], len(WHOLE[MODEL_FILE]) // 2))
    program = (
        "import sys\n"
        "from edge_runtime.__main__ import main\n"
        f"code = main(['model', 'verify', {str(folder)!r}])\n"
        "print(code, [name for name in sys.modules if name.startswith(('ai_edge_litert', 'tflite_runtime'))])\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.strip() == "5 []"
    assert f"{folder}/{MODEL_FILE}: damaged: digest" in done.stderr


@pytest.mark.parametrize("name", REQUIRED_FILES)
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    files = {key: content for key, content in WHOLE.items() if key not in {name, SUMS_FILE}}
    path = write_zip(tmp_path / "tiny.emodel", files | {SUMS_FILE: sums(files)})

    with pytest.raises(BundleError, match=rf"tiny\.emodel: incomplete bundle, no {name}; make it with"):
        load_bundle(path)


def test_a_listed_file_that_is_not_there_is_named(folder: Path) -> None:
    (folder / GOLDEN_FILE).unlink()

    with pytest.raises(BundleError, match=r"golden\.npz is listed in SHA256SUMS but missing; copy"):
        load_bundle(folder)


def test_a_file_that_is_not_listed_is_refused(folder: Path) -> None:
    (folder / "extra.bin").write_bytes(b"who put this here")

    with pytest.raises(BundleError, match=r"extra\.bin: damaged: digest [0-9a-f]{12}\.\.\., expected none"):
        load_bundle(folder)


def test_a_signature_of_the_sums_need_not_be_listed(folder: Path) -> None:
    (folder / f"{SUMS_FILE}.minisig").write_text("untrusted comment: signature\n")

    assert load_bundle(folder).manifest.name == "tiny-emotion"


def test_a_bundle_without_sums_is_refused(folder: Path) -> None:
    (folder / SUMS_FILE).unlink()

    with pytest.raises(BundleError, match="no SHA256SUMS, so nothing proves the model is intact; export it again"):
        load_bundle(folder)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"nowhere: cannot read the model bundle \(No such file or directory\)"):
        load_bundle(tmp_path / "nowhere")


def test_a_file_too_large_for_a_bundle_is_refused_by_its_size(folder: Path) -> None:
    with (folder / "huge.bin").open("wb") as huge:
        huge.truncate(64 * 1024 * 1024 + 1)  # a hole: takes no room on the disk

    with pytest.raises(BundleError, match=r"huge\.bin: 67108865 bytes, expected at most 67108864"):
        load_bundle(folder)


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all", b"PK\x05\x06" + bytes(17)])
def test_a_file_that_is_no_zip_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "tiny.emodel"
    path.write_bytes(content)

    with pytest.raises(BundleError, match=r"tiny\.emodel: neither a bundle folder nor an \.emodel file"):
        load_bundle(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_zip_never_gives_another_bundle(
    compression: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write_zip(tmp_path_factory.mktemp("zip") / "tiny.emodel", WHOLE, compression)
    whole = path.read_bytes()
    if data.draw(st.booleans(), label="cut"):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        damaged = flipped(whole, data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7)))
    path.write_bytes(damaged)

    try:
        found = load_bundle(path)
    except ModelError as error:
        assert str(path) in str(error)  # noqa: PT017  either way is right, but nothing else
    else:
        assert found.files == WHOLE  # the bit meant nothing: a date, a permission


@pytest.mark.parametrize("name", ["../model.tflite", "/etc/passwd", "a/b.txt", "folder/"])
def test_a_zip_with_a_path_in_it_is_refused(name: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "tiny.emodel", WHOLE | {name: b""})

    with pytest.raises(BundleError, match=rf"unexpected entry {name}; make it with `emotion-convert export`"):
        load_bundle(path)

    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_in_an_uncommon_way_is_refused(compression: int, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "tiny.emodel", WHOLE, compression)

    with pytest.raises(BundleError, match=r"unexpected entry model\.tflite"):
        load_bundle(path)


def test_a_zip_entry_that_claims_to_be_huge_is_refused_unread(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.emodel", WHOLE | {"bomb": bytes(64 * 1024 * 1024 + 1)}, zipfile.ZIP_DEFLATED)

    assert path.stat().st_size < 200_000
    with pytest.raises(BundleError, match="unexpected entry bomb"):
        load_bundle(path)


def test_a_zip_entry_that_unpacks_to_more_than_it_claims_takes_no_memory(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.emodel", {MODEL_FILE: bytes(100_000_000)}, zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.rfind(b"PK\x01\x02") + 24, 1000)  # the size in the directory at the end
    path.write_bytes(content)

    tracemalloc.start()
    try:
        with pytest.raises(BundleError, match="neither a bundle folder nor an"):
            load_bundle(path)
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most_bytes < 2_000_000
