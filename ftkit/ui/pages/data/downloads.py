"""Links to download a dataset or the parts of a split.

Takes records and the language, gives HTML. What the links lead to is made by the server when somebody follows one.
"""

from urllib.parse import urlencode

from markupsafe import Markup

from ftkit.downloads import FORMATS
from ftkit.records import PARTS, Dataset, Split
from ftkit.ui import html
from ftkit.ui.i18n import say

_NAMES = {"jsonl": "JSONL", "csv": "CSV", "parquet": "Parquet"}


def links(dataset: Dataset, split: Split | None, lang: str) -> Markup:
    """All formats of the dataset, and of each part of the split that is looked at."""
    rows = [_row(say("data.download.dataset", lang), dataset.id, "")]
    if split is not None:
        rows += [
            _row(say(f"data.split.{part}", lang), split.id, part) for part in PARTS if split.sizes.get(part)
        ]
    note = html.paragraph(say("data.download.note", lang))
    return html.details(say("data.download.title", lang), html.join([note, *rows]))


def _row(name: str, id_: str, part: str) -> Markup:
    made = []
    for to in FORMATS:
        query = {"to": to, **({"part": part} if part else {})}
        label = f"{name}, {_NAMES[to]}"
        made.append(
            Markup('<a class="ft-button" href="/download/{}?{}" download aria-label="{}">{}</a>').format(
                id_, urlencode(query), label, _NAMES[to]
            )
        )
    return Markup('<p class="ft-actions"><span>{}</span>{}</p>').format(name, html.join(made))
