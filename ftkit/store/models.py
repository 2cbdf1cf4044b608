"""Base models on this machine: their records lie beside their weights, in ``model.json``.

Takes the data folder and an id, gives the record. It downloads nothing.
"""

from ftkit.errors import NotFound
from ftkit.records import Model
from ftkit.store.files import Folders, read_json


def find_model(folders: Folders, id_: str) -> Model | None:
    """The record of a model; None where it is not on this machine."""
    value = read_json(folders.model(id_) / "model.json")
    return None if value is None else Model.model_validate(value)


def all_models(folders: Folders) -> list[Model]:
    """Records of all models on this machine, by name."""
    found = [read_json(path) for path in folders.model("any").parent.glob("[!.]*/model.json")]
    models = [Model.model_validate(value) for value in found if value is not None]
    return sorted(models, key=lambda model: model.name.lower())


def get_model(folders: Folders, id_: str) -> Model:
    """The record of a model on this machine.

    Raises:
        NotFound: it is not here; the sentence says how to get it.
    """
    model = find_model(folders, id_)
    if model is None:
        raise NotFound(
            "models.not_here",
            "The model {model} is not on this machine. Get it on the Model page or with: ftkit models pull {model}",
            model=id_,
        )
    return model
