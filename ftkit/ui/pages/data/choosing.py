"""What a page below Data shows without a dataset in its address: those that it could be about.

Takes the workspace and the page's name, gives ``Markup``. It chooses none by itself.
"""

from markupsafe import Markup

from ftkit.data.health.words import words
from ftkit.ui import html
from ftkit.ui.i18n import say
from ftkit.workspace import Workspace


def choose_dataset(workspace: Workspace, page: str, lang: str) -> Markup:
    """A link to the page for each dataset, or the way to the first one."""
    datasets = workspace.data.all()
    if not datasets:
        link = html.link("/data", say("data.choose.empty.link", lang), primary=True)
        title, text = say("data.choose.empty.title", lang), say("data.choose.empty.text", lang)
        return html.empty(title, text, link)
    links = html.join(
        Markup("<li>{} <small>{} · {}</small></li>").format(
            html.link_text(html.url(page, dataset=one.id), one.name),
            words(lang).rows(one.rows),
            html.moment(one.created_at),
        )
        for one in datasets
    )
    return Markup('<div class="ft-card">{}<ul>{}</ul></div>').format(
        html.heading(say("data.choose.title", lang)), links
    )
