from pathlib import Path

import pytest

from ftkit.errors import BadInput, NotFound, Refused
from ftkit.settings import Settings
from ftkit.training.recipes import read_recipe
from ftkit.training.shelf.service import OwnRecipes
from ftkit.training.spec import RunSpec

SHIPPED = Settings.from_environment({}).recipes


@pytest.fixture
def own(tmp_path: Path) -> OwnRecipes:
    return OwnRecipes(tmp_path / "recipes")


def test_a_saved_recipe_is_read_like_those_that_came_along(own: OwnRecipes) -> None:
    spec = RunSpec(r=7, extra_arguments={"neftune_noise_alpha": 5})
    saved = own.save("  Şirket: İlk\n deneme ", spec)
    assert own.names() == [saved.name] == ["own/sirket-ilk-deneme"]
    assert (saved.description, saved.spec) == ("Şirket: İlk deneme", spec)
    assert read_recipe(SHIPPED, f"recipes/{saved.name}.yaml", own.folder).spec == spec
    assert read_recipe(SHIPPED, "smollm2-135m/sft-lora", own.folder).spec.r == 16


def test_a_name_is_taken_once_and_free_again_after_deleting(own: OwnRecipes) -> None:
    own.save("Mine", RunSpec())
    with pytest.raises(Refused, match="own/mine already"):
        own.save("MINE!", RunSpec(r=3))
    own.delete("own/mine")
    assert own.names() == []
    assert own.save("Mine", RunSpec(r=3)).spec.r == 3


@pytest.mark.parametrize("title", ["", "…", "../..", "///"])
def test_a_title_must_make_a_name(own: OwnRecipes, title: str) -> None:
    with pytest.raises(BadInput, match="letters or digits"):
        own.save(title, RunSpec())


@pytest.mark.parametrize("name", ["own/none", "smollm2-135m/sft-lora", "../ftkit"])
def test_only_saved_recipes_are_deleted(own: OwnRecipes, name: str) -> None:
    own.save("Mine", RunSpec())
    with pytest.raises(NotFound):
        own.delete(name)
    assert own.names() == ["own/mine"]


def test_a_broken_file_hinders_nobody_else(own: OwnRecipes) -> None:
    own.save("Good", RunSpec())
    (own.folder / "own" / "bad.yaml").write_text("no_such_option: 1")
    assert own.names() == ["own/bad", "own/good"]
    with pytest.raises(BadInput, match="no_such_option"):
        read_recipe(SHIPPED, "own/bad", own.folder)
    own.delete("own/bad")
