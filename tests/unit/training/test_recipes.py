from pathlib import Path

import pytest
import yaml

from ftkit.errors import BadInput, NotFound
from ftkit.settings import Settings
from ftkit.training.checks.lines import parse_yaml
from ftkit.training.recipes import DEFAULT_RECIPE, find_recipes, read_recipe, to_yaml
from ftkit.training.spec import RunSpec

SHIPPED = Settings.from_environment({}).recipes


def test_every_shipped_recipe_is_valid_and_says_what_it_is_for() -> None:
    found = find_recipes(SHIPPED)
    assert found[0].name == DEFAULT_RECIPE
    assert len(found) == len(list(SHIPPED.rglob("*.yaml")))
    assert all(recipe.description for recipe in found)


def test_every_key_of_a_shipped_recipe_is_explained() -> None:
    for path in SHIPPED.rglob("*.yaml"):
        above = ""
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                assert above.startswith("#") or line.startswith(
                    ("lora_alpha", "lr_scheduler_type", "seed")
                ), line
            above = line


def test_a_recipe_is_found_by_its_path_only(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("r: 8")
    with pytest.raises(NotFound, match=DEFAULT_RECIPE):
        read_recipe(SHIPPED, "../../secret")
    assert read_recipe(SHIPPED, f"recipes/{DEFAULT_RECIPE}.yaml").name == DEFAULT_RECIPE


def test_yaml_goes_round() -> None:
    spec = RunSpec(learning_rate=3e-4, r=8, packing=True)
    assert RunSpec.parse(parse_yaml(to_yaml(spec))) == spec


@pytest.mark.parametrize(
    "text", ["- a\n- b", "just words", "", "a: [", "!!python/object/apply:os.system [id]"]
)
def test_what_is_not_a_recipe_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_yaml(text)


def test_the_order_of_keys_is_that_of_the_form() -> None:
    assert list(yaml.safe_load(to_yaml(RunSpec()))) == list(RunSpec.model_fields)
