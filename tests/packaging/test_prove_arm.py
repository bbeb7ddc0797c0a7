"""What the findings of the proof on emulated Arm mean."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scripts.prove_arm_judge import broken, counts, differences, page_alignment
from scripts.prove_arm_root import MACHINES

READELF = """
Program Headers:
  Type           Offset   VirtAddr           PhysAddr           FileSiz  MemSiz   Flg Align
  LOAD           0x000000 0x0000000000000000 0x0000000000000000 0x0a1b2c 0x0a1b2c R E 0x10000
  LOAD           0x0b0000 0x00000000000c0000 0x00000000000c0000 0x001000 0x002000 RW  0x1000
  DYNAMIC        0x0b0100 0x00000000000c0100 0x00000000000c0100 0x000200 0x000200 RW  0x8
"""
JUNIT = b"""<testsuites><testsuite name="pytest">
<testcase classname="tests.test_a" name="passes"/>
<testcase classname="tests.test_a" name="fails"><failure message="no"/></testcase>
<testcase classname="tests.test_b" name="is_skipped"><skipped message="why"/></testcase>
</testsuite></testsuites>"""


def answers(reference: list[int], optimised: list[int]) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int8]]]:
    rows = {"recorded": [1, 2, 3, 4], "reference": reference, "optimised": optimised}
    return {f"emotion/{name}/0": np.array([values], np.int8) for name, values in rows.items()}


def test_steps_are_the_largest_difference_and_not_wrapped() -> None:
    here, there = answers([1, 2, 3, 4], [-128, 2, 3, 4]), answers([1, 2, 3, 4], [127, 2, 3, 4])

    table = differences(here, there)

    assert table["emotion"]["reference_to_recorded"] == {"steps": 0, "differ_percent": 0.0}
    assert table["emotion"]["optimised_to_this_machine"] == {"steps": 255, "differ_percent": 25.0}


@pytest.mark.parametrize(
    ("reference", "optimised", "told"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 9], []),
        ([1, 2, 3, 5], [1, 2, 3, 4], ["emotion: reference_to_recorded is 1 steps, at most 0"]),
        ([1, 2, 3, 4], [1, 2, 3, 10], ["emotion: optimised_to_recorded is 6 steps, at most 5"]),
    ],
)
def test_reference_kernels_may_differ_by_nothing_and_others_by_the_contract(
    reference: list[int], optimised: list[int], told: list[str]
) -> None:
    found = answers(reference, optimised)

    assert (
        broken(differences(found, found), {"emotion": {"kind": "emotion", "runtime": "ai-edge-litert 2.3.0"}}) == told
    )


def test_tests_are_counted_by_how_they_ended() -> None:
    found = counts(JUNIT)

    assert found == {"passed": 1, "failed": 1, "skipped": 1, "names": ["tests.test_a::fails"]}


def test_the_smallest_alignment_of_what_is_mapped_counts() -> None:
    assert page_alignment(READELF) == 0x1000


def test_a_compiler_is_asked_for_where_something_is_compiled() -> None:
    assert MACHINES["armv7l"].needed["arm-linux-gnueabihf-gcc"] == "gcc-arm-linux-gnueabihf"
    assert not [program for program in MACHINES["aarch64"].needed if "gcc" in program]


def test_a_processor_shows_itself_as_linux_on_a_board_does() -> None:
    pi4 = MACHINES["aarch64"].processors[0].cpuinfo()

    assert pi4.count("processor\t: ") == 4
    assert "CPU part\t: 0xd08\n" in pi4
    assert "asimd" in pi4


@pytest.mark.parametrize("machine", MACHINES)
def test_a_committed_result_is_of_a_run_in_which_nothing_was_wrong(machine: str, repository: Path) -> None:
    path = repository / "benchmarks/results" / f"{MACHINES[machine].result}.json"
    if not path.exists():
        pytest.skip(f"no result of {machine}: make prove-arm")

    found = json.loads(path.read_text(encoding="utf-8"))

    assert found["wrong"] == []
    assert found["tests"]["failed"] == 0
    assert found["tests"]["passed"] > 100
