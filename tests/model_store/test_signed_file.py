"""A model that is a single file and no bundle: signed by a trusted key as well, where one is configured."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="cryptography is missing: pip install -e '.[signing]'")

from edge_runtime.errors import DetectorError, SignatureError
from edge_runtime.settings import Detector, Models
from edge_runtime.wiring import open_detector
from tests.model_store.signing import Signer

CONTENT = b"no YuNet at all"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "yunet.onnx"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    signer = Signer()
    signer.write_public_key(tmp_path / "key.pub")
    return signer


def load(model: Path) -> None:
    models = Models(public_key_file=str(model.with_name("key.pub")))
    open_detector(Detector(kind="yunet", model=str(model)), models)


@pytest.mark.usefixtures("signer")
def test_a_file_without_a_signature_is_refused_unread(model: Path) -> None:
    with pytest.raises(SignatureError, match=r"yunet\.onnx\.minisig: No such file.*minisign -Sm yunet\.onnx"):
        load(model)


def test_a_file_with_the_signature_of_another_is_refused_unread(model: Path, signer: Signer) -> None:
    model.with_name("yunet.onnx.minisig").write_bytes(signer.sign(b"another"))

    with pytest.raises(SignatureError, match="the signature is of other content"):
        load(model)


def test_a_signed_file_is_read(model: Path, signer: Signer) -> None:
    model.with_name("yunet.onnx.minisig").write_bytes(signer.sign(CONTENT))

    with pytest.raises(DetectorError, match="YuNet"):
        load(model)


@pytest.mark.usefixtures("signer")
def test_no_file_at_all_is_told_by_the_detector(tmp_path: Path) -> None:
    with pytest.raises(DetectorError):
        open_detector(Detector(kind="yunet"), Models(public_key_file=str(tmp_path / "key.pub")))
