"""Keys: told once, known by their hash, ended at once, limited by minute and by day."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from ftkit.errors import BadInput, NotAllowed, NotFound
from ftkit.serving.keys.service import KeyService, Limited
from ftkit.store.tables import api_keys, traffic


def refusal(act, *given):
    with pytest.raises(NotAllowed) as caught:
        act(*given)
    return caught.value.key


def test_a_secret_is_told_once_and_only_its_hash_is_kept(keys, database) -> None:
    made = keys.create("billing bot")
    assert made.secret.startswith("ftk_")
    with database.read() as connection:
        stored = str(connection.execute(select(api_keys)).all())
    assert made.secret not in stored
    [listed] = keys.all()
    assert listed == made.key
    assert made.secret.startswith(listed.hint[:-1])


def test_a_key_is_known_by_its_secret_and_within_its_scopes(keys) -> None:
    made = keys.create("reader", scopes=("models",))
    assert keys.authenticate(made.secret, "models").id == made.key.id
    assert refusal(keys.authenticate, made.secret, "chat") == "keys.not_in_scope"
    for wrong in ("", "ftk_wrong", made.secret[:-1], made.secret + "x", "ş" * 10_000, "\ud800"):
        assert refusal(keys.authenticate, wrong, "models") == "keys.unknown"


def test_a_revoked_key_and_an_expired_one_are_refused(keys, clock) -> None:
    lasting = keys.create("a", expires_at=clock() + timedelta(hours=1))
    clock.pass_by(hours=2)
    assert refusal(keys.authenticate, lasting.secret, "chat") == "keys.expired"
    made = keys.create("b")
    assert keys.revoke(made.key.id).state == "revoked"
    assert refusal(keys.authenticate, made.secret, "chat") == "keys.revoked"
    assert [key.state for key in keys.all()] == ["revoked", "expired"]
    with pytest.raises(NotFound):
        keys.revoke("nothing")


@pytest.mark.parametrize(
    "given",
    [
        {"name": "  "},
        {"name": "x" * 101},
        {"scopes": ()},
        {"scopes": ("chat", "everything")},
        {"requests_per_minute": 0},
        {"tokens_per_day": -5},
        {"tokens_per_day": 2**31},
    ],
)
def test_what_a_key_cannot_be_is_refused(keys, given) -> None:
    with pytest.raises(BadInput):
        keys.create(**{"name": "x", **given})


def test_an_end_in_the_past_is_refused(keys, clock) -> None:
    with pytest.raises(BadInput, match="past"):
        keys.create("x", expires_at=clock())


def test_the_minute_slides_and_the_wait_is_told(keys, clock) -> None:
    key = keys.create("x", requests_per_minute=2).key
    keys.count_request(key)
    clock.pass_by(seconds=20)
    keys.count_request(key)
    with pytest.raises(Limited) as caught:
        keys.count_request(key)
    assert caught.value.retry_after == 40
    clock.pass_by(seconds=40)
    keys.count_request(key)
    with pytest.raises(Limited) as caught:
        keys.count_request(key)
    assert caught.value.retry_after == 20


def test_one_key_does_not_use_up_what_another_may(keys) -> None:
    greedy, other = keys.create("a", requests_per_minute=1).key, keys.create("b", requests_per_minute=1).key
    keys.count_request(greedy)
    with pytest.raises(Limited):
        keys.count_request(greedy)
    keys.count_request(other)


def test_tokens_are_taken_before_and_what_was_not_used_comes_back(keys, clock) -> None:
    key = keys.create("x", tokens_per_day=100).key
    keys.take(key, 80)
    with pytest.raises(Limited, match="shorter answer") as caught:
        keys.take(key, 30)
    assert caught.value.retry_after == 12 * 3600
    keys.settle(key, 80, 20)
    assert keys.tokens_today(key) == 20
    keys.take(key, 80)
    clock.pass_by(days=1)
    keys.take(key, 100)


def test_a_new_process_knows_what_the_day_had_already(keys, database, clock, new_id) -> None:
    key = keys.create("x", tokens_per_day=100).key
    line = {
        "id": "r1",
        "at": clock(),
        "version": "v",
        "key": key.id,
        "kind": "chat",
        "status": 200,
        "streamed": False,
        "prompt_tokens": 30,
        "answer_tokens": 40,
        "seconds": 1.0,
    }
    with database.write() as connection:
        connection.execute(insert(traffic).values(line))
        connection.execute(insert(traffic).values({**line, "id": "r2", "at": clock() - timedelta(days=1)}))
    again = KeyService(database, clock, new_id)
    assert again.tokens_today(key) == 70
    with pytest.raises(Limited):
        again.take(key, 31)
    again.take(key, 30)


def test_a_key_without_limits_has_none(keys) -> None:
    key = keys.create("x", requests_per_minute=None).key
    for _ in range(500):
        keys.count_request(key)
        keys.take(key, 10**6)
