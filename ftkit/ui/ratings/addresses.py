"""Addresses that lead round the loop: from ratings to training, from a trained run to its measuring and to the next study.

Takes what the loop says is next, gives addresses of pages. It decides on nothing.
"""

from ftkit.loop.service import NextStudy, NextTraining
from ftkit.ui import html


def to_training(following: NextTraining) -> str:
    """The train page, filled in."""
    return html.url(
        "train",
        split=following.split,
        recipe=following.recipe,
        start_from_run=following.start_from_run,
        model="" if following.start_from_run else following.model,
    )


def to_study(following: NextStudy) -> str:
    """The page of studies with the form filled in."""
    return html.url("ratings", sides=",".join(following.sides), split=following.split, part=following.part)


def to_evaluation(run: str) -> str:
    """The page that measures a run."""
    return html.url("evaluate", run=run)
