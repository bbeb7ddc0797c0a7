"""Figures of a bundle on files whose parts overlap."""

from __future__ import annotations

from pathlib import Path

from converter.evaluation import evaluate_bundle
from edge_runtime.bundle import builtin_bundle_path, load_bundle
from tests.converter.sample_data import fer_rows, write_fer_csv


def test_a_public_part_of_copies_alone_has_no_figures_without_them(tmp_path: Path) -> None:
    rows = [*fer_rows(7), *fer_rows(7, usage="PublicTest")]
    data = write_fer_csv(tmp_path / "fer.csv", rows)

    figures = evaluate_bundle(load_bundle(builtin_bundle_path("emotion"), kind="emotion"), data)

    assert (figures["part"], figures["n"]) == ("public", 5)
    assert "without_near_copies" not in figures
