"""Recipes: YAML files found by globbing; the path under the recipes folder is the name.

Takes the folder, gives parsed recipes. It does not start anything.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml

from ftkit.errors import NotFound
from ftkit.training.checks.lines import parse_yaml
from ftkit.training.spec import RunSpec

DEFAULT_RECIPE = "smollm2-135m/sft-lora"


@dataclass(frozen=True)
class Recipe:
    """A named set of options; what it leaves out takes the default of ``RunSpec``."""

    name: str
    description: str
    spec: RunSpec


def find_recipes(folder: Path) -> list[Recipe]:
    """All recipes below ``folder``, the default one first."""
    paths = sorted(folder.glob("*/*.yaml"))
    names = [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
    names.sort(key=lambda name: (name != DEFAULT_RECIPE, name))
    return [read_recipe(folder, name) for name in names]


def read_recipe(folder: Path, name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        NotFound: there is no such recipe.
        BadInput: the file is not a mapping of options, or an option is wrong.
    """
    name = name.removeprefix("recipes/").removesuffix(".yaml")
    path = folder / f"{name}.yaml"
    known = {p.relative_to(folder).with_suffix("").as_posix() for p in folder.glob("*/*.yaml")}
    if name not in known:
        raise NotFound(
            "training.no_recipe",
            "There is no recipe {name}. There are: {known}.",
            name=name,
            known=", ".join(sorted(known)),
        )
    text = path.read_text(encoding="utf-8")
    return Recipe(name, _first_comment(text), RunSpec.parse(parse_yaml(text)))


def to_yaml(spec: RunSpec) -> str:
    """All options of a spec as YAML, in the order of the form."""
    return yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _first_comment(text: str) -> str:
    line = text.lstrip().partition("\n")[0]
    return line.removeprefix("#").strip() if line.startswith("#") else ""
