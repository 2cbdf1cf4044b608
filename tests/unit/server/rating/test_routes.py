"""The raters' routes, over HTTP at the real application."""

import uuid

import httpx
import pytest
from fastapi import FastAPI

from ftkit.server.rating.cookies import RaterCookies
from ftkit.server.rating.routes import add_rating
from tests.studied import open_study, whole
from tests.unit.server.conftest import serving


def new() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def rating(workspace):
    return open_study(workspace, raters=2, prompts=4, overlap=2, name="Which is better?")


@pytest.fixture
def rater(address, rating):
    with httpx.Client(base_url=address, timeout=20) as client:
        assert client.get(f"/invite/{rating[1][0]}").status_code == 303
        yield client


def submit(client, told, submission=None, **changes):
    body = {"submission": submission or new(), "values": whole(told), "seconds": 2.5} | changes
    return client.post(f"/rate/api/task/{told['task']['id']}/rating", json=body)


def test_an_invitation_becomes_a_cookie_and_leads_to_the_page(stranger, rating):
    answer = stranger.get(f"/invite/{rating[1][0]}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/rate")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("ftkit_rater_")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    page = stranger.get("/rate", headers={"accept-language": "tr"})
    assert page.status_code == 200
    assert '<html lang="tr"' in page.text
    assert page.headers["cache-control"] == "private, no-store"


def test_a_rater_rates_all_and_sees_it(rater, workspace, rating):
    told = rater.get("/rate/api/task").json()
    assert told["study"]["title"] == "Which is better?"
    assert told["rater"] == "Rater 0"
    while told["state"] == "task":
        draft = rater.put(
            f"/rate/api/task/{told['task']['id']}/draft", json={"values": {"comment": "hm"}, "number": 1}
        )
        assert draft.json() == {"number": 1}
        answer = submit(rater, told)
        assert answer.status_code == 200
        told = answer.json()["next"]
    assert told["state"] == "finished"
    lines = rater.get("/rate/api/tasks").json()["rated"]
    assert len(lines) == 4
    again = rater.get(f"/rate/api/task/{lines[0]['id']}").json()
    assert again["task"]["rating"] == {"choice": 0}
    assert submit(rater, again, values={"choice": "tie"}).json()["revision"] == 2
    assert workspace.studies.get(rating[0]).ratings == 4


def test_a_submission_sent_again_gets_the_same_reply(rater, workspace, rating):
    told, submission = rater.get("/rate/api/task").json(), new()
    first = submit(rater, told, submission)
    assert submit(rater, told, submission).json() == first.json()
    assert workspace.studies.get(rating[0]).changes == 1


def test_a_skipped_task_is_followed_by_another(rater):
    told = rater.get("/rate/api/task").json()
    answer = rater.post(f"/rate/api/task/{told['task']['id']}/skip")
    assert answer.json()["next"]["task"]["id"] != told["task"]["id"]


def test_errors_are_told_in_the_reader_s_language(rater, workspace, rating):
    told = rater.get("/rate/api/task").json()
    cases = [
        (rater.get("/rate/api/task/none"), 404, "raters.no_task"),
        (submit(rater, told, values={"choice": 7}), 422, "raters.bad_value"),
        (submit(rater, told, values={"choice": 0, "side": "a"}), 422, "raters.bad_value"),
        (submit(rater, told, more=1), 422, "raters.bad_request"),
        (submit(rater, told, seconds="long"), 422, "raters.bad_request"),
        (rater.post(f"/rate/api/task/{told['task']['id']}/rating", content=b"{"), 422, "raters.bad_request"),
        (
            rater.post(f"/rate/api/task/{told['task']['id']}/rating", content=b"[" * 100_000),
            422,
            "raters.bad_request",
        ),
        (rater.delete("/rate/api/task"), 404, "raters.no_page"),
        (rater.get("/rate/api/"), 404, "raters.no_page"),
        (rater.get("/rate/api/../../config"), 401, None),
        (rater.get("/rate/api/%2e%2e/%2e%2e/config"), 404, "raters.no_page"),
    ]
    for answer, status, key in cases:
        assert answer.status_code == status, answer.text
        assert key is None or answer.json()["error"]["key"] == key
    turkish = rater.get("/rate/api/task/none", headers={"accept-language": "tr"})
    assert turkish.json()["error"]["text"].startswith("Böyle bir göreviniz yok")
    workspace.studies.close(rating[0])
    assert submit(rater, told).status_code == 409
    assert rater.get("/rate/api/task").json()["state"] == "closed"


def test_texts_have_a_limit_and_so_have_bodies(rater):
    told = rater.get("/rate/api/task").json()
    long = {"choice": 0, "comment": "x" * 20_001}
    assert submit(rater, told, values=long).status_code == 422
    answer = rater.post(f"/rate/api/task/{told['task']['id']}/rating", content=b" " * 800_000)
    assert answer.status_code == 413
    largest = {
        "choice": 0,
        "comment": "\u20ac" * 20_000,
        "edits": {"0": "\u20ac" * 20_000, "1": "ç" * 20_000},
    }
    assert submit(rater, told, values=largest).status_code == 200


def test_half_an_emoji_is_taken(rater):
    told = rater.get("/rate/api/task").json()
    body = f'{{"submission":"{new()}","values":{{"choice":0,"comment":"a\\ud83d\\u0000"}},"seconds":1.0}}'
    answer = rater.post(f"/rate/api/task/{told['task']['id']}/rating", content=body.encode())
    assert answer.status_code == 200
    shown = rater.get(f"/rate/api/task/{told['task']['id']}").json()["task"]["rating"]
    assert shown["comment"] == "a\ufffd"


def test_without_the_cookie_there_is_a_page_in_words(stranger, rating):
    answer = stranger.get("/rate", headers={"accept-language": "tr"})
    assert answer.status_code == 403
    assert "davet edilenler içindir" in answer.text
    assert stranger.get("/rate/api/task").status_code == 403
    port = stranger.base_url.port
    for value in ("x", rating[1][0], f"{rating[1][0]}.", f"{rating[1][0]}.00"):
        headers = {"cookie": f"ftkit_rater_{port}={value}"}
        assert stranger.get("/rate/api/task", headers=headers).status_code == 403, "a made-up cookie"


def test_the_owner_s_session_is_no_invitation_and_an_invitation_no_session(owner, rater):
    assert owner.get("/rate/api/task").status_code == 403
    for path in (
        "/config",
        "/studies",
        "/ratings",
        "/gradio_api/queue/data",
        "/gradio_api/call/x",
        "/report/x",
    ):
        assert rater.get(path).status_code == 401


def test_a_revoked_rater_is_out_at_once(rater, workspace, rating):
    told = rater.get("/rate/api/task").json()
    workspace.studies.revoke(rating[0], workspace.studies.raters(rating[0])[0].rater)
    assert rater.get("/rate/api/task").status_code == 403
    assert submit(rater, told).status_code == 403
    assert rater.get("/rate").status_code == 403
    assert rater.get(f"/invite/{rating[1][0]}").status_code == 403


def test_wrong_invitations_have_a_limit(workspace):
    _, [token] = open_study(workspace)
    app = FastAPI()  # of its own: wrong ones are counted by address
    add_rating(app, workspace.raters, RaterCookies(b"key", framed=False))
    with serving(app) as address, httpx.Client(base_url=address) as client:
        statuses = [client.get(f"/invite/wrong-{n}").status_code for n in range(12)]
        assert statuses == [403] * 10 + [429] * 2
        assert client.get(f"/invite/{token}").status_code == 429, "even the right one has to wait"


def test_other_pages_cannot_rate_in_a_rater_s_name(rater):
    told = rater.get("/rate/api/task").json()
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = rater.post(f"/rate/api/task/{told['task']['id']}/skip", headers=headers)
        assert answer.status_code == 403
