"""Libraries that import and then do not work, found before the first net."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from edge_runtime.doctor import Finding, Software
from edge_runtime.doctor.elf import page_alignment
from edge_runtime.doctor.libraries import look
from tests.doctor.machines import LITERT, library, machine, only, put, software

TFLITE_RUNTIME = {"tflite-runtime": "2.14.0", "opencv-python-headless": "4.11.0.86"}
PIP = "/opt/emotion-edge/bin/pip"


def found(tmp_path: Path, subject: str, installed: Software) -> Finding:
    """Look at a healthy Pi 4 with these libraries."""
    return only(look(machine(tmp_path), installed), subject)


def test_what_this_process_runs_with_is_sound(tmp_path: Path) -> None:
    findings = look(machine(tmp_path), Software())

    assert {finding.state for finding in findings} == {"ok"}
    assert only(findings, "OpenCV").found.startswith(cv2.__version__)
    assert "ai-edge-litert" in only(findings, "interpreter").found


@pytest.mark.parametrize(
    ("numpy", "state", "remedy"),
    [("1.26.4", "ok", ""), ("2.0.0", "failed", f"{PIP} install 'numpy<2'")],
)
def test_tflite_runtime_needs_an_old_numpy(numpy: str, state: str, remedy: str, tmp_path: Path) -> None:
    pair = found(tmp_path, "interpreter", software(versions={**TFLITE_RUNTIME, "numpy": numpy}))

    assert (pair.state, pair.remedy) == (state, remedy)
    assert pair.exit_code == (5 if state == "failed" else 0)


@pytest.mark.parametrize(
    ("python", "is_64_bit", "remedy"),
    [
        ((3, 13), True, f"{PIP} install ai-edge-litert"),
        ((3, 11), False, f"{PIP} install 'emotion-edge[tflite-runtime]'"),
        ((3, 13), False, "install the 64-bit Raspberry Pi OS"),
    ],
)
def test_a_missing_interpreter_names_the_one_that_exists(
    python: tuple[int, int],
    is_64_bit: bool,  # noqa: FBT001
    remedy: str,
    tmp_path: Path,
) -> None:
    bare = software(python=python, is_64_bit=is_64_bit, versions={"numpy": "1.26.4"})

    missing = found(tmp_path, "interpreter", bare)

    assert (missing.state, missing.exit_code) == ("failed", 5)
    assert missing.remedy.endswith(remedy)


def test_a_hidden_cpuinfo_is_told_since_nets_then_run_without_xnnpack(tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    (tmp_path / "proc/cpuinfo").unlink()

    hidden = only(look(looked_at, software()), "interpreter")

    assert hidden.state == "warning"
    assert "XNNPACK" in hidden.found
    assert "ProcSubset" in hidden.remedy


def test_a_numpy_that_hides_the_one_picamera2_was_compiled_for_is_told(tmp_path: Path) -> None:
    for package in ("picamera2", "numpy"):
        put(tmp_path, f"usr/lib/python3/dist-packages/{package}/__init__.py", "")

    hiding = found(tmp_path, "numpy", software())
    own = tmp_path / "usr/lib/python3/dist-packages/numpy/__init__.py"
    right = found(tmp_path, "numpy", software(numpy_file=str(own)))

    assert hiding.state == "warning"
    assert hiding.remedy.startswith(f"{PIP} uninstall --yes numpy")
    assert right.state == "ok"


def test_two_opencvs_at_once_are_told(tmp_path: Path) -> None:
    both = found(tmp_path, "OpenCV", software(versions={**LITERT, "opencv-python": "4.11.0.86"}))

    assert both.state == "warning"
    assert "uninstall --yes opencv-python " in both.remedy


@pytest.mark.parametrize(("gui", "told"), [("NONE", "headless"), ("QT5", "with windows (QT5)")])
def test_opencv_says_whether_it_has_windows(gui: str, told: str, tmp_path: Path) -> None:
    build = f"General configuration:\n\n  GUI:                           {gui}\n    QT: YES\n"

    assert found(tmp_path, "OpenCV", software(opencv_build=build)).found.endswith(told)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize(("page", "state"), [(4096, "ok"), (16384, "failed")])
def test_a_library_aligned_to_less_than_a_page_is_told(page: int, state: str, wide: bool, tmp_path: Path) -> None:  # noqa: FBT001
    small = library(tmp_path / "small.so", 4096, wide=wide)
    large = library(tmp_path / "large.so", 65536, wide=wide)

    pages = found(tmp_path, "page size", software(page_bytes=page, libraries=(small, large)))

    assert pages.state == state
    assert ("small.so" in pages.found) is (state == "failed")
    assert "large.so" not in pages.found


def test_a_real_library_is_aligned_to_a_page_or_more() -> None:
    (real,) = [path for path in Software().libraries if path.parent.name == "cv2"]

    alignment = page_alignment(real) or 0

    assert alignment >= 4096
    assert alignment.bit_count() == 1


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF" + bytes([2, 1]) + bytes(58), b"not a library"])
def test_a_file_that_is_no_library_has_no_alignment(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.so"
    path.write_bytes(content)

    assert page_alignment(path) is None
