"""Wrong, broken and malicious nets meet a child process; this one goes on."""

from __future__ import annotations

import io
import os
import re
import signal
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.bundle import GOLDEN_FILE, MODEL_FILE, load_bundle
from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.errors import BundleError
from edge_runtime.model_store.proof import prove, prove_bundle
from tests.tiny_bundles import TinyBundle, emotion_bundle, flipped, keypoint_bundle
from tests.tiny_tflite import TinyModel

RIGHT = emotion_bundle().files()


def with_files(**changed: bytes) -> TinyBundle:
    """Make an emotion bundle with other contents and sums that are right for them: digests do not help."""
    names = {"model": MODEL_FILE, "golden": GOLDEN_FILE}
    return replace(emotion_bundle(), changed={names[name]: content for name, content in changed.items()})


def golden(side: int) -> bytes:
    """Record one black picture of a size and zeros as its answer."""
    target = io.BytesIO()
    np.savez(target, inputs=np.zeros((1, side, side), np.uint8), output_0=np.zeros((1, 5), np.int8))
    return target.getvalue()


def empty_golden() -> bytes:
    """Record nothing of use."""
    target = io.BytesIO()
    np.savez(target, other=np.zeros(1))
    return target.getvalue()


def lying_golden() -> bytes:
    """Write recorded inputs whose header claims two gigabytes."""
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (226000, 96, 96), }".ljust(117) + b"\n"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in ("inputs.npy", "output_0.npy"):
            archive.writestr(name, b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    return target.getvalue()


FOUR_OUTPUTS = TinyModel(weights=np.ones((4, 4), np.int8)).to_bytes()
SIX_OUTPUTS = TinyModel(weights=np.ones((6, 4), np.int8)).to_bytes()
WRONG: dict[str, tuple[TinyBundle, str]] = {
    "not a net": (with_files(model=b"not a net at all"), "no TFLite interpreter: ai-edge-litert: "),
    "empty": (with_files(model=b""), "no TFLite interpreter: ai-edge-litert: "),
    "truncated": (with_files(model=RIGHT[MODEL_FILE][:-200]), "its net|no TFLite interpreter|the self-test ended"),
    "the net of another kind": (
        with_files(model=keypoint_bundle().files()[MODEL_FILE]),
        r"model\.tflite has input and output .*\(1, 30\).*, its manifest says .*\(1, 5\).*; export the model again",
    ),
    "fewer outputs": (with_files(model=FOUR_OUTPUTS), r"model\.tflite has input and output .*\(1, 4\)"),
    "floats": (with_files(model=TinyModel(dtype="FLOAT32").to_bytes()), "is float32, expected int8; quantize"),
    "another scale": (with_files(model=TinyModel(input_scale=0.5).to_bytes()), "expected batch 1, scale 1/255"),
    "more outputs, and a manifest that says so": (
        replace(
            emotion_bundle(output={"shape": [1, 6], "names": [*EMOTION_LABELS, "none"]}),
            changed={MODEL_FILE: SIX_OUTPUTS},
        ),
        r"golden\.npz has answers of \[\(5,\)\], the net gives \[\(6,\)\]; export the model again",
    ),
    "other answers than recorded": (
        with_files(model=TinyModel(weights=np.full((5, 4), 60, np.int8)).to_bytes()),
        r"is \d+ steps off the recorded answers, expected at most 5; ",
    ),
    "no recorded answers": (with_files(golden=empty_golden()), r"no golden\.npz with recorded answers; export it"),
    "recorded answers that are none": (with_files(golden=b"PK no zip"), r"golden\.npz: not the arrays of a self-test"),
    "inputs of another size": (
        with_files(golden=golden(48)),
        r"expected \(1, 96, 96, 1\) int8, found \(1, 48, 48, 1\)",
    ),
}


def test_right_nets_pass_and_each_wrong_one_is_named_in_one_call(tmp_path: Path) -> None:
    good = [emotion_bundle().write_folder(tmp_path / "e"), keypoint_bundle().write_folder(tmp_path / "k")]
    wrong = {name: bundle.write_folder(tmp_path / name) for name, (bundle, _) in WRONG.items()}
    for folder in wrong.values():
        load_bundle(folder)  # digests, manifest and contract see nothing wrong

    problems = prove([good[0], *wrong.values(), good[1]])

    assert set(problems) == set(wrong.values())
    for name, (_, told) in WRONG.items():
        assert re.search(told, problems[wrong[name]]), f"{name}: {problems[wrong[name]]}"


def test_single_bits_with_right_digests_never_hurt_this_process(tmp_path: Path) -> None:
    model = RIGHT[MODEL_FILE]
    places = [round(place * (len(model) - 1) / 11) for place in range(12)]
    folders = [
        with_files(model=flipped(model, place, bit=place % 8)).write_folder(tmp_path / str(place)) for place in places
    ]

    problems = prove(folders)

    assert set(problems) <= set(folders)
    assert all(problems.values())


def test_recorded_inputs_that_claim_much_memory_do_not_get_it(tmp_path: Path) -> None:
    folder = with_files(golden=lying_golden()).write_folder(tmp_path / "b")

    (problem,) = prove([folder]).values()

    assert "Unable to allocate 1.94 GiB" in problem


def children() -> list[int]:
    """Process numbers of this thread's children."""
    return [int(word) for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def signalled(number: signal.Signals) -> Callable[[], None]:
    """Send each new child a signal."""
    before = set(children())

    def send() -> None:
        for child in set(children()) - before:
            os.kill(child, number)

    return send


def test_a_net_that_kills_the_process_is_told_by_its_signal(tmp_path: Path) -> None:
    folder = emotion_bundle().write_folder(tmp_path / "b")

    problems = prove([folder], alive=signalled(signal.SIGSEGV))

    assert problems == {folder: "its net ended the self-test's process with SIGSEGV"}


def test_a_net_that_hangs_is_ended(tmp_path: Path) -> None:
    folder = emotion_bundle().write_folder(tmp_path / "b")

    problems = prove([folder], alive=signalled(signal.SIGSTOP), time_limit_s=0.5)

    assert problems == {folder: "its self-test took longer than 0.5 s"}


def test_a_bundle_in_a_zip_is_proven_and_called_by_its_own_name(tmp_path: Path) -> None:
    good = load_bundle(emotion_bundle().write_zip(tmp_path / "good.emodel"))
    bad = load_bundle(WRONG["fewer outputs"][0].write_zip(tmp_path / "bad.emodel"))

    prove_bundle(good)

    with pytest.raises(BundleError, match=rf"^{bad.path}: refused by its self-test: {bad.path}: model\.tflite has"):
        prove_bundle(bad)
