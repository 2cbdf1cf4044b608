from datetime import UTC, datetime

import pytest

from ftkit.serving.keys.service import KeyView, NewKey
from ftkit.ui.i18n import say
from ftkit.ui.serving import keys

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
HOSTILE = '<img src=x onerror=alert(1)>"'


def key(**values) -> KeyView:
    usual = {
        "id": "k1", "name": "website", "hint": "ftk_abcd…", "scopes": ("chat", "models"), "requests_per_minute": 60,
        "tokens_per_day": None, "created_at": NOW, "expires_at": None, "last_used_at": None, "revoked_at": None,
        "state": "active",
    }  # fmt: skip
    return KeyView(**{**usual, **values})


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_without_a_key_it_says_that_nobody_may_ask(lang):
    assert say("serve.keys.none", lang) in keys.table([], lang)


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_a_line_says_what_a_key_may_and_how_much(lang):
    shown = keys.table([key(tokens_per_day=20_000)], lang)
    assert f"{say('serve.scope.chat', lang)}, {say('serve.scope.models', lang)}" in shown
    assert say("serve.keys.per_minute", lang, n="60") in shown
    assert say("serve.keys.per_day", lang, n="20,000" if lang == "en" else "20.000") in shown
    assert say("serve.keys.never", lang) in shown
    assert "<code>ftk_abcd…</code>" in shown


def test_a_key_without_limits_and_one_that_is_gone_say_so():
    shown = keys.table(
        [
            key(requests_per_minute=None),
            key(state="revoked", revoked_at=NOW),
            key(state="expired", expires_at=NOW),
            key(expires_at=NOW),
        ],
        "en",
    )
    assert f"<td>{say('serve.keys.unlimited', 'en')}</td>" in shown
    assert say("serve.keys.revoked", "en") in shown
    assert say("serve.keys.expired", "en") in shown
    assert "until 2026-11-26" in shown


def test_a_new_key_can_be_copied_and_its_name_is_no_tag():
    shown = keys.fresh(NewKey(key(name=HOSTILE), "ftk_secret"), "en")
    assert 'data-ft-copy="ftk_secret"' in shown
    assert '<code tabindex="0">ftk_secret</code>' in shown
    assert say("serve.key.once", "en") in shown
    assert "<img" not in shown
    assert "<img" not in keys.table([key(name=HOSTILE)], "en")
