"""Versions: tested before the switch, canaries with a share, promoted, rolled back, stopped."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkit.errors import BadInput, NotFound, Refused, WorkerFault
from ftkit.serving.versions.standing import goes_to_canary
from ftkit.store.serving import versions as stored


def deployed(serving, target: str, **options):
    version = serving.wait(serving.deploy(target, **options).id, 10)
    assert version.state != "trying"
    return version


def states(serving) -> dict[str, str]:
    return {version.label: version.state for version in serving.versions()}


def refusal(act, *given):
    with pytest.raises(Refused) as caught:
        act(*given)
    return caught.value.key


def test_a_version_goes_live_only_after_its_test(serving, parrot) -> None:
    assert refusal(serving.pick, "u") == "serving.nothing_live"
    version = deployed(serving, "run:a")
    assert version.state == "live"
    assert serving.pick("u").id == version.id
    assert version.smoke["passed"]
    assert [check["tokens"] > 0 for check in version.smoke["checks"]] == [True] * 3
    assert len(parrot.asked) == 3
    assert all(asked.temperature == 0 for _, asked in parrot.asked)


def test_a_version_that_fails_its_test_is_refused_and_the_former_one_stays(serving, parrot) -> None:
    first = deployed(serving, "run:a")
    parrot.fail_with = WorkerFault("test.broke", "It broke. Ask again.")
    second = deployed(serving, "run:b")
    assert second.state == "refused"
    assert second.smoke["error"]["key"] == "test.broke"
    assert serving.pick("u").id == first.id
    assert serving.state().refused[0].id == second.id
    assert refusal(serving.promote, second.id) == "serving.not_tested"
    serving.retire(second.id)
    assert refusal(serving.promote, second.id) == "serving.not_tested"


def test_an_engine_that_breaks_in_a_way_of_its_own_refuses_the_version_too(serving, parrot) -> None:
    parrot.fail_with = ZeroDivisionError("planted")
    version = deployed(serving, "run:a")
    assert version.state == "refused"
    assert version.smoke["error"]["key"] == "serving.test_failed"


def test_empty_answers_are_refused_unless_they_are_meant(serving, parrot) -> None:
    parrot.silent.add("a")
    refused = deployed(serving, "run:a")
    assert refused.smoke["error"]["key"] == "serving.empty_answers"
    assert deployed(serving, "run:a", anyway=True).state == "live"


def test_what_cannot_be_served_is_refused_before_it_is_tested(serving) -> None:
    with pytest.raises(NotFound):
        serving.deploy("export:nothing")
    with pytest.raises(BadInput, match="resident"):
        serving.deploy("run:a", engine="llamacpp")
    assert serving.versions() == []


def test_a_rollback_walks_back_and_any_tested_version_comes_back_at_once(serving, parrot, clock) -> None:
    for name in "abc":
        deployed(serving, f"run:{name}")
        clock.pass_by(minutes=1)
    asked = len(parrot.asked)
    assert serving.rollback().label == "b"
    clock.pass_by(minutes=1)
    assert serving.rollback().label == "a"
    assert refusal(serving.rollback) == "serving.no_standby"
    c = next(version for version in serving.versions() if version.label == "c")
    assert serving.promote(c.id).state == "live"
    assert states(serving) == {"a": "standby", "b": "retired", "c": "live"}
    assert len(parrot.asked) == asked  # nothing was tested again
    assert [event.event for event in serving.state().events][:3] == ["promoted", "rolled_back", "rolled_back"]


def test_a_canary_gets_its_share_and_users_keep_their_version(serving) -> None:
    assert refusal(serving.canary, "run:b", 0.2) == "serving.no_live"
    deployed(serving, "run:a")
    canary = serving.wait(serving.canary("run:b", 0.2).id, 10)
    assert (canary.state, canary.share) == ("canary", 0.2)
    picked = {f"user {n}": serving.pick(f"user {n}").label for n in range(500)}
    assert 60 < Counter(picked.values())["b"] < 140
    assert picked == {user: serving.pick(user).label for user in picked}
    wider = serving.canary(canary.id, 0.5)
    assert wider.share == 0.5
    # Whoever had it keeps it while the share grows.
    assert all(serving.pick(user).label == "b" for user, label in picked.items() if label == "b")
    assert serving.promote().label == "b"
    assert states(serving) == {"a": "standby", "b": "live"}
    assert serving.state().share == 0


def test_an_ended_canary_answers_nobody_and_a_rollback_ends_it_too(serving, clock) -> None:
    deployed(serving, "run:a")
    assert refusal(serving.end_canary) == "serving.no_canary"
    canary = serving.wait(serving.canary("run:b", 0.99).id, 10)
    serving.end_canary()
    assert serving.state().canary is None
    assert {serving.pick(str(n)).label for n in range(50)} == {"a"}
    clock.pass_by(minutes=1)
    deployed(serving, "run:c")
    serving.canary(canary.id, 0.99)
    assert serving.rollback().label == "a"
    assert states(serving) == {"a": "live", "b": "retired", "c": "retired"}


def test_one_canary_takes_the_place_of_another(serving) -> None:
    live = deployed(serving, "run:a")
    for name in "bc":
        serving.wait(serving.canary(f"run:{name}", 0.3).id, 10)
    assert states(serving) == {"a": "live", "b": "retired", "c": "canary"}
    assert refusal(serving.canary, live.id, 0.3) == "serving.live_already"
    for share in (0, 1, -1, float("nan")):
        with pytest.raises(BadInput):
            serving.canary("run:b", share)


def test_stopped_serving_answers_nothing_until_it_is_rolled_back(serving) -> None:
    version = deployed(serving, "run:a")
    serving.stop()
    assert refusal(serving.pick, "u") == "serving.nothing_live"
    assert serving.rollback().id == version.id


def test_what_is_served_or_could_come_back_is_in_use(serving, clock) -> None:
    first = deployed(serving, "run:a")
    clock.pass_by(minutes=1)
    second = deployed(serving, "run:b")
    assert refusal(serving.retire, second.id) == "serving.in_use"
    assert serving.in_use("run:a")
    serving.retire(first.id)
    assert not serving.in_use("run:a")
    assert serving.in_use("run:b")
    assert not serving.in_use("run:c")


def test_a_test_whose_process_went_away_is_given_up(serving, database, clock) -> None:
    version = deployed(serving, "run:a")
    with database.write() as connection:
        line = stored.get(connection, version.id)
        assert line is not None
        stored.add(connection, line._replace(id="orphan", label="orphan", state="trying"))
    serving.tick()
    assert serving.get("orphan").state == "trying"
    clock.pass_by(minutes=21)
    serving.tick()
    orphan = serving.get("orphan")
    assert orphan.state == "refused"
    assert orphan.smoke["error"]["key"] == "serving.test_gone"
    assert serving.pick("u").id == version.id


def test_somebody_always_answers_while_versions_are_switched(serving, clock) -> None:
    clock.time -= timedelta(days=1)
    a = deployed(serving, "run:a").id
    b = deployed(serving, "run:b").id
    found: list[str] = []
    done = threading.Event()

    def keep_picking() -> None:
        while not done.is_set():
            found.append(serving.pick("u").label)

    threads = [threading.Thread(target=keep_picking) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        serving.promote(a)
        serving.promote(b)
    done.set()
    for thread in threads:
        thread.join()
    assert set(found) <= {"a", "b"}


@given(st.text(max_size=20), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_larger_share_keeps_everybody_of_the_smaller(user, one, other) -> None:
    smaller, larger = sorted((one, other))
    assert not goes_to_canary(user, "v", smaller) or goes_to_canary(user, "v", larger)
