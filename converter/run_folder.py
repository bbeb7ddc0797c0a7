"""The folder of one training run: what went in, how it went, what came out."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from converter.datasets.folders import is_picture
from converter.datasets.label_orders import LabelOrder
from converter.errors import RunError
from converter.recipe import Recipe

_LIBRARIES = ("tensorflow", "keras", "numpy", "opencv-python-headless", "ai-edge-litert")

WEIGHTS_NAME: Final = "best.weights.h5"


@dataclass(frozen=True)
class RunFolder:
    """Names of everything a run writes."""

    path: Path

    @property
    def recipe_file(self) -> Path:
        """The resolved recipe, every default written out (JSON)."""
        return self.path / "recipe.json"

    @property
    def inputs_file(self) -> Path:
        """Data files with digests, seed, library versions (JSON)."""
        return self.path / "inputs.json"

    @property
    def split_file(self) -> Path:
        """Rows of the training and the validation part, in the order of the data after reading (JSON)."""
        return self.path / "split.json"

    @property
    def fooled_file(self) -> Path:
        """How much each picture without faces fools the net that the training started from."""
        return self.path / "fooled.json"

    @property
    def progress_file(self) -> Path:
        """One JSON line per epoch."""
        return self.path / "progress.jsonl"

    @property
    def checkpoints(self) -> Path:
        """State from which a killed run goes on."""
        return self.path / "checkpoints"

    @property
    def weights_file(self) -> Path:
        """Averaged weights of the epoch that validated best."""
        return self.path / WEIGHTS_NAME

    @property
    def calibration_file(self) -> Path:
        """Rows of the training part that fix the int8 ranges (JSON)."""
        return self.path / "calibration.json"

    @property
    def tflite_file(self) -> Path:
        """The int8 net."""
        return self.path / "model.tflite"

    @property
    def float_tflite_file(self) -> Path:
        """The same net in float32, which parity is measured against."""
        return self.path / "model_float32.tflite"

    def recipe(self) -> Recipe:
        """Read the recipe of a started run."""
        try:
            return msgspec.json.decode(self.recipe_file.read_bytes(), type=Recipe)
        except OSError as error:
            raise RunError(f"{self.path}: no run here; start one with `emotion-convert train`") from error
        except msgspec.DecodeError as error:
            raise RunError(
                f"{self.recipe_file}: {error}; expected a recipe of this version of emotion-convert: use the version "
                "that wrote it, or train again in another --run folder"
            ) from error

    def inputs(self) -> dict[str, Any]:
        """Read what went in."""
        content: dict[str, Any] = read_json(self.inputs_file)
        return content

    def data_files(self) -> list[Path]:
        """Name the data files of a started run."""
        return [Path(entry["path"]) for entry in self.inputs()["data"]]

    def labels(self) -> LabelOrder | None:
        """Say which numbering of emotions the data was read with, where it had to be said."""
        return cast(LabelOrder | None, self.inputs().get("labels"))

    def soft_labels(self) -> Path | None:
        """Name the file of soft labels, if there is one, after a check that it is what the run started with."""
        entry = self.inputs().get("soft_labels")
        if entry is None:
            return None
        path = Path(entry["path"])
        if not path.exists():
            raise RunError(f"{path}: the run's soft labels are gone; put the file back or train again")
        if describe(path)["sha256"] != entry["sha256"]:
            raise RunError(f"{path}: not the soft labels that the run started with (sha256 {entry['sha256']})")
        return path

    def records(self) -> list[dict[str, float]]:
        """Read one record per epoch; where a kill made an epoch run twice, the later one counts."""
        try:
            lines = self.progress_file.read_text().splitlines()
        except OSError as error:
            raise RunError(f"{self.progress_file}: missing; no epoch of this run is finished") from error
        by_epoch = {record["epoch"]: record for record in map(json.loads, lines)}
        return [by_epoch[epoch] for epoch in sorted(by_epoch)]

    def start(
        self, recipe: Recipe, data: list[Path], labels: LabelOrder | None = None, soft_labels: Path | None = None
    ) -> None:
        """Write what goes in, or check that it is what a run in this folder started with.

        Raises:
            RunError: the folder holds a run of another recipe or of other data.
        """
        inputs: dict[str, Any] = {
            "data": [describe(path) for path in data],
            "seed": recipe.seed,
            "libraries": library_versions(),
        }
        if labels is not None:
            inputs["labels"] = labels
        if soft_labels is not None:
            inputs["soft_labels"] = describe(soft_labels)
        if self.recipe_file.exists():
            self._refuse_other(recipe, inputs)
            return
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.inputs_file, inputs)
        _replace(self.recipe_file, msgspec.json.format(msgspec.json.encode(recipe)).decode() + "\n")

    @contextmanager
    def untouched_by_failure(self) -> Iterator[None]:
        """Take back what `start` wrote if a new run fails before it trains: its remedy may be another recipe."""
        new = not self.recipe_file.exists()
        try:
            yield
        except BaseException:
            if new and not self.has_checkpoint:
                for file in (self.recipe_file, self.split_file, self.inputs_file):
                    file.unlink(missing_ok=True)
            raise

    @property
    def has_checkpoint(self) -> bool:
        """Whether an epoch is finished, so that the run goes on from it."""
        return any(self.checkpoints.glob("*.index"))

    def note_weights(self, weights: dict[str, Any]) -> None:
        """Write what weights the run starts from; where it goes on from a checkpoint, they must be the same.

        Raises:
            RunError: they are not.
        """
        inputs = self.inputs()
        recorded = inputs.get("weights", {}).get("sha256")
        if not self.has_checkpoint:
            write_json(self.inputs_file, inputs | {"weights": weights})
        elif recorded != weights["sha256"]:
            raise RunError(
                f"{self.path}: has finished epochs and was started from {recorded or 'no weights'}, not from "
                f"{weights['name']} (sha256 {weights['sha256']}); give those or no flag, or choose another --run"
            )

    def _refuse_other(self, recipe: Recipe, inputs: dict[str, Any]) -> None:
        if self.recipe() != recipe:
            raise RunError(f"{self.path}: holds a run of another recipe (see recipe.json); choose another --run folder")
        if self.labels() != inputs.get("labels"):
            raise RunError(f"{self.path}: was started with --labels {self.labels()}; choose another --run folder")
        if self.inputs().get("soft_labels", {}).get("sha256") != inputs.get("soft_labels", {}).get("sha256"):
            raise RunError(f"{self.path}: was started with other --soft-labels; choose another --run folder")
        self._refuse_other_data(inputs["data"])

    def check_data(self) -> list[Path]:
        """Return the data files of this run after a check that they are what it was trained on."""
        files = self.data_files()
        missing = [str(path) for path in files if not path.exists()]
        if missing:
            raise RunError(f"{self.path}: its data is gone: {', '.join(missing)}; put it back or train again")
        self._refuse_other_data([describe(path) for path in files])
        return files

    def _refuse_other_data(self, data: list[dict[str, Any]]) -> None:
        found = [entry["sha256"] for entry in data]
        wanted = [entry["sha256"] for entry in self.inputs()["data"]]
        if found != wanted:
            raise RunError(
                f"{self.path}: was started with other data (sha256 {wanted}, found {found}); use another --run"
            )


def describe(path: Path) -> dict[str, Any]:
    """Name and digest a data file, or every picture of a folder together with its place there."""
    digest = hashlib.sha256()
    files = _pictures(path) if path.is_dir() else [path]
    for file in files:
        if path.is_dir():
            digest.update(file.relative_to(path).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            for block in iter(lambda: stream.read(1 << 20), b""):
                digest.update(block)
    return {"path": str(path.resolve()), "name": path.name or path.resolve().name, "sha256": digest.hexdigest()}


def _pictures(folder: Path) -> list[Path]:
    files = [file.relative_to(folder) for file in folder.rglob("*") if is_picture(file)]
    return [folder / file for file in sorted(files) if not any(part.startswith(".") for part in file.parts)]


def library_versions() -> dict[str, str]:
    """Versions of what decides the result."""
    installed = {name for name in _LIBRARIES if any(metadata.distributions(name=name))}
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in sorted(installed)}


def read_json(path: Path) -> Any:  # noqa: ANN401  JSON has no narrower type
    """Read a JSON file of a run."""
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise RunError(f"{path}: missing; is {path.parent} a finished run of `emotion-convert train`?") from error


def write_json(path: Path, content: object) -> None:
    """Write JSON so that a kill leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, json.dumps(content, indent=1, sort_keys=True) + "\n")


def _replace(path: Path, text: str) -> None:
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(text)
    partial.replace(path)
