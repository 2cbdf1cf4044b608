import pytest

from ftkit.errors import NotAllowed
from ftkit.server.sessions import Sessions, session_key

KEY = b"k" * 32


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock) -> Sessions:
    return Sessions("right", KEY, clock)


def test_the_token_admits_and_nothing_else_does(sessions):
    assert sessions.admits("right")
    assert not sessions.admits("wrong")
    assert not sessions.admits("")


def test_a_session_is_valid_and_tells_nothing_of_the_token(sessions):
    session = sessions.issue()
    assert sessions.valid(session)
    assert "right" not in session
    assert session != sessions.issue()


def test_a_changed_session_is_not_valid(sessions):
    end, nonce, signature = sessions.issue().split(".")
    assert not sessions.valid(f"{int(end) + 1}.{nonce}.{signature}")
    assert not sessions.valid(f"{end}.{nonce}.{signature[:-1]}")
    for value in ("", ".", "..", "a.b.c", f"{end}.{nonce}.", "ü.ü.ü"):
        assert not sessions.valid(value)


def test_a_session_ends(sessions, clock):
    session = sessions.issue()
    clock.now += Sessions.lifetime + 1
    assert not sessions.valid(session)


def test_sessions_outlive_a_restart_with_its_new_token_but_not_another_key(sessions, clock):
    session = sessions.issue()
    assert Sessions("new", KEY, clock).valid(session)
    assert not Sessions("right", b"j" * 32, clock).valid(session)


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path):
    file = tmp_path / "session.key"
    key = session_key(file)
    assert session_key(file) == key
    assert file.stat().st_mode & 0o777 == 0o600
    assert session_key(tmp_path / "other.key") != key


def test_a_changed_fixed_token_ends_all_sessions(tmp_path):
    file = tmp_path / "session.key"
    assert len({session_key(file), session_key(file, "one"), session_key(file, "two")}) == 3
    assert session_key(file, "one") == session_key(file, "one")


def test_a_torn_key_signs_nothing_that_can_be_guessed(tmp_path):
    file = tmp_path / "session.key"
    file.touch()
    assert session_key(file) != session_key(file)


def test_ten_wrong_tokens_a_minute_close_the_door_for_the_rest_of_it(sessions, clock):
    for _ in range(10):
        clock.now += 1
        assert not sessions.admits("guess")
    with pytest.raises(NotAllowed) as error:
        sessions.admits("right")
    assert error.value.key == "server.too_many"
    clock.now += 52
    assert sessions.admits("right")


def test_an_open_session_is_not_locked_out(sessions):
    session = sessions.issue()
    for _ in range(10):
        sessions.admits("guess")
    assert sessions.valid(session)
