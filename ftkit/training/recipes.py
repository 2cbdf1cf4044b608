"""Recipes: YAML files found by globbing; the path under the recipes folder is the name.

Takes folders, gives parsed recipes. Those that ftkit brings lie in one folder, those that people save in another, where all
names begin with ``own/``. It does not start anything.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import yaml

from ftkit.errors import BadInput, NotFound
from ftkit.training.checks.lines import parse_yaml
from ftkit.training.spec import RunSpec

DEFAULT_RECIPE = "smollm2-135m/sft-lora"
_OWN = "own/"
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Recipe:
    """A named set of options; what it leaves out takes the default of ``RunSpec``."""

    name: str
    description: str
    spec: RunSpec


def find_recipes(folder: Path) -> list[Recipe]:
    """All recipes below ``folder``, the default one first."""
    return [read_recipe(folder, name) for name in recipe_names(folder)]


def recipe_names(folder: Path) -> list[str]:
    """Names of all recipes below ``folder``, the default one first; none is opened."""
    names = [path.relative_to(folder).with_suffix("").as_posix() for path in folder.glob("*/*.yaml")]
    return sorted(names, key=lambda name: (name != DEFAULT_RECIPE, name))


def read_recipe(folder: Path, name: str, own: Path | None = None) -> Recipe:
    """The recipe of this name.

    Args:
        folder: of the recipes that ftkit brings.
        name: path below it.
        own: folder of those that people saved.

    Raises:
        NotFound: there is no such recipe.
        BadInput: the file is not a mapping of options, or an option is wrong.
    """
    name = name.removeprefix("recipes/").removesuffix(".yaml")
    if own is not None and is_own(name):
        folder, known = own, recipe_names(own)
    else:
        known = recipe_names(folder)
    if name not in known:
        raise NotFound(
            "training.no_recipe",
            "There is no recipe {name}. There are: {known}.",
            name=name,
            known=", ".join(known) or "–",
        )
    text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
    return Recipe(name, _first_comment(text), RunSpec.parse(parse_yaml(text)))


def is_own(name: str) -> bool:
    """Whether a recipe is one that a person saved."""
    return name.startswith(_OWN)


def own_name(title: str) -> str:
    """The name of a recipe that is saved under a title: its letters and digits, without accents.

    Raises:
        BadInput: there are none.
    """
    plain = unicodedata.normalize("NFKD", title.lower().replace("ı", "i")).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-._")[:_LONGEST_NAME].rstrip("-._")
    if not name:
        raise BadInput(
            "training.no_recipe_name",
            "A recipe needs a name with letters or digits. Enter one, e.g. my-recipe.",
        )
    return _OWN + name


def to_yaml(spec: RunSpec) -> str:
    """All options of a spec as YAML, in the order of the form."""
    return yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def recipe_text(title: str, spec: RunSpec) -> str:
    """The file of a recipe."""
    return f"# {' '.join(title.split())}\n{to_yaml(spec)}"


def _first_comment(text: str) -> str:
    line = text.lstrip().partition("\n")[0]
    return line.removeprefix("#").strip() if line.startswith("#") else ""
