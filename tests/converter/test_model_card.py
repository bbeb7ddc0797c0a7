"""The commands of a card: whoever types them in must not meet a recipe that does not exist."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("tensorflow", reason="judgements come from the trainer")

from converter.dossier import Dossier
from converter.judgement import Judgement
from converter.model_card import model_card
from converter.recipe import builtin_recipes
from converter.run_folder import WEIGHTS_NAME
from edge_runtime.bundle import builtin_bundle_path, load_bundle
from edge_runtime.contract import SHIPPED_KINDS, ModelKind

pytestmark = pytest.mark.train

OF_A_RUN = {"weights": {"name": WEIGHTS_NAME, "sha256": "0" * 64}}
OF_A_BUNDLE = {"weights": {"name": "some-net 1.0.0", "sha256": "0" * 64}}


@pytest.mark.parametrize("kind", SHIPPED_KINDS)
@pytest.mark.parametrize("started_from", [{}, OF_A_RUN, OF_A_BUNDLE], ids=["nothing", "run", "bundle"])
def test_every_recipe_that_a_card_trains_with_is_shipped(kind: ModelKind, started_from: dict[str, Any]) -> None:
    bundle = load_bundle(builtin_bundle_path(kind), kind=kind)
    figures = {"n": 9, "coverage": 0.5, "accuracy_answered": 0.5}
    judgement = Judgement(bundle.manifest.policy, figures, figures, {})
    dossier = Dossier(bundle, judgement, {}, [{"epoch": 0.0, "chosen_by": 0.0}], 70, 30, 1234, started_from)

    named = set(re.findall(r"emotion-convert train (\S+)", model_card(dossier)))

    assert kind in named
    assert named <= set(builtin_recipes())
