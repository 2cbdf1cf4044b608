"""The command line over traffic that was recorded before; nothing answers and no worker starts."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ftkit.cli.monitoring.spans import moment
from ftkit.cli.session import open_workspace
from ftkit.errors import BadInput
from ftkit.monitoring.traffic.exchange import Feedback
from ftkit.monitoring.traffic.kept import TrafficSettings
from ftkit.store.serving import versions
from ftkit.store.serving.versions import VersionLine
from tests.monitored import NearMasker, exchange, failed
from tests.unit.cli.test_loop import documented

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def traffic(home) -> None:
    now = datetime.now(UTC)
    with open_workspace() as workspace:
        workspace.traffic._masker = NearMasker()
        workspace.traffic.choose(TrafficSettings(keep_texts=True))
        with workspace._database.write() as connection:
            versions.add(
                connection, VersionLine("v1", "base:tiny", "Tiny", "resident", "live", 0.0, None, now, now)
            )
        for number in range(30):
            at = now - timedelta(minutes=number)
            workspace.traffic.record(exchange(number, at=at) if number % 3 else failed(number, at=at))
        workspace.traffic.flush(20)
        for number in (1, 2, 4):
            said = Feedback(thumb=-1, correction="On Monday." if number == 1 else None)
            workspace.traffic.feedback(f"req-{number}", "k", said)
        workspace.traffic.flush(20)


def test_the_report_counts_what_there_is(ftkit, traffic):
    told = ftkit("monitor", "report", "--since", "24h", "--json")
    assert set(told.json) == documented("monitor report")
    summary = told.json["summary"]
    assert (summary["requests"], summary["failed"]["count"], summary["down"], summary["corrections"]) == (
        30,
        10,
        3,
        1,
    )
    assert ftkit("monitor", "report", "--version", "v9", "--json").json["summary"]["requests"] == 0
    shown = ftkit("monitor", "report").out
    assert "33.3%" in shown
    assert "3 (not enough data down)" in shown
    assert "Serve a model" in ftkit("monitor", "report", "--version", "v9").out


def test_a_harvest_is_looked_at_and_made(ftkit, traffic):
    looked = ftkit("monitor", "harvest", "--down", "--look", "--json").json
    assert (looked["dataset"], looked["rows"], len(looked["candidates"])) == (None, 3, 3)
    made = ftkit("monitor", "harvest", "--down", "--corrected", "--since", "1d", "--name", "Bad", "--json")
    assert set(made.json) == documented("monitor harvest")
    assert made.json["rows"] == 3
    with open_workspace() as workspace:
        rows = workspace.data.rows(made.json["dataset"])
        assert {row["messages"][-1]["content"] for row in rows} == {"On Monday.", "It is on its way."}
    none = ftkit("monitor", "harvest", "--down", "--json")
    assert (none.code, none.json["error"]["key"]) == (2, "harvest.nothing")
    assert ftkit("monitor", "harvest", "--json").json["error"]["key"] == "cli.no_reason"
    assert ftkit("monitor", "harvest", "--down", "--again", "--look", "--json").json["rows"] == 3


def test_settings_are_shown_and_changed(ftkit, home):
    first = ftkit("monitor", "settings", "--json")
    assert set(first.json) == documented("monitor settings")
    assert (first.json["keep_texts"], first.json["days"], first.json["webhook"]) == (False, 30, None)
    changed = ftkit(
        *("monitor", "settings", "--keep-texts", "--days", "7", "--error-share", "0", "--down-share", "0.5"),
        *("--reevaluate-days", "14", "--json"),
    ).json
    assert (changed["keep_texts"], changed["days"], changed["reevaluation"]["every_days"]) == (True, 7, 14)
    assert (changed["rules"]["error_share"], changed["rules"]["down_share"]) == (None, 0.5)
    refused = ftkit("monitor", "settings", "--webhook", "http://127.0.0.1:9/", "--json")
    assert (refused.code, refused.json["error"]["key"]) == (2, "alerts.hidden_address")
    assert ftkit("monitor", "settings", "--try-webhook", "--json").json["error"]["key"] == "alerts.no_webhook"
    assert "--keep-texts" in ftkit("monitor", "settings", "--drop-texts").out


def test_alerts_and_generations_are_listed(ftkit, traffic):
    assert ftkit("monitor", "alerts").out.strip() == "Nothing to report."
    with open_workspace() as workspace:
        workspace.alerts.raise_alert("drift", "v1", {"words": ["kargo"]})
    told = ftkit("monitor", "alerts", "--json")
    assert set(told.json) == documented("monitor alerts")
    assert told.json["alerts"][0]["values"] == {"words": ["kargo"]}
    assert ftkit("monitor", "alerts", "--seen", "all", "--json").json == {"alerts": [], "marked": 1}
    assert "kargo" in ftkit("monitor", "alerts", "--all").out
    found = ftkit("monitor", "generations", "--json").json["generations"]
    assert [(one["label"], one["run"], one["measured"]) for one in found] == [("Tiny", None, None)]
    assert "not evaluated" in ftkit("monitor", "generations").out


def test_a_check_without_training_rows_is_refused(ftkit, traffic):
    refused = ftkit("monitor", "check", "--json")
    assert (refused.code, refused.json["error"]["key"]) == (2, "drift.no_training")
    json.dumps(refused.json)


def test_moments_are_read_as_people_write_them():
    assert moment("30m", NOW) == NOW - timedelta(minutes=30)
    assert moment(" 2w ", NOW) == NOW - timedelta(weeks=2)
    assert moment("2026-03-01", NOW) == datetime(2026, 3, 1, tzinfo=UTC)
    assert moment("2026-03-01T10:00+03:00", NOW) == datetime(2026, 3, 1, 7, tzinfo=UTC)
    for text in ("", "x", "-1d", "7", "1y", "2026-13-01"):
        with pytest.raises(BadInput, match="30m"):
            moment(text, NOW)
