"""Recipes: what is shipped loads, what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.errors import RecipeError
from converter.recipe import builtin_recipes, load_recipe, parse_recipe, replaced


@pytest.mark.parametrize("name", ["emotion", "keypoints"])
def test_shipped_recipes_load_by_name(name: str) -> None:
    assert name in builtin_recipes()
    assert load_recipe(name).kind == name


def test_an_unknown_key_names_the_nearest() -> None:
    text = b"kind = 'emotion'\nname = 'a'\n[training]\nepochz = 3\n[model]\nstages = []\n"

    with pytest.raises(RecipeError, match=r"my\.toml: .*epochz.*did you mean `epochs`\?") as found:
        parse_recipe(text, "my.toml")
    assert found.value.exit_code == 3


def test_a_missing_recipe_names_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"give a path or one of: emotion, .*keypoints"):
        load_recipe(str(tmp_path / "none.toml"))


def test_the_command_line_replaces_epochs_and_seed() -> None:
    recipe = replaced(load_recipe("emotion"), epochs=3, seed=9)

    assert (recipe.training.epochs, recipe.seed) == (3, 9)
    assert recipe.training.batch_size == load_recipe("emotion").training.batch_size


def test_the_command_line_is_checked_as_a_file_is() -> None:
    with pytest.raises(RecipeError, match="command line: "):
        replaced(load_recipe("emotion"), epochs=0)
