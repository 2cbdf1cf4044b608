"""Where a run goes on to ratings.

Takes the workspace and a run, gives an address. It makes no study.
"""

from ftkit.ui import html
from ftkit.workspace import Workspace


def next_study(workspace: Workspace, run: str) -> str:
    """The form of a new study of a run beside all that it was made from, filled in.

    Raises:
        NotFound: there is no such run.
    """
    following = workspace.loop.next_study(run)
    return html.url("ratings", sides=",".join(following.sides), split=following.split, part=following.part)
