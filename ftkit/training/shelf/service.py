"""Recipes that people save: settings under a name of their own, beside those that ftkit brings.

Takes titles and specs, keeps YAML files in one folder. It starts no run.
"""

from pathlib import Path

from ftkit.errors import NotFound, Refused
from ftkit.store.files import write_bytes
from ftkit.training import recipes
from ftkit.training.recipes import Recipe
from ftkit.training.spec import RunSpec


class OwnRecipes:
    """The saved recipes of one data folder; their names begin with ``own/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """All of them, by name; none is opened, so that a broken file hinders nobody."""
        return recipes.recipe_names(self.folder)

    def save(self, title: str, spec: RunSpec) -> Recipe:
        """Keep settings under a name.

        Raises:
            BadInput: the title makes no name.
            Refused: there is a recipe of this name.
        """
        name = recipes.own_name(title)
        path = self.folder / f"{name}.yaml"
        if path.exists():
            raise Refused(
                "training.recipe_exists",
                "There is a recipe {name} already. Choose another name, or delete that one first.",
                name=name,
            )
        write_bytes(path, recipes.recipe_text(title, spec).encode())
        return recipes.read_recipe(self.folder, name)

    def delete(self, name: str) -> None:
        """Delete one; runs that were made from it stay as they are.

        Raises:
            NotFound: there is none of this name.
        """
        if name not in self.names():
            raise NotFound(
                "training.no_own_recipe",
                "There is no saved recipe {name}. Choose one of the list.",
                name=name,
            )
        (self.folder / f"{name}.yaml").unlink(missing_ok=True)
