"""What a version is made of: from the name of a target to where its model lies, and to rows that it was trained like.

Takes names of sides, or the address of another server, gives sources for the engines and prompts. It loads nothing and asks nobody.
"""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from ftkit.data.prompts.service import PromptService
from ftkit.errors import BadInput, FtkitError, NotFound
from ftkit.ratings.sides.names import Side
from ftkit.ratings.sides.service import SideService
from ftkit.records import Part, Run
from ftkit.serving.engines.asking import Asked, Source
from ftkit.serving.versions.smoke import asked_of

_UPSTREAM = "upstream:"
_ROWS, _SEED = 2, 0
_PARTS: tuple[Part, ...] = ("test", "validation", "train")


class Sources:
    """The sources of one data folder."""

    def __init__(self, sides: SideService, prompts: PromptService, run_of: Callable[[str], Run]) -> None:
        self._sides = sides
        self._prompts = prompts
        self._run_of = run_of

    def resolve(self, target: str) -> Source:
        """The source behind ``base:…``, ``run:…``, ``checkpoint:…``, ``export:…`` or ``upstream:URL|MODEL``.

        Raises:
            BadInput: it is no such name.
            NotFound: there is nothing of this name.
            Refused: it has left nothing that can be asked.
        """
        if target.startswith(_UPSTREAM):
            return _upstream(target)
        side = Side.parse(target)
        place = self._sides.place(side)
        return Source(
            label=self._sides.label(side),
            model=place.model,
            tuned=place.tuned,
            gguf=place.gguf,
            strength=side.strength,
            run=self._sides.run_of(side),
        )

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
    url, _, name = target.removeprefix(_UPSTREAM).partition("|")
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.hostname or not name or address.username:
        raise BadInput(
            "serving.bad_address",
            "{target} is no address of a server with its model. Write it as upstream:http://HOST:PORT/v1|MODEL.",
            target=repr(target),
        )
    return Source(label=name, url=url, name=name)
