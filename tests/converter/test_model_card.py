"""The commands of a card: whoever types them in must not meet a recipe that does not exist."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import msgspec
import pytest

pytest.importorskip("tensorflow", reason="judgements come from the trainer")

from converter.dossier import Dossier
from converter.judgement import Judgement
from converter.model_card import model_card
from converter.recipe import Recipe, builtin_recipes, load_recipe, replaced
from converter.run_folder import WEIGHTS_NAME
from edge_runtime.bundle import builtin_bundle_path, load_bundle
from edge_runtime.contract import SHIPPED_KINDS, ModelKind

pytestmark = pytest.mark.train

OF_A_RUN = {"weights": {"name": WEIGHTS_NAME, "sha256": "0" * 64}}
OF_A_BUNDLE = {"weights": {"name": "some-net 1.0.0", "sha256": "0" * 64}}


def card(kind: ModelKind, recipe: Recipe, started_from: dict[str, Any]) -> str:
    """Write the card of the shipped bundle as if a recipe had made it."""
    bundle = load_bundle(builtin_bundle_path(kind), kind=kind)
    manifest = msgspec.structs.replace(bundle.manifest, recipe=msgspec.to_builtins(recipe))
    figures = {"n": 9, "coverage": 0.5, "accuracy_answered": 0.5}
    judgement = Judgement(manifest.policy, figures, figures, {})
    records = [{"epoch": 0.0, "chosen_by": 0.0}]
    return model_card(Dossier(replace(bundle, manifest=manifest), judgement, {}, records, 70, 30, 1234, started_from))


@pytest.mark.parametrize("kind", SHIPPED_KINDS)
@pytest.mark.parametrize("started_from", [{}, OF_A_RUN, OF_A_BUNDLE], ids=["nothing", "run", "bundle"])
def test_every_recipe_that_a_card_trains_with_is_shipped(kind: ModelKind, started_from: dict[str, Any]) -> None:
    named = set(re.findall(r"emotion-convert train (\S+)", card(kind, load_recipe(kind), started_from)))

    assert kind in named
    assert named <= set(builtin_recipes())


def trainings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("emotion-convert train")]


def test_the_card_of_a_first_training_names_its_recipe_whatever_its_seed_and_epochs() -> None:
    text = card("emotion", replaced(load_recipe("emotion-base"), epochs=3, seed=9), {})

    assert "Recipe `emotion-base`" in text
    assert trainings(text)[0].startswith("emotion-convert train emotion-base --data ")


def test_the_card_of_a_recipe_of_its_own_says_where_it_is() -> None:
    text = card("keypoints", replaced(load_recipe("keypoints"), batch_size=8), {})

    assert "Recipe `RECIPE.toml`" in text
    assert "# RECIPE.toml: a recipe of its own, complete in manifest.json\n" in text
    assert trainings(text)[0].startswith("emotion-convert train RECIPE.toml --data ")


def test_the_card_of_a_training_from_a_bundle_starts_from_a_bundle() -> None:
    (command,) = trainings(card("emotion", replaced(load_recipe("emotion"), soft_weight=0.0), OF_A_BUNDLE))

    assert command.startswith("emotion-convert train emotion --data ")
    assert command.endswith(" --from-bundle BUNDLE")


def test_the_card_of_a_taught_net_makes_its_teacher_first() -> None:
    first, second = trainings(
        card("emotion", load_recipe("emotion"), OF_A_RUN | {"soft_labels": {"name": "s", "sha256": "0"}})
    )

    assert first.startswith("emotion-convert train emotion-base ")
    assert second.endswith(" --from-run run/emotion-resnet-base --soft-labels soft.npz")
