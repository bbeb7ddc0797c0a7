"""The model card of a faces net: what its template says must come from the run."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
import pytest

pytest.importorskip("tensorflow", reason="judgements come from the trainer")

from converter.dossier import Dossier
from converter.judgement import Judgement
from converter.model_card import model_card
from converter.recipe import builtin_recipes, load_recipe
from edge_runtime.bundle import Bundle, builtin_bundle_path, load_bundle

pytestmark = pytest.mark.train

EPOCHS = 48


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """Take the shipped bundle as if the present recipe had made it."""
    bundle = load_bundle(builtin_bundle_path("faces"), kind="faces")
    recipe = msgspec.to_builtins(load_recipe("faces"))
    return replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, recipe=recipe))


@pytest.fixture(scope="module")
def card(bundle: Bundle) -> str:
    """Write the card of a training with made-up figures."""
    figures = {"n": 9, "ap": 0.5}
    judgement = Judgement(bundle.manifest.policy, figures, figures, {})
    records = [{"epoch": float(epoch), "chosen_by": float(epoch)} for epoch in range(EPOCHS)]
    return model_card(Dossier(bundle, judgement, {}, records, 70, 30, 1234, {}))


def test_the_card_names_its_recipe_and_its_epochs(card: str) -> None:
    assert f"Recipe `faces`: {EPOCHS} epochs done, best epoch {EPOCHS}," in card
    assert "$" not in card


def test_the_card_names_the_smallest_face_of_the_recipe(card: str, bundle: Bundle) -> None:
    least = bundle.manifest.recipe["detection"]["min_face_px"]

    assert f"Faces under\n{least:g} pixels of the input" in card


def test_every_recipe_that_a_card_trains_with_is_shipped(card: str) -> None:
    named = set(re.findall(r"emotion-convert train (\S+)", card))

    assert named
    assert named <= set(builtin_recipes())
