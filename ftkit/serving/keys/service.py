"""Keys of the gateway: make, list, end, know a caller by one, and hold its limits.

Takes a secret as the caller sends it, gives what is known of its key. A secret is told once and never stored. It reads no request.
"""

import hmac
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, cast, get_args

from ftkit.errors import BadInput, NotAllowed, NotFound, Refused
from ftkit.jobs.service import Clock, NewId
from ftkit.network.tokens import hash_token
from ftkit.records import Record
from ftkit.serving.keys.limits import Counts
from ftkit.serving.keys.secrets import hint_of, new_secret
from ftkit.store.engine import Database
from ftkit.store.serving.keys import KeyLine, KeyTable

Scope = Literal["chat", "completions", "models", "feedback", "metrics"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
USUAL_SCOPES: tuple[Scope, ...] = ("chat", "completions", "models", "feedback")
KeyState = Literal["active", "expired", "revoked"]

_USED_EVERY = timedelta(minutes=1)
_LONGEST_NAME = 100
_LONGEST_SECRET = 200
_MOST = 2**31 - 1


class Limited(Refused):
    """The key has used up what it may; ``retry_after`` is in seconds."""

    def __init__(self, key: str, text: str, **values: object) -> None:
        super().__init__(key, text, **values)
        self.retry_after = int(str(values["seconds"]))


class KeyView(Record):
    """A key without its secret."""

    id: str
    name: str
    hint: str
    scopes: tuple[Scope, ...]
    requests_per_minute: int | None
    tokens_per_day: int | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    state: KeyState


class NewKey(NamedTuple):
    """A key with its secret, which nobody can be told again."""

    key: KeyView
    secret: str


class KeyService:
    """The keys of one data folder."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._table = KeyTable(database)
        self._clock = clock
        self._new_id = new_id
        self._counts = Counts()

    def create(
        self,
        name: str,
        scopes: Collection[str] = USUAL_SCOPES,
        requests_per_minute: int | None = 60,
        tokens_per_day: int | None = None,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """Make a key.

        Args:
            name: what a person calls it.
            scopes: what it may ask, of ``SCOPES``.
            requests_per_minute: None for no limit.
            tokens_per_day: of prompts and answers, within a day of UTC; None for no limit.
            expires_at: None for never.

        Raises:
            BadInput: there is no name or no such scope, a limit is below 1, or it would have ended already.
        """
        now, name = self._clock(), " ".join(name.split())
        _check(name, scopes, requests_per_minute, tokens_per_day)
        if expires_at is not None:
            expires_at = expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)
            if expires_at <= now:
                raise BadInput(
                    "keys.ended_already",
                    "The key would end at {when}, which is past. Choose a later time.",
                    when=expires_at.isoformat(timespec="minutes"),
                )
        secret = new_secret()
        line = KeyLine(
            id=self._new_id(),
            name=name,
            hash=hash_token(secret),
            hint=hint_of(secret),
            scopes=[scope for scope in SCOPES if scope in scopes],
            requests_per_minute=requests_per_minute,
            tokens_per_day=tokens_per_day,
            created_at=now,
            expires_at=expires_at,
            last_used_at=None,
            revoked_at=None,
        )
        self._table.add(line)
        return NewKey(_view(line, now), secret)

    def all(self) -> list[KeyView]:
        """All keys, the newest first, ended ones too."""
        now = self._clock()
        return [_view(line, now) for line in self._table.all()]

    def revoke(self, id_: str) -> KeyView:
        """End a key at once.

        Raises:
            NotFound: there is no such key.
        """
        self._table.revoke(id_, self._clock())
        line = self._table.get(id_)
        if line is None:
            raise NotFound("keys.no_key", "There is no key {id}. ftkit keys list shows all.", id=id_)
        return _view(line, self._clock())

    def authenticate(self, secret: str, scope: Scope) -> KeyView:
        """The key that a caller brings.

        Raises:
            NotAllowed: there is no such key (``keys.unknown``), it has ended, or it does not allow this (``keys.not_in_scope``).
        """
        now, wanted = self._clock(), hash_token(secret[:_LONGEST_SECRET])
        line = self._table.by_hash(wanted)
        if line is None or not hmac.compare_digest(line.hash, wanted):
            raise NotAllowed(
                "keys.unknown", "This API key is not known. Send one as “Authorization: Bearer ftk_…”."
            )
        view = _view(line, now)
        if view.state == "revoked":
            raise NotAllowed(
                "keys.revoked", "This API key was revoked. Ask whoever gave it to you for another."
            )
        if view.state == "expired":
            raise NotAllowed(
                "keys.expired",
                "This API key ended at {when}. Ask whoever gave it to you for another.",
                when=view.expires_at.isoformat(timespec="minutes") if view.expires_at else "",
            )
        if scope not in view.scopes:
            raise NotAllowed(
                "keys.not_in_scope",
                "This API key does not allow {scope}. It allows: {scopes}.",
                scope=scope,
                scopes=", ".join(view.scopes),
            )
        if line.last_used_at is None or now - line.last_used_at >= _USED_EVERY:
            self._table.note_used(line.id, now)
        return view

    def count_request(self, key: KeyView) -> None:
        """Count a request of this minute.

        Raises:
            Limited: the minute is used up.
        """
        if key.requests_per_minute is None:
            return
        wait = self._counts.wait_for_request(key.id, key.requests_per_minute, self._clock())
        if wait:
            raise Limited(
                "keys.too_many_requests",
                "This API key may send {most} requests a minute. Try again in {seconds} s.",
                most=key.requests_per_minute,
                seconds=wait,
            )

    def take(self, key: KeyView, tokens: int) -> None:
        """Take tokens of the day before they are known to be needed; ``settle`` gives back what was not.

        Raises:
            Limited: the day has not so many left.
        """
        if key.tokens_per_day is None:
            return
        now = self._clock()
        wait = self._counts.wait_for_tokens(
            key.id, tokens, key.tokens_per_day, now, lambda: self._logged_today(key, now)
        )
        if wait:
            raise Limited(
                "keys.too_many_tokens",
                "This API key may use {most} tokens a day, and fewer than the {wanted} of this request are left. Ask for "
                "a shorter answer with max_tokens, or try again in {seconds} s.",
                most=key.tokens_per_day,
                wanted=tokens,
                seconds=wait,
            )

    def settle(self, key: KeyView, taken: int, used: int) -> None:
        """Replace what was taken for a request by what it used."""
        if key.tokens_per_day is not None:
            self._counts.settle(key.id, taken, used, self._clock())

    def tokens_today(self, key: KeyView) -> int:
        """Tokens that a key has used today, as far as this process knows."""
        now = self._clock()
        counted = self._counts.tokens_today(key.id, now)
        return self._logged_today(key, now) if counted is None else counted

    def _logged_today(self, key: KeyView, now: datetime) -> int:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return self._table.tokens_since(key.id, midnight)


def _check(name: str, scopes: Collection[str], *limits: int | None) -> None:
    if not 0 < len(name) <= _LONGEST_NAME:
        raise BadInput(
            "keys.bad_name",
            "A key needs a name of 1 to {most} characters, such as the program that uses it.",
            most=_LONGEST_NAME,
        )
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise BadInput(
            "keys.bad_scope",
            "{given} is nothing that a key can allow. Choose at least one of: {known}.",
            given=", ".join(unknown) or "-",
            known=", ".join(SCOPES),
        )
    for limit in limits:
        if limit is not None and not 1 <= limit <= _MOST:
            raise BadInput(
                "keys.bad_limit", "The limit is {limit}. Give 1 or more, or none at all.", limit=limit
            )


def _view(line: KeyLine, now: datetime) -> KeyView:
    state: KeyState = "active"
    if line.revoked_at is not None:
        state = "revoked"
    elif line.expires_at is not None and line.expires_at <= now:
        state = "expired"
    values = {name: value for name, value in line._asdict().items() if name not in {"hash", "scopes"}}
    return KeyView(**values, scopes=tuple(cast("list[Scope]", line.scopes)), state=state)
