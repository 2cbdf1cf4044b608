"""What a version is made of: from the name of a target to where its model lies.

Takes names of sides, or the address of another server, gives sources for the engines. It loads nothing and asks nobody.
"""

from ftkit.ratings.sides.names import Side
from ftkit.ratings.sides.service import SideService
from ftkit.serving.engines.asking import Source

_UPSTREAM = "upstream:"


def source_of(sides: SideService, target: str) -> Source:
    """The source behind ``base:…``, ``run:…``, ``checkpoint:…``, ``export:…`` or ``upstream:URL|MODEL``.

    Raises:
        BadInput: it is no such name.
        NotFound: there is nothing of this name.
        Refused: it has left nothing that can be asked.
    """
    if target.startswith(_UPSTREAM):
        url, _, name = target.removeprefix(_UPSTREAM).partition("|")
        return Source(label=name or url, url=url, name=name)
    side = Side.parse(target)
    place = sides.place(side)
    return Source(
        label=sides.label(side),
        model=place.model,
        tuned=place.tuned,
        gguf=place.gguf,
        strength=side.strength,
        run=sides.run_of(side),
    )
