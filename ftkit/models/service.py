"""The models room: which base models there are, which are on this machine, and getting one.

Takes ids and Hub ids, gives records. The download and the conversion happen in the pull worker; a model is on this
machine as soon as its folder with ``model.json`` is there.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from ftkit.errors import BadInput, NotFound
from ftkit.jobs.service import Jobs
from ftkit.models.catalogue import (
    BUNDLE,
    BUNDLED_ID,
    CATALOGUE,
    CatalogueEntry,
    find_entry,
    hub_id,
    id_from_name,
    model_id,
)
from ftkit.models.chat_template import ChatTemplate, read_chat_template
from ftkit.records import Job, Model
from ftkit.settings import Settings
from ftkit.store.files import Folders, write_json
from ftkit.store.models import all_models, get_model

# Downloads wait for the network, not for the processor: they run beside a training run.
_LANE = "download"


class ModelService:
    """Base models of one data folder."""

    def __init__(self, folders: Folders, jobs: Jobs, settings: Settings) -> None:
        self._folders = folders
        self._jobs = jobs
        self._settings = settings
        self._template = lru_cache(maxsize=4)(read_chat_template)

    def catalogue(self) -> list[CatalogueEntry]:
        """The model list, the bundled model first, the others by size."""
        return list(CATALOGUE)

    def all(self) -> list[Model]:
        """Models on this machine, the bundled one first, the others by name."""
        return sorted(all_models(self._folders), key=lambda model: model.id != BUNDLED_ID)

    def get(self, id_: str) -> Model:
        """A model on this machine.

        Raises:
            NotFound: it is not here; the sentence says how to get it.
        """
        return get_model(self._folders, id_)

    def known(self, name: str, now: datetime) -> Model:
        """A model on this machine, or what the list knows of one that is not.

        Args:
            name: an id of the list or of this machine.
            now: the time.

        Raises:
            NotFound: neither.
        """
        entry = find_entry(name)
        try:
            return self.get(entry.id if entry else name)
        except NotFound:
            if entry is None:
                raise
        return Model(
            id=entry.id,
            name=entry.title,
            created_at=now,
            source=entry.source,
            license=entry.license,
            parameters=entry.parameters,
            context_length=entry.context_length,
            architecture={name: size for name, size in entry.shape._asdict().items() if size},
        )

    def pull_id(self, name: str) -> str:
        """The id that a model of the list or of the Hub gets on this machine.

        Raises:
            BadInput: there can be no such model.
        """
        return model_id(name)

    def pull(self, name: str) -> Job:
        """Get a model; one that is here already is left as it is.

        Args:
            name: an id of the model list, or a Hub id.

        Raises:
            BadInput: there can be no such model.
        """
        id_, entry = model_id(name), find_entry(name)
        inputs: dict[str, Any] = {
            "hub_id": hub_id(name),
            "endpoint": self._settings.hf_endpoint,
            "offline": self._settings.offline,
            "bundle": BUNDLE._asdict() if id_ == BUNDLED_ID else None,
        }
        return self._submit(id_, inputs, title=entry.title if entry else hub_id(name))

    def pull_folder(self, path: Path) -> tuple[str, Job]:
        """Copy a model from a folder of this machine; for the command line, never for the dashboard.

        Returns:
            The id that it gets, and the job.

        Raises:
            BadInput: there is no such folder, or another model has its name.
        """
        folder = path.expanduser().resolve()
        if not folder.is_dir():
            raise BadInput("models.no_folder", "There is no folder {path}.", path=path)
        id_ = id_from_name(folder.name)
        here = next((model for model in self.all() if model.id == id_), None)
        if here is not None and here.source != str(folder):
            raise BadInput(
                "models.name_taken",
                "There is a model {model} already, from {source}. Rename the folder and pull it again.",
                model=id_,
                source=here.source,
            )
        return id_, self._submit(id_, {"folder": str(folder)}, title=folder.name)

    def job(self, id_: str) -> Job:
        """The newest download of a model.

        Raises:
            NotFound: there never was one.
        """
        return self._jobs.of(_pull_folder(id_))

    def wait(self, name: str, on_look: Callable[[Job, dict[str, Any]], None] | None = None) -> Job:
        """Supervise the download of a model until it has ended; ``on_look`` gets the job and the heartbeat."""
        return self._jobs.wait(_pull_folder(model_id(name)), on_look=on_look)

    def render(
        self, id_: str, messages: Iterable[Mapping[str, Any]], add_generation_prompt: bool = False
    ) -> str:
        """A conversation as the model sees it.

        Raises:
            NotFound: the model is not here.
            BadInput: it has no chat template, or one that refuses this conversation.
        """
        self.get(id_)
        template: ChatTemplate = self._template(self._folders.model(id_))
        return template.render(messages, add_generation_prompt)

    def _submit(self, id_: str, inputs: dict[str, Any], title: str) -> Job:
        work = self._folders.work(_pull_folder(id_))
        write_json(
            work / "inputs.json",
            {"id": id_, "title": title, "target": str(self._folders.model(id_)), **inputs},
        )
        return self._jobs.submit("pull", _pull_folder(id_), lane=_LANE)


def _pull_folder(id_: str) -> str:
    return f"pull-{id_}"
