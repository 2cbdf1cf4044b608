"""Whatever a rater asks for before the close, nothing tells which model wrote what: crawled over HTTP at the real application."""

import re
import uuid
from collections import Counter

import httpx
import pytest
from scipy.stats import chisquare

from tests.studied import SIDES, make_study, whole
from tests.unit.server.test_gate import routes

# Ids and names of the sides, and what their kinds are called.
NAMES = ("smollm2", "ab12cd34ef56", "base:", "run:", "checkpoint:", "gold", '"side":', '"row":', '"slices":')


def tells(text: str, *more: str) -> list[str]:
    """What a text says of the models."""
    return [name for name in (*NAMES, *more) if name.casefold() in text.casefold()]


class Watched:
    """A rater's client that keeps every response, head and body."""

    def __init__(self, address: str) -> None:
        self.client = httpx.Client(base_url=address, timeout=30)
        self.heard: list[str] = []

    def ask(self, method: str, path: str, **more) -> httpx.Response:
        answer = self.client.request(method, path, **more)
        self.heard.append(f"{answer.status_code} {path}\n{answer.headers}\n{answer.text}")
        return answer


@pytest.fixture(scope="module")
def crawl(workspace, app, address):
    """Three raters go through a study and ask for everything there is; gives the study and what they heard."""
    study = make_study(
        workspace,
        prompts=16,
        said=lambda prompt, side: f"Answer {'xy'[SIDES.index(side)]}, {prompt}.",
        gold=2,
        overlap=3,
        name="Blind",
    )
    invites = workspace.studies.invite(study, ["Ada", "Bo", "Cem"])
    watched = []
    for invite in invites:
        rater = Watched(address)
        rater.ask("GET", f"/invite/{invite.token}")
        rater.ask("GET", "/rate/api/task")  # not open yet
        watched.append((invite, rater))
    workspace.studies.open(study)
    for _, rater in watched:
        go_through(rater)
    ask_for_everything(*watched[0], app)
    yield study, watched
    for _, rater in watched:
        rater.client.close()


def go_through(rater) -> None:
    told = rater.ask("GET", "/rate/api/task").json()
    while told["state"] == "task":
        path = f"/rate/api/task/{told['task']['id']}"
        if told["progress"]["rated"] % 5 == 0:
            make_mistakes(rater, path)
        body = {"submission": str(uuid.uuid4()), "values": whole(told), "seconds": 1}
        told = rater.ask("POST", f"{path}/rating", json=body).json()["next"]
    rater.ask("GET", "/rate/api/tasks")


def make_mistakes(rater, path) -> None:
    rater.ask("GET", path)
    rater.ask("PUT", f"{path}/draft", json={"values": {"comment": "x"}, "number": 1})
    body = {"submission": str(uuid.uuid4()), "values": {"choice": 9}, "seconds": 1}
    rater.ask("POST", f"{path}/rating", json=body)
    rater.ask("POST", f"{path}/rating", content=b"{")
    rater.ask("GET", f"{path}x")


def ask_for_everything(invite, rater, app) -> None:
    accept = {"accept": "text/html"}
    for path in ("/rate", "/rate/", f"/invite/{invite.token}", "/invite/", "/rate/api/none", "/rate/x"):
        rater.ask("GET", path)
        rater.ask("GET", path, headers=accept)
    for method, path in sorted(set(routes(app))):
        with rater.client.stream(method, path) as answer:
            rater.heard.append(f"{answer.status_code} {path}\n{answer.headers}\n{answer.read().decode()}")
    for path in ("/config", "/openapi.json", "/docs", "/gradio_api/info", "/gradio_api/queue/data"):
        assert rater.ask("GET", path).status_code in {401, 404}, path


def test_no_response_tells_a_model(workspace, crawl):
    study, watched = crawl
    ids = [item.id for item in workspace.studies.items(study)]
    assert len(watched[0][1].heard) > 180, "too little was asked"
    for _, rater in watched:
        for text in rater.heard:
            assert tells(text, study, *ids) == [], text[:500]


def test_the_search_finds_what_it_looks_for(workspace, crawl):
    study, _ = crawl
    assert tells(workspace.studies.items(study)[0].model_dump_json()) != []


def test_the_gradio_pages_stay_closed(crawl):
    heard = crawl[1][0][1].heard
    statuses = {text.split(" ", 2)[1].partition("\n")[0]: text[:3] for text in heard}
    assert statuses["/config"] == "401"
    gradio = {status for path, status in statuses.items() if path.startswith("/gradio_api")}
    assert gradio == {"401"}, "a rater came through to Gradio"


def test_ids_do_not_tell_the_order(workspace, crawl):
    study, _ = crawl
    with workspace._database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT id, answer_order FROM assignments WHERE study = ?", (study,)
        ).all()
    orders = [(row[0], int(re.findall(r"\d", row[1])[0])) for row in rows]
    assert len(orders) == 3 * 18
    for digit in range(3):
        for bit in range(4):
            counts = Counter((int(id_[digit], 16) >> bit & 1) ^ first for id_, first in orders)
            assert chisquare([counts[0], counts[1]]).pvalue > 1e-5
    by_id = "".join(str(first) for _, first in sorted(orders))
    assert "01" * 10 not in by_id


def test_sides_stand_first_equally_often(workspace, crawl):
    rated = [one for one in workspace.studies.rated(crawl[0]) if one.gold is None]
    assert len(rated) == 48
    first = Counter(one.sides[one.order[0]] for one in rated)
    assert chisquare([first[side] for side in SIDES]).pvalue > 0.01
    for rater in {one.rater for one in rated}:
        own = Counter(one.sides[one.order[0]] for one in rated if one.rater == rater)
        assert chisquare([own[side] for side in SIDES]).pvalue > 1e-4
