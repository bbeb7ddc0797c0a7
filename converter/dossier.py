"""All that goes into a bundle beside the net: gathered once, then written as card, report and charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from converter.datasets.terms import source_of
from converter.figures import Figures
from converter.judgement import Judgement
from edge_runtime.bundle import Bundle


@dataclass(frozen=True)
class Dossier:
    """Measured figures of one run."""

    bundle: Bundle
    """Model and manifest, complete."""

    judgement: Judgement
    """On the validation part."""

    reported: dict[str, Figures]
    """By data file: the int8 net on faces that chose nothing."""

    records: list[dict[str, float]]
    """One per epoch."""

    faces_training: int
    faces_validation: int
    parameters: int

    started_from: dict[str, dict[str, Any]]
    """Files of earlier runs that this one started from: weights, soft_labels; empty where it started from nothing."""

    @property
    def best_epoch(self) -> int:
        """Count from 1."""
        return int(max(self.records, key=lambda record: record["chosen_by"])["epoch"]) + 1

    def report(self) -> dict[str, Any]:
        """Return what report.json holds."""
        manifest = self.bundle.manifest
        return {
            "name": manifest.name,
            "version": manifest.version,
            "model_sha256": self.bundle.model_sha256,
            "faces": {"training": self.faces_training, "validation": self.faces_validation},
            "parameters": self.parameters,
            "validation": {"float": self.judgement.float_figures, "int8": self.judgement.int8_figures},
            "parity": self.judgement.parity,
            "reported": self.reported,
            "policy": msgspec.to_builtins(manifest.policy),
            "started_from": {
                name: {key: entry[key] for key in ("name", "sha256")} for name, entry in self.started_from.items()
            },
            "best_epoch": self.best_epoch,
            "epochs": self.records,
        }


def completed(bundle: Bundle, judgement: Judgement, limits: tuple[str, ...], terms: str | None) -> Bundle:
    """Put figures, terms and limits into a draft's manifest."""
    data = tuple(
        msgspec.structs.replace(entry, terms=source_of(entry.name, entry.sha256, terms=terms).terms)
        for entry in bundle.manifest.training_data
    )
    manifest = msgspec.structs.replace(
        bundle.manifest,
        accuracy={"validation": {"float": judgement.float_figures, "int8": judgement.int8_figures}},
        parity=judgement.parity,
        training_data=data,
        limits=limits,
    )
    return Bundle(bundle.path, manifest, bundle.files)
