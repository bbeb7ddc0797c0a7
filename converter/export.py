"""Writes a model bundle: the folder that edge_runtime verifies and loads, and the same as one zip."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

import msgspec

from converter.calibration_list import read_calibration
from converter.charts import draw_figures, draw_learning_curve
from converter.dossier import Dossier, completed
from converter.drafts import read_model, run_bundle
from converter.edgetpu import inventory, require_supported
from converter.errors import RunError
from converter.evaluation import evaluate_bundle
from converter.golden import golden_npz
from converter.judgement import judge
from converter.model_card import limits_of, model_card
from converter.parity import require_parity
from converter.plain_json import to_json
from converter.run_folder import RunFolder
from converter.tasks import prepare_run
from edge_runtime.bundle import (
    GOLDEN_FILE,
    LABELS_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    SUMS_FILE,
    ZIP_SUFFIX,
    Bundle,
    load_bundle,
)
from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_NAMES

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


_STARTED_FROM = ("weights", "soft_labels")
"""Keys of inputs.json."""


def gather(run: RunFolder, *, version: str, report_on: list[Path], terms: str | None = None) -> Dossier:
    """Judge a quantised run.

    Args:
        run: the run.
        version: of the bundle.
        report_on: data files the int8 net is judged on for the card.
        terms: of data files that are not known by their digest.

    Raises:
        ParityError: the int8 net is too far from the float net.
        EdgeTpuError: it has an operator that the Edge TPU does not have.
    """
    task = prepare_run(run)
    judgement = judge(run, task)
    require_parity(judgement.parity)
    require_supported(inventory(read_model(run.tflite_file)))
    draft = run_bundle(run, version=version, policy=judgement.policy)
    bundle = completed(draft, judgement, limits_of(draft.manifest), terms)
    return Dossier(
        bundle,
        judgement,
        {name: evaluate_bundle(bundle, path) for name, path in zip(_names(report_on), report_on, strict=True)},
        run.records(),
        len(task.training),
        len(task.validation),
        task.net().count_params(),
        {name: entry for name, entry in run.inputs().items() if name in _STARTED_FROM},
    )


def _names(files: list[Path]) -> list[str]:
    """Name files for the card; by their path as it was given where two have one name."""
    names = [path.name for path in files]
    return [path.name if names.count(path.name) == 1 else str(path) for path in files]


def write_bundle(dossier: Dossier, run: RunFolder, out: Path, *, terms: str | None = None) -> Bundle:
    """Write the folder and load it again, which verifies it.

    A bundle that stands there is replaced; any other folder is left alone.

    Raises:
        RunError: `out` is there and is no bundle.
    """
    if out.exists() and not (out / SUMS_FILE).exists():
        raise RunError(f"{out}: exists and is no model bundle; choose another --out")
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _write_files(dossier, run, partial, terms)
    _write_sums(partial)
    load_bundle(partial)
    if out.exists():
        shutil.rmtree(out)
    partial.rename(out)
    return load_bundle(out)


def _write_files(dossier: Dossier, run: RunFolder, folder: Path, terms: str | None) -> None:
    bundle = dossier.bundle
    kind = str(bundle.manifest.kind)
    labels = {"emotion": EMOTION_LABELS, "keypoints": KEYPOINT_NAMES, "faces": ("face",)}[kind]
    texts = {
        MANIFEST_FILE: to_json(msgspec.to_builtins(bundle.manifest)),
        LABELS_FILE: "\n".join(labels),
        "MODEL_CARD.md": model_card(dossier, terms=terms),
        "report.json": to_json(dossier.report()),
        "calibration.json": to_json(msgspec.to_builtins(read_calibration(run))),
    }
    for name, text in texts.items():
        (folder / name).write_text(text.rstrip() + "\n", encoding="utf-8")
    (folder / MODEL_FILE).write_bytes(bundle.model)
    (folder / GOLDEN_FILE).write_bytes(golden_npz(bundle.model))
    draw_figures(kind, dossier.judgement.int8_figures, folder)
    draw_learning_curve(dossier.records, folder / "learning-curve.png")


def _write_sums(folder: Path) -> None:
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in sorted(folder.iterdir())]
    (folder / SUMS_FILE).write_text("\n".join(lines) + "\n", encoding="ascii")


def write_zip(bundle: Bundle, folder: Path) -> Path:
    """Put a written bundle into one stored zip, the same bytes for the same bundle; returns its path."""
    target = folder / f"{bundle.manifest.name}-{bundle.manifest.version}{ZIP_SUFFIX}"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(bundle.files.items()):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content)
    return target
