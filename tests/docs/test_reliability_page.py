"""The reliability page says what the results say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_reliability_page_is_up_to_date(repository: Path) -> None:
    script = repository / "scripts" / "write_reliability_page.py"

    done = subprocess.run(
        [sys.executable, str(script), "--check"],
        cwd=repository,
        env={"PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
