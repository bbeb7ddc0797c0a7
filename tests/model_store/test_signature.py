"""Which signatures are accepted, and what a refusal says."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.bundle import SUMS_FILE, load_bundle
from edge_runtime.errors import BundleError, ConfigError, SignatureError
from edge_runtime.signature import TrustedKeys, load_keys, verify_signature
from tests.model_store.signing import SIGNED_SUMS, Signer
from tests.source_tree import ROOT
from tests.tiny_bundles import emotion_bundle, flipped, write_zip

CONTENT = b"what was signed\n"
WHERE = "b/SHA256SUMS.minisig"
OURS = Signer()
RIGHT = OURS.sign(CONTENT)
needs_minisign = pytest.mark.skipif(
    shutil.which("minisign") is None, reason="minisign is missing: apt install minisign"
)


@pytest.fixture
def keys(tmp_path: Path) -> TrustedKeys:
    """Trust our key alone."""
    return OURS.trusted(tmp_path)


@pytest.mark.parametrize("prehashed", [True, False])
def test_both_forms_of_a_signature_are_accepted_and_tell_their_comment(keys: TrustedKeys, *, prehashed: bool) -> None:
    signature = OURS.sign(CONTENT, prehashed=prehashed, comment="für Gerät 7".encode())

    assert verify_signature(CONTENT, signature, keys, WHERE) == "für Gerät 7"


def test_line_ends_of_another_system_are_accepted(keys: TrustedKeys) -> None:
    assert verify_signature(CONTENT, RIGHT.replace(b"\n", b"\r\n"), keys, WHERE)


@needs_minisign
@pytest.mark.parametrize("form", [[], ["-l"]], ids=["prehashed", "legacy"])
def test_what_the_real_minisign_signs_is_accepted(form: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    for arguments in (["-G", "-W", "-p", "k.pub", "-s", "k.sec"], ["-S", *form, "-s", "k.sec", "-m", "file"]):
        subprocess.run(["minisign", *arguments], cwd=tmp_path, check=True, capture_output=True, timeout=30)  # noqa: S607
    signature = (tmp_path / "file.minisig").read_bytes()
    minisigns = load_keys(tmp_path / "k.pub")

    comment = verify_signature(CONTENT, signature, minisigns, WHERE)

    assert "file:file" in comment
    with pytest.raises(SignatureError, match="of other content"):
        verify_signature(CONTENT + b"x", signature, minisigns, WHERE)


@needs_minisign
@pytest.mark.parametrize("prehashed", [True, False])
def test_the_real_minisign_accepts_what_these_tests_sign_with(tmp_path: Path, *, prehashed: bool) -> None:
    OURS.write_public_key(tmp_path / "k.pub")
    (tmp_path / "file").write_bytes(CONTENT)
    (tmp_path / "file.minisig").write_bytes(OURS.sign(CONTENT, prehashed=prehashed))
    command = ["minisign", "-V", "-p", "k.pub", "-m", "file"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)

    assert (done.returncode, "verified" in done.stdout) == (0, True), done.stderr


def test_a_key_nobody_trusts_is_refused_by_its_number(keys: TrustedKeys) -> None:
    stranger = Signer(key_id=b"\xff\x00\x00\x00\x00\x00\x00\xaa")

    with pytest.raises(SignatureError) as refused:
        verify_signature(CONTENT, stranger.sign(CONTENT), keys, WHERE)

    assert str(refused.value).startswith(
        f"{WHERE}: signed with key AA000000000000FF, expected 807060504030201 of {keys.where}; sign it with that key"
    )


def test_a_stranger_with_the_number_of_our_key_is_refused(keys: TrustedKeys) -> None:
    stranger = Signer()

    with pytest.raises(SignatureError, match=rf"{WHERE}: the signature is of other content.*copy the bundle again"):
        verify_signature(CONTENT, stranger.sign(CONTENT), keys, WHERE)


def test_the_signature_of_another_file_is_refused(keys: TrustedKeys) -> None:
    with pytest.raises(SignatureError, match="of other content, expected one of the file beside it"):
        verify_signature(CONTENT, OURS.sign(b"another file"), keys, WHERE)


def test_a_changed_trusted_comment_is_refused(keys: TrustedKeys) -> None:
    changed = RIGHT.replace(b"timestamp:1", b"timestamp:9")

    with pytest.raises(SignatureError, match=r"the trusted comment .*timestamp:9.* is not the one that was signed"):
        verify_signature(CONTENT, changed, keys, WHERE)


def test_a_prehashed_signature_cannot_pass_for_a_legacy_one(keys: TrustedKeys) -> None:
    lines = RIGHT.split(b"\n")
    lines[1] = base64.b64encode(b"Ed" + base64.b64decode(lines[1])[2:])

    with pytest.raises(SignatureError, match="of other content"):
        verify_signature(CONTENT, b"\n".join(lines), keys, WHERE)


@pytest.mark.parametrize(
    "garbled",
    [
        b"",
        b"\n\n\n\n",
        RIGHT[: len(RIGHT) // 2],
        b"\n".join(RIGHT.split(b"\n")[:2]),
        RIGHT + b"one more line\n",
        RIGHT.replace(b"untrusted comment: ", b"comment: ", 1),
        RIGHT.replace(b"\ntrusted comment: ", b"\ncomment: "),
        base64.b64encode(RIGHT),
        bytes(range(256)) * 100,
    ],
    ids=range(9),
)
def test_what_is_no_signature_is_refused(keys: TrustedKeys, garbled: bytes) -> None:
    with pytest.raises(SignatureError, match=rf"{WHERE}: \d+ lines that are no minisign signature, expected 4"):
        verify_signature(CONTENT, garbled, keys, WHERE)


@settings(max_examples=60)
@given(st.integers(0, len(RIGHT) - 2), st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_meant_nothing(position: int, bit: int) -> None:
    keys = TrustedKeys("k.pub", {OURS.key_id: OURS.secret.public_key().public_bytes_raw()})
    first_line_ends = RIGHT.index(b"\n")

    try:
        verify_signature(CONTENT, flipped(RIGHT, position, bit), keys, WHERE)
    except SignatureError as error:
        assert WHERE in str(error)  # noqa: PT017  either way is right, but nothing else
    else:
        # The untrusted comment, and the bits that base64 pads with.
        padding = {at - 1 for at in range(len(RIGHT)) if RIGHT[at : at + 1] == b"="}
        assert position < first_line_ends or position in padding or RIGHT[position : position + 1] == b"="


def test_a_file_with_an_old_and_a_new_key_trusts_both(tmp_path: Path) -> None:
    old, new = Signer(key_id=b"old-key-"), Signer(key_id=b"new-key-")
    both = tmp_path / "both.pub"
    both.write_bytes(b"".join(one.write_public_key(tmp_path / "k").read_bytes() for one in (old, new)))

    keys = load_keys(both)

    assert verify_signature(CONTENT, old.sign(CONTENT), keys, WHERE)
    assert verify_signature(CONTENT, new.sign(CONTENT), keys, WHERE)


@pytest.mark.parametrize("content", [b"", b"untrusted comment: nothing else\n"])
def test_a_key_file_without_a_key_is_a_wrong_configuration(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "k.pub"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"k\.pub: no public key in it; expected the file that `minisign -G` writes"):
        load_keys(path)


def test_a_secret_key_in_the_place_of_a_public_one_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "k.sec"
    path.write_bytes(b"untrusted comment: minisign encrypted secret key\n" + base64.b64encode(bytes(158)) + b"\n")

    with pytest.raises(ConfigError, match=r"k\.sec:2: no minisign public key") as refused:
        load_keys(path)

    assert "AAAA" not in str(refused.value)


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.pub: cannot read the public key \(No such file or directory\)"):
        load_keys(tmp_path / "none.pub")


def test_without_the_library_the_remedy_is_told() -> None:
    program = (
        "import sys\n"
        "sys.modules['cryptography'] = None\n"
        "from edge_runtime.errors import ConfigError\n"
        "from edge_runtime.signature import TrustedKeys, verify_signature\n"
        f"keys = TrustedKeys('k.pub', {{{OURS.key_id!r}: bytes(32)}})\n"
        "try:\n"
        f"    verify_signature({CONTENT!r}, {RIGHT!r}, keys, 'x')\n"
        "except ConfigError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", program]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert "is missing: pip install 'emotion-edge[signing]'" in done.stdout, done.stderr


def test_a_signed_bundle_loads_from_a_folder_and_from_a_zip(tmp_path: Path, keys: TrustedKeys) -> None:
    files = OURS.signed(emotion_bundle().files())
    folder = emotion_bundle().write_folder(tmp_path / "b")
    (folder / SIGNED_SUMS).write_bytes(files[SIGNED_SUMS])

    assert load_bundle(folder, keys=keys).files == files
    assert load_bundle(write_zip(tmp_path / "b.emodel", files), keys=keys).files == files


def test_an_unsigned_bundle_is_refused_where_a_key_is_trusted(tmp_path: Path, keys: TrustedKeys) -> None:
    folder = emotion_bundle().write_folder(tmp_path / "b")

    with pytest.raises(
        SignatureError, match=rf"{folder}: not signed: .*expected one by a key of {keys.where}; sign it"
    ):
        load_bundle(folder, keys=keys)


def test_a_bundle_with_the_sums_and_the_signature_of_another_is_damaged(tmp_path: Path, keys: TrustedKeys) -> None:
    other = OURS.signed(emotion_bundle(version="9.9.9").files())
    mixed = emotion_bundle().files() | {name: other[name] for name in (SUMS_FILE, SIGNED_SUMS)}

    with pytest.raises(BundleError, match=r"manifest\.json: damaged: digest"):
        load_bundle(write_zip(tmp_path / "b.emodel", mixed), keys=keys)


def test_the_signature_is_looked_at_before_anything_else(tmp_path: Path, keys: TrustedKeys) -> None:
    nonsense = {SUMS_FILE: b"", SIGNED_SUMS: OURS.sign(b"another"), "manifest.json": b"{", "model.tflite": b"?"}

    with pytest.raises(SignatureError, match="of other content"):
        load_bundle(write_zip(tmp_path / "b.emodel", nonsense), keys=keys)
