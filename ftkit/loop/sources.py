"""From what a person wants served to where its model lies, and to rows that it was trained like.

Takes targets (``run:…``, ``checkpoint:…``, ``export:…``, ``base:…``, ``https://…#model``), gives sources of the engines and prompts. It asks no
model.
"""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from ftkit.data.prompts.service import PromptService
from ftkit.errors import BadInput, FtkitError, NotFound, Refused
from ftkit.export.service import ExportService
from ftkit.ratings.sides.names import Side
from ftkit.ratings.sides.service import SideService
from ftkit.records import Part, Run
from ftkit.serving.engines.asking import Asked, Source
from ftkit.serving.versions.smoke import asked_of

_ROWS, _SEED = 2, 0
_PARTS: tuple[Part, ...] = ("test", "validation", "train")
_SCHEMES = ("http", "https")
_EXPORT = "export:"


class Sources:
    """The sources of one data folder."""

    def __init__(
        self, sides: SideService, exports: ExportService, prompts: PromptService, run_of: Callable[[str], Run]
    ) -> None:
        self._sides = sides
        self._exports = exports
        self._prompts = prompts
        self._run_of = run_of

    def resolve(self, target: str) -> Source:
        """Where the model of a target lies.

        Raises:
            BadInput: it is no target.
            NotFound: there is no such model, run or export.
            Refused: it has left nothing that could be served.
        """
        if target.startswith(tuple(f"{scheme}://" for scheme in _SCHEMES)):
            return _upstream(target)
        if target.startswith(_EXPORT):
            return self._export(target.removeprefix(_EXPORT))
        side = Side.parse(target)
        place = self._sides.place(side)
        run = side.id if side.kind in {"run", "checkpoint"} else ""
        return Source(self._sides.label(side), place.model, place.tuned, strength=side.strength, run=run)

    def target(self, name: str) -> str:
        """The target that a person means: one as it stands, or the bare id of an export, a run or a base model.

        Raises:
            NotFound: there is nothing of that id.
        """
        if ":" in name:
            return name
        for kind in ("export", "run", "base"):
            try:
                self.resolve(f"{kind}:{name}")
            except NotFound:
                continue
            return f"{kind}:{name}"
        raise NotFound(
            "serving.no_target",
            "There is no run, export or model {name}. ftkit runs list and ftkit models list show what there is.",
            name=repr(name),
        )

    def _export(self, id_: str) -> Source:
        view = self._exports.get(id_)
        export, folder = view.export, self._exports.folder(id_)
        if export.target == "gguf":
            return Source(export.name, gguf=next(iter(sorted(folder.glob("*.gguf")))), run=export.run)
        if export.target not in {"adapter", "merged"}:
            raise Refused(
                "serving.for_others",
                "The export {name} is made for another program ({target}). Serve its run here, or an export as adapter, merged "
                "or gguf.",
                name=export.name,
                target=export.target,
            )
        base = self._sides.place(Side(kind="base", id=self._run_of(export.run).model)).model
        return Source(export.name, base, folder, run=export.run)

    def rows(self, source: Source) -> Sequence[Asked]:
        """A few rows of the run's own data that it did not learn from, where there are any."""
        if not source.run:
            return []
        split = self._run_of(source.run).split
        for part in _PARTS:
            try:
                drawn = self._prompts.of_split(split, part, _ROWS, _SEED)
            except (
                FtkitError
            ):  # an empty part, or data that was deleted: the fixed prompts are asked all the same
                continue
            return [asked_of(one.messages, one.plain) for one in drawn.prompts]
        return []


def _upstream(target: str) -> Source:
    """Another server: its address, with the model's name there behind ``#``."""
    address = urlsplit(target)
    if not address.hostname or not address.fragment or address.username or address.query:
        raise BadInput(
            "serving.bad_address",
            "{target} is no address of a server with its model. Write it as http://HOST:PORT/v1#MODEL.",
            target=repr(target),
        )
    url = f"{address.scheme}://{address.netloc}{address.path}".rstrip("/")
    return Source(f"{address.fragment} · {address.netloc}", url=url, name=address.fragment)
