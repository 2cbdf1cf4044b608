"""What a study's page sends while raters work: only what has changed."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from ftkit.settings import Settings
from ftkit.ui.pages.ratings.watching import WatchingSection
from ftkit.workspace import Workspace
from tests.studied import make_study, whole


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path / "home")})) as workspace:
        yield workspace


def section(workspace: Workspace) -> WatchingSection:
    with gr.Blocks():
        return WatchingSection(workspace)


def visit(**ids: str) -> Any:
    return SimpleNamespace(query_params=ids, cookies={"ftkit_lang": "en"}, headers={})


def changed(page: WatchingSection, sent: list[Any]) -> list[str]:
    """Parts of which something was sent; the first three are the marks, the whole and the clock."""
    places, found = 3, []
    for part in page._parts:
        own = sent[places : places + len(part.shown)]
        places += len(part.shown)
        if any(one != gr.skip() for one in own):
            found.append(type(part).__name__)
    assert places == len(sent)
    return found


def test_a_rating_sends_what_it_changes_and_nothing_else(workspace: Workspace) -> None:
    study = make_study(workspace, prompts=2, overlap=1)
    page, request = section(workspace), visit(study=study)
    seen, _, clock, *_ = sent = page._show(request, {})
    assert len(changed(page, sent)) == len(page._parts)
    assert not clock.active  # nobody can rate yet
    assert page._show(request, seen) == gr.skip()

    workspace.studies.open(study)
    token = workspace.studies.invite(study, ["Ayşe"])[0].token
    seen, _, clock, *_ = page._show(request, seen)
    assert clock.active
    task = workspace.raters.task(token)
    seen = page._show(request, seen)[0]  # the rater was seen
    workspace.raters.submit(token, task["task"]["id"], "a" * 32, whole(task), 9.0)
    sent = page._show(request, seen)
    assert changed(page, sent) == ["HeadPart", "PeoplePart", "ResultsPart", "ItemsPart"]
    assert page._show(request, sent[0]) == gr.skip()

    workspace.studies.close(study)
    _, _, clock, *_ = sent = page._show(request, sent[0])
    assert "NextPart" in changed(page, sent)
    assert not clock.active
    assert any("Items that give them: 1 of 2" in str(one) for one in sent)


@pytest.mark.parametrize("ids", [{}, {"study": "nobody"}])
def test_without_a_study_nothing_of_one_is_shown(workspace: Workspace, ids: dict[str, str]) -> None:
    page = section(workspace)
    seen, whole_, clock, *rest = page._show(visit(**ids), {"HeadPart": "old"})
    assert (seen, whole_.visible, clock.active) == ({}, False, False)
    assert rest == [gr.skip()] * len(rest)
