"""Which intact bundles are refused because they do not fit this runtime, and what the refusal says."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.bundle import LABELS_FILE, MANIFEST_FILE, load_bundle
from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.errors import ContractError
from tests.tiny_bundles import TinyBundle, emotion_bundle, keypoint_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a right emotion bundle."""
    return emotion_bundle().write_folder(tmp_path / "bundle")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"schema": "emotion-edge.model/2"}, r"schema is emotion-edge\.model/2, but .* expects emotion-edge\.model/1"),
    ({"input": {"shape": [1, 48, 48, 1]}}, r"input\.shape is \(1, 48, 48, 1\), but .* expects \(1, 96, 96, 1\)"),
    ({"input": {"shape": [1, 96, 96, 3]}}, r"input\.shape is \(1, 96, 96, 3\), but .* expects \(1, 96, 96, 1\)"),
    (
        {"labels": [*EMOTION_LABELS[:3], "surprise", "happy"]},
        r"labels is \('angry', 'disgust', 'sad', 'surprise', 'happy'\), but .* expects .* 'happy', 'surprise'\)",
    ),
    (
        {"output": {"shape": [1, 5], "names": [*EMOTION_LABELS[1:], "angry"]}},
        r"output\.names \(without none\) is \('disgust', .*, but .* expects \('angry', .*",
    ),
    (
        {"output": {"shape": [1, 7], "names": [*EMOTION_LABELS, "none"]}},
        r"output\.shape is \(1, 7\), but .* expects \(1, 6\)",
    ),
]


@pytest.mark.parametrize(("change", "said"), REFUSED)
def test_an_emotion_bundle_off_the_contract_is_refused(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = emotion_bundle(**change).write_folder(tmp_path / "bundle")

    with pytest.raises(ContractError, match=rf"bundle: {said}; export the model again with `emotion-convert export`"):
        load_bundle(path)


def test_a_keypoints_bundle_with_another_number_of_points_is_refused(tmp_path: Path) -> None:
    path = keypoint_bundle(output={"shape": [1, 136]}).write_folder(tmp_path / "bundle")

    with pytest.raises(ContractError, match=r"output\.shape is \(1, 136\), but this runtime expects \(1, 30\)"):
        load_bundle(path)


@pytest.mark.parametrize("position", range(6))
def test_the_output_for_none_may_stand_anywhere(position: int, tmp_path: Path) -> None:
    names = [*EMOTION_LABELS[:position], "none", *EMOTION_LABELS[position:]]

    path = emotion_bundle(output={"shape": [1, 6], "names": names}).write_folder(tmp_path / "bundle")

    assert load_bundle(path).manifest.output.names == tuple(names)


def test_a_label_file_that_disagrees_is_refused(tmp_path: Path) -> None:
    wrong = dataclasses.replace(emotion_bundle(), labels=("angry", "disgust", "fear", "happy", "surprise"))

    with pytest.raises(ContractError, match=r"labels\.txt is \('angry', 'disgust', 'fear', .* expects .* 'sad'"):
        load_bundle(wrong.write_folder(tmp_path / "bundle"))


def test_a_bundle_of_another_kind_is_refused(folder: Path, tmp_path: Path) -> None:
    other = keypoint_bundle().write_folder(tmp_path / "keypoints")

    with pytest.raises(ContractError, match="kind is emotion, but this runtime expects keypoints"):
        load_bundle(folder, kind="keypoints")
    with pytest.raises(ContractError, match="kind is keypoints, but this runtime expects emotion"):
        load_bundle(other, kind="emotion")
    assert load_bundle(other).manifest.kind == "keypoints"


@pytest.mark.parametrize("version", ["99.0.0", "0.1000.0"])
def test_a_bundle_for_a_newer_runtime_says_so(version: str, tmp_path: Path) -> None:
    path = emotion_bundle(min_runtime_version=version).write_folder(tmp_path / "bundle")

    with pytest.raises(ContractError, match=rf"needs emotion-edge >= {version}, this is .*; upgrade the runtime"):
        load_bundle(path)


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"kind": "animals"}, r"Invalid enum value 'animals' - at `\$\.kind`"),
    ({"name": "Bad Name"}, r"\$\.name"),
    ({"version": "1"}, r"\$\.version"),
    ({"policy": {"temperature": 0}}, r"\$\.policy\.temperature"),
    ({"policy": {"enter": 1.5}}, r"\$\.policy\.enter"),
    ({"input": {"shape": [96, 96]}}, r"\$\.input\.shape"),
    ({"quantization": {}}, r"`mode`"),
]


@pytest.mark.parametrize(("change", "said"), MALFORMED)
def test_a_manifest_with_wrong_values_names_the_key(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = emotion_bundle(**change).write_folder(tmp_path / "bundle")

    with pytest.raises(ContractError, match=rf"manifest\.json: .*{said}"):
        load_bundle(path)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b'{"kind": "\xff"}'])
def test_a_manifest_that_is_no_json_object_is_refused(text: bytes, tmp_path: Path) -> None:
    path = changed(emotion_bundle(), {MANIFEST_FILE: text}).write_folder(tmp_path / "bundle")

    with pytest.raises(ContractError, match=r"manifest\.json: "):
        load_bundle(path)


def test_keys_of_a_later_runtime_are_ignored(tmp_path: Path) -> None:
    path = emotion_bundle(colour_of_the_box="blue").write_folder(tmp_path / "bundle")

    assert load_bundle(path).manifest.name == "tiny-emotion"


def test_labels_may_end_with_or_without_a_line_break(tmp_path: Path) -> None:
    plain = changed(emotion_bundle(), {LABELS_FILE: "\n".join(EMOTION_LABELS).encode()})

    assert load_bundle(plain.write_folder(tmp_path / "bundle")).manifest.labels == EMOTION_LABELS


def changed(bundle: TinyBundle, files: dict[str, bytes]) -> TinyBundle:
    """Put files in the place of right ones; their digests are right."""
    return dataclasses.replace(bundle, changed=files)
