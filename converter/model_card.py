"""Writes MODEL_CARD.md from measured figures."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from string import Template

from converter.datasets.terms import source_of
from converter.dossier import Dossier
from converter.edgetpu import inventory
from converter.figures import Figures
from converter.markdown import figure_table, share
from converter.recipe import builtin_name, builtin_recipes
from converter.run_folder import WEIGHTS_NAME
from edge_runtime.manifest import Manifest

WHAT = {
    "keypoints": "Finds 15 points of one face in a 96 x 96 grey crop (order of the Kaggle facial keypoints set).",
    "emotion": "Tells which of five expressions a face shows (angry, disgust, sad, happy, surprise), or is unsure.",
    "faces": "Finds the faces in a whole grey frame: a tight box, forehead to chin, and a score for each.",
}
OUTPUT = {
    "keypoints": "(1, 30) int8; x0, y0, x1, y1, ...; real value = (pixel - 47.5) / 48 of the crop, pixel centres at "
    "whole numbers. Left and right are the subject's.",
    "emotion": "int8 logits, in this order: {names}. Softmax and temperature are computed in float at run time.",
    "faces": "six int8 tensors, two for each of the strides 8, 16 and 32: a score logit and four distances per cell, "
    "as logarithms of strides (left, top, right, bottom of the cell's middle). Decoding and suppression of overlapping "
    "boxes are in edge_runtime/decode.py.",
}
LIMITS = {
    "keypoints": (
        "A point that is hidden is a guess, and nothing in the output says so.",
        "Crops must be framed as in training; a detector's box has to be fitted to that framing.",
    ),
    "emotion": (
        "A calm, afraid or speaking face is meant to come out as uncertain, but does not always.",
        "48 x 48 pixels of detail: smaller, blurred or turned faces are worse than the figures say.",
    ),
    "faces": (
        "Faces under about 9 pixels of the input are not found; a frame that is shrunk to half has faces of half size.",
        "Faces turned far to the side, upside down, covered or very dark are missed more often.",
        "What resembles a face (a poster, an animal, a doll) is sometimes taken for one.",
    ),
}

_OWN_RECIPE = "RECIPE.toml"
"""Stands in the commands of a card for a recipe that is not shipped."""


def limits_of(manifest: Manifest) -> tuple[str, ...]:
    """Say where a net must not be trusted: by its kind and by what its data lacks."""
    sources = (source_of(entry.name, entry.sha256) for entry in manifest.training_data)
    return (*LIMITS[manifest.kind], *(limit for source in sources for limit in source.limits))


def model_card(dossier: Dossier, *, terms: str | None = None) -> str:
    """Fill the template; every figure comes from the dossier."""
    manifest = dossier.bundle.manifest
    kind = str(manifest.kind)
    recipe = builtin_name(manifest.recipe) or _OWN_RECIPE
    form = "faces/card.txt" if kind == "faces" else "model_card.txt"
    template = Template((resources.files("converter") / form).read_text(encoding="utf-8"))
    return template.substitute(
        name=manifest.name,
        version=manifest.version,
        what=WHAT[kind],
        shape=manifest.input.shape,
        size=f"{manifest.input.shape[2]}x{manifest.input.shape[1]}",
        framing=manifest.input.framing,
        output=OUTPUT[kind].format(names=", ".join(manifest.output.names)),
        bytes=f"{len(dossier.bundle.model):,}",
        parameters=f"{dossier.parameters:,}",
        operators=", ".join(sorted(inventory(dossier.bundle.model).operators)),
        validation=dossier.faces_validation,
        least_face_px=f"{manifest.recipe['detection']['min_face_px']:g}",
        validation_table=figure_table(
            {"float": dossier.judgement.float_figures, "int8": dossier.judgement.int8_figures}
        ),
        reported="\n\n".join(_reported(name, figures) for name, figures in dossier.reported.items()),
        policy=_policy(dossier),
        data="\n".join(_data(entry.name, entry.sha256, terms) for entry in manifest.training_data),
        training_part=dossier.faces_training,
        recipe=recipe,
        epochs=len(dossier.records),
        best_epoch=dossier.best_epoch,
        seed=manifest.recipe["seed"],
        calibration_count=manifest.quantization.calibration_count,
        libraries=", ".join(f"{name} {of}" for name, of in manifest.quantization.converter_versions.items()),
        files=(files := " ".join(entry.name for entry in manifest.training_data)),
        started=_started(dossier),
        commands=_training_commands(recipe, manifest.name, files, dossier),
        limits="\n".join(f"- {limit}" for limit in manifest.limits),
    )


def _started(dossier: Dossier) -> str:
    """Say which earlier run went in; nothing where the net started from nothing."""
    said = []
    if "weights" in dossier.started_from:
        weights = dossier.started_from["weights"]
        source = "best weights of an earlier run" if _of_a_run(weights) else f"int8 weights of {weights['name']}"
        said.append(f"It started from the {source} (sha256 {weights['sha256']}).")
    if "soft_labels" in dossier.started_from:
        soft = dossier.started_from["soft_labels"]
        said.append(
            f"A part of every target is what that run answered on the same training pictures: `{soft['name']}` "
            f"(sha256 {soft['sha256']}), which names its teacher."
        )
    return "\n".join(said)


def _of_a_run(weights: Mapping[str, str]) -> bool:
    """Whether the weights that a training started from are a run's; else they are a bundle's."""
    return weights["name"] == WEIGHTS_NAME


def _training_commands(recipe: str, name: str, files: str, dossier: Dossier) -> str:
    """One command a line, the earlier run first where its recipe is shipped."""
    lines, earlier = [], f"run/{name}-base"
    if recipe == _OWN_RECIPE:
        lines.append(f"# {_OWN_RECIPE}: a recipe of its own, complete in manifest.json")
    last = f"emotion-convert train {recipe} --data {files} --run run/{name}"
    started = dossier.started_from
    of_a_run = "weights" in started and _of_a_run(started["weights"])
    if of_a_run:
        last += f" --from-run {earlier}"
    elif "weights" in started:
        last += " --from-bundle BUNDLE"
    if of_a_run and f"{recipe}-base" in builtin_recipes():
        lines.append(f"emotion-convert train {recipe}-base --data {files} --run {earlier}")
    if "soft_labels" in started and of_a_run:
        lines.append(f"emotion-convert soften --run {earlier} --out soft.npz")
        last += " --soft-labels soft.npz"
    elif "soft_labels" in started:
        last += f" --soft-labels {started['soft_labels']['name']}"
    return "\n".join([*lines, last])


def _reported(name: str, figures: Figures) -> str:
    columns = {"int8": figures}
    if "without_near_copies" in figures:
        columns["without near copies of training pictures"] = figures["without_near_copies"]
    part = "" if figures["part"] == "all" else f", part {figures['part']}"
    return f"`{name}`{part}, not used to choose anything:\n\n{figure_table(columns)}"


def _policy(dossier: Dossier) -> str:
    if dossier.bundle.manifest.kind == "faces":
        policy = dossier.bundle.manifest.policy
        again = " All figures are with a second look at doubtful finds, which the device takes."
        small = (
            f" (under {policy.small.below_px:g} px of the input from {policy.small.enter:g})" if policy.small else ""
        )
        text = f"A find counts from a score of {policy.enter:g}{small}, chosen on the validation part."
        return text + (again if policy.close_ups else "")
    if dossier.bundle.manifest.kind != "emotion":
        return ""
    policy = dossier.bundle.manifest.policy
    figures = dossier.judgement.int8_figures
    return (
        f"Policy, chosen on the validation part alone: temperature {policy.temperature:g}, an answer from a calibrated "
        f"support of {policy.enter:g}, taken back below {policy.exit:g}. There {share(figures['coverage'])} of the "
        f"five classes' faces get an answer, and {share(figures['accuracy_answered'])} of those answers are right."
    )


def _data(name: str, sha256: str, terms: str | None) -> str:
    source = source_of(name, sha256, terms=terms)
    return f"- `{name}` (sha256 {sha256}): {source.title}. {source.origin} Terms: {source.terms}"
