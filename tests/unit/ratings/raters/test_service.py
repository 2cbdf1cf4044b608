"""What raters do, through the real store."""

import uuid

import pytest

from ftkit.errors import BadInput, NotAllowed, NotFound, Refused
from ftkit.ratings.raters.service import RaterService
from ftkit.store import engine
from ftkit.workspace import random_id
from tests.studied import make_study, open_study, whole


def new() -> str:
    return str(uuid.uuid4())


def rate(workspace, token, told, submission=None, better=0):
    return workspace.raters.submit(token, told["task"]["id"], submission or new(), whole(told, better), 3.0)


@pytest.mark.parametrize("protocol", ["pairs", "scales", "ranking", "pass_fail"])
def test_a_rater_goes_through_a_study(workspace, protocol):
    study, [token] = open_study(workspace, prompts=3, protocol=protocol, overlap=1)
    told = workspace.raters.task(token)
    for done in range(3):
        assert told["state"] == "task"
        assert told["progress"] == {"rated": done, "may_become": 3}
        told = rate(workspace, token, told)["next"]
    assert told["state"] == "finished"
    assert told["task"] is None
    rated = workspace.studies.rated(study)
    assert sorted(one.place for one in rated) == [0, 1, 2]
    view = workspace.studies.get(study)
    assert (view.ratings, view.wanted, view.complete, view.changes) == (3, 3, 3, 3)
    assert workspace.studies.verify(study) == (3, None)


def test_what_is_said_of_the_page_is_stored_of_the_item(workspace):
    study, tokens = open_study(workspace, raters=4, prompts=5, overlap=4)
    for token in tokens:
        told = workspace.raters.task(token)
        while told["state"] == "task":
            better = next(n for n, text in enumerate(told["task"]["answers"]) if text.startswith("Answer 1"))
            told = rate(workspace, token, told, better=better)["next"]
    rated = workspace.studies.rated(study)
    assert len(rated) == 20
    assert {one.values["choice"] for one in rated} == {1}
    assert {one.order for one in rated} == {(0, 1), (1, 0)}


def test_the_same_submission_is_stored_once(workspace):
    study, [token] = open_study(workspace, prompts=2)
    told, submission = workspace.raters.task(token), new()
    first = rate(workspace, token, told, submission)
    assert rate(workspace, token, told, submission) == first
    edited = rate(workspace, token, told, better=1)
    assert edited["revision"] == 2
    late = rate(workspace, token, told, submission)
    assert late["revision"] == 1, "a late copy of the first is no third edit"
    assert [line["revision"] for line in workspace.studies.history(study)] == [1, 2]
    assert len(workspace.studies.rated(study)) == 1
    shown = workspace.raters.shown(token, told["task"]["id"])
    assert shown["task"]["rating"] == {"choice": 1}
    workspace.studies.close(study)
    assert rate(workspace, token, told, submission)["revision"] == 1, "it was stored before the close"


def test_a_submission_of_another_task_is_refused(workspace):
    _, [token] = open_study(workspace, prompts=2)
    told, submission = workspace.raters.task(token), new()
    other = rate(workspace, token, told, submission)["next"]
    with pytest.raises(Refused, match="another task"):
        rate(workspace, token, other, submission)


def test_a_task_of_somebody_else_is_none(workspace):
    _, [token, stranger] = open_study(workspace, raters=2, prompts=2)
    told = workspace.raters.task(token)
    for act in (
        lambda: rate(workspace, stranger, told),
        lambda: workspace.raters.shown(stranger, told["task"]["id"]),
        lambda: workspace.raters.save_draft(stranger, told["task"]["id"], {"choice": 0}, 1),
        lambda: workspace.raters.skip(stranger, told["task"]["id"]),
    ):
        with pytest.raises(NotFound):
            act()


def test_a_revoked_rater_is_out_at_once_and_a_new_link_lets_them_in(workspace):
    study, [token, other] = open_study(workspace, raters=2, prompts=1, overlap=1)
    told = workspace.raters.task(token)
    assert workspace.raters.task(other)["state"] == "waiting"
    rater = workspace.studies.raters(study)[0].rater
    workspace.studies.revoke(study, rater)
    with pytest.raises(NotAllowed, match="withdrawn"):
        rate(workspace, token, told)
    assert workspace.raters.task(other)["state"] == "task", "what they had is free for others"
    renewed = workspace.studies.renew(study, rater)
    with pytest.raises(NotAllowed, match="not known"):
        workspace.raters.task(token)
    assert workspace.raters.task(renewed.token)["state"] == "waiting"
    with pytest.raises(NotFound):
        workspace.studies.revoke(study, "nobody")


def test_a_lease_that_ran_out_goes_to_others(workspace, clock):
    study, [slow, quick] = open_study(workspace, raters=2, prompts=1, overlap=1)
    left = workspace.raters.task(slow)
    assert workspace.raters.task(quick)["state"] == "waiting"
    clock.pass_by(11)
    taken = workspace.raters.task(quick)
    assert taken["state"] == "task"
    assert workspace.raters.task(slow)["state"] == "waiting"
    with pytest.raises(Refused, match="go on with the next one"):
        rate(workspace, slow, left)
    assert rate(workspace, quick, taken)["next"]["state"] == "finished"
    with pytest.raises(Refused, match="go on with the next one"):
        rate(workspace, slow, left)
    assert workspace.raters.task(slow)["state"] == "finished"
    assert len(workspace.studies.rated(study)) == 1


def test_a_late_rating_is_taken_while_there_is_room(workspace, clock):
    _, [token] = open_study(workspace, prompts=1, overlap=1)
    told = workspace.raters.task(token)
    clock.pass_by(60)
    assert rate(workspace, token, told)["revision"] == 1


def test_a_draft_keeps_the_task_and_comes_back(workspace, clock):
    _, [token, other] = open_study(workspace, raters=2, prompts=1, overlap=1)
    task = workspace.raters.task(token)["task"]["id"]
    for number in (1, 2):
        clock.pass_by(8)
        assert workspace.raters.save_draft(token, task, {"comment": f"draft {number}"}, number) == {
            "number": number
        }
    clock.pass_by(8)
    assert workspace.raters.task(other)["state"] == "waiting"
    assert workspace.raters.save_draft(token, task, {"comment": "late"}, 1) == {"number": 2}
    told = workspace.raters.task(token)["task"]
    assert (told["draft"], told["draft_number"]) == ({"comment": "draft 2"}, 2)
    assert rate(workspace, token, {"task": told, "study": {"protocol": "pairs"}})["revision"] == 1
    assert workspace.raters.shown(token, task)["task"]["draft"] is None


def test_a_skipped_task_goes_to_others_only(workspace):
    _, [token, other] = open_study(workspace, raters=2, prompts=1, overlap=1)
    task = workspace.raters.task(token)["task"]["id"]
    assert workspace.raters.skip(token, task)["next"]["state"] == "finished"
    told = workspace.raters.task(other)
    assert told["state"] == "task"
    rate(workspace, other, told)
    with pytest.raises(Refused):
        workspace.raters.skip(other, told["task"]["id"])


def test_only_an_open_study_takes_ratings(workspace):
    study = make_study(workspace, prompts=1)
    [invite] = workspace.studies.invite(study, ["Ada"])
    assert workspace.raters.task(invite.token)["state"] == "not_open"
    workspace.studies.open(study)
    told = workspace.raters.task(invite.token)
    workspace.studies.close(study)
    assert workspace.raters.task(invite.token)["state"] == "closed"
    with pytest.raises(Refused, match="closed"):
        rate(workspace, invite.token, told)
    assert workspace.raters.shown(invite.token, told["task"]["id"])["state"] == "closed"
    workspace.studies.open(study)
    assert rate(workspace, invite.token, told)["revision"] == 1


def test_bad_values_and_ids_are_refused(workspace):
    _, [token] = open_study(workspace, prompts=1)
    told = workspace.raters.task(token)
    with pytest.raises(BadInput):
        workspace.raters.submit(token, told["task"]["id"], new(), {"choice": 2}, 1.0)
    with pytest.raises(BadInput):
        workspace.raters.submit(token, told["task"]["id"], "x", {"choice": 1}, 1.0)
    with pytest.raises(NotAllowed):
        workspace.raters.task("x")
    assert workspace.raters.mine(token) == []


def test_what_was_rated_is_listed(workspace):
    _, [token] = open_study(workspace, prompts=2)
    told = workspace.raters.task(token)
    rate(workspace, token, told)
    [line] = workspace.raters.mine(token)
    assert (line["id"], line["revision"]) == (told["task"]["id"], 1)
    assert line["beginning"] == told["task"]["prompt"][-1]["content"]


def test_raters_stay_in_the_order_of_their_invitation(workspace):
    study = make_study(workspace, prompts=1)
    workspace.studies.invite(study, ["Zoe", "Ada", "Mia"])
    assert [one.name for one in workspace.studies.raters(study)] == ["Zoe", "Ada", "Mia"]


def test_one_connection_is_enough(workspace, clock, tmp_path, monkeypatch):
    """On a network disk there is no second one: who asks for it inside a transaction waits for themselves."""
    _, [token] = open_study(workspace, prompts=2, gold=1)
    workspace.close()
    mounts = tmp_path / "mounts"
    mounts.write_text(f"nas:/a {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setitem(engine._ONE_CONNECTION, "pool_timeout", 2)
    database = engine.Database(workspace.settings.store_url, clock, mounts)
    assert database.file.alone
    raters = RaterService(database, clock, random_id)
    told = raters.task(token)
    raters.save_draft(token, told["task"]["id"], {"comment": "x"}, 1)
    told = raters.submit(token, told["task"]["id"], new(), whole(told), 1.0)["next"]
    assert raters.skip(token, told["task"]["id"])["next"]["state"] == "task"
    assert len(raters.mine(token)) == 1
    database.close()
