"""The pages become a site without a warning, and the site asks no other server for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def site(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site once, as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=repository,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_page_is_part_of_the_site(site: Path, repository: Path) -> None:
    pages = {path.relative_to(repository / "docs").with_suffix(".html") for path in repository.glob("docs/**/*.md")}

    written = {path.relative_to(site) for path in site.rglob("*.html")}

    assert pages <= written


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")

    loaded = re.findall(r'<(?:script|img|iframe)[^>]* src="([^"]+)"|<link[^>]* href="([^"]+)" rel="stylesheet"', text)

    addresses = [script or style for script, style in loaded]
    assert addresses
    assert not [address for address in addresses if re.match(r"(https?:)?//", address)]


def test_links_to_files_of_the_repository_become_their_paths(site: Path) -> None:
    text = (site / "faq.html").read_text(encoding="utf-8")

    assert "<code>examples/own_detector.py</code>" in text
    assert "../examples" not in text
