"""Feeds one target for some seconds: with atheris (coverage-guided) where it is installed, else with hypothesis."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.fuzz.target import LONGEST_S, Target

INSTRUMENTED: Final = ("edge_runtime", "converter", "firmware_config", "zipfile", "tomllib", "paho")
EXAMPLES_A_ROUND: Final = 200


def engine_name() -> str:
    """Which engine this Python has."""
    return "atheris" if importlib.util.find_spec("atheris") else "hypothesis"


def fuzz(name: str, seconds: float, artefacts: Path) -> None:
    """Feed a target; does not return normally when an input fails.

    Args:
        name: of the target.
        seconds: how long.
        artefacts: folder; the input that fails is written into it, also when the process dies of it.
    """
    if engine_name() == "atheris":
        _with_atheris(name, seconds, artefacts)
    else:
        _with_hypothesis(name, seconds, artefacts)


def _with_atheris(name: str, seconds: float, artefacts: Path) -> None:
    import atheris

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        target = _target(name)
    words = artefacts / "words.dict"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words), encoding="ascii")
    with tempfile.TemporaryDirectory() as found:
        flags = [
            f"-max_total_time={max(1, round(seconds))}",
            f"-timeout={LONGEST_S:.0f}",
            f"-artifact_prefix={artefacts}/failing-",
            "-max_len=20000",
            "-rss_limit_mb=4096",
            "-verbosity=0",
            "-print_final_stats=1",
            *([f"-dict={words}"] if target.words else []),
        ]
        corpus = target.corpus()[0].parent
        atheris.Setup([sys.argv[0], *flags, found, str(corpus)], target.check)
        atheris.Fuzz()


def _with_hypothesis(name: str, seconds: float, artefacts: Path) -> None:
    from hypothesis import HealthCheck, given, settings

    from tests.fuzz.inputs import inputs

    target, current, ran = _target(name), artefacts / "failing-current", 0

    @settings(max_examples=EXAMPLES_A_ROUND, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(inputs(target))
    def check(data: bytes) -> None:
        nonlocal ran
        ran += 1
        current.write_bytes(data)  # before it runs: a crash leaves it behind
        target.check(data)

    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        check()
    current.unlink(missing_ok=True)
    print(f"number_of_executed_units: {ran}")  # noqa: T201  what libFuzzer prints


def _target(name: str) -> Target:
    from tests.fuzz.targets import TARGETS

    return TARGETS[name]


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)
