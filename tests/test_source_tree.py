"""The architecture tests are worth what their view of the sources is worth: it must see every form of import."""

from __future__ import annotations

from pathlib import Path

from tests.source_tree import PACKAGES, Source, sources


def test_every_form_of_import_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "probe.py"
    path.write_text(
        "import cv2.data\n"
        "from edge_runtime import contract\n"
        "from edge_runtime.contract import EMOTION_LABELS\n"
        "def late():\n"
        "    import tensorflow\n",
        encoding="utf-8",
    )

    found = {(used.module, used.line) for used in Source(path).imports()}

    assert found == {("cv2.data", 1), ("edge_runtime.contract", 2), ("edge_runtime.contract", 3), ("tensorflow", 5)}


def test_the_packages_are_found() -> None:
    modules = {source.module for source in sources(*PACKAGES)}

    assert {"edge_runtime.contract", "edge_runtime.errors"} <= modules
