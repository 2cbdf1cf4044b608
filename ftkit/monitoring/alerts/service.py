"""Alerts: one open one of a kind and version until somebody has seen it, on the page and by webhook.

Takes what was noticed, keeps it, and tells another program behind the caller's back, again after a while where that failed. It notices
nothing itself.
"""

import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from ftkit.errors import FtkitError, NotFound, Refused
from ftkit.monitoring.alerts.address import checked, host_of
from ftkit.monitoring.alerts.alert import Alert, AlertKind, AlertRules, Delivery
from ftkit.monitoring.alerts.webhook import Target, check, send
from ftkit.monitoring.traffic.behind import Behind
from ftkit.records import Record
from ftkit.store.engine import Database
from ftkit.store.monitoring.alerts import AlertLine, AlertTable
from ftkit.store.monitoring.choices import ChoiceTable

_WEBHOOK, _RULES = "webhook", "alert_rules"
_MOST = 200
_MOST_WAITING = 1000
# Waits before the second, third … try; after the last one it has failed.
_WAITS = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
_LEASE = timedelta(minutes=1)  # of a try; a process that dies with it leaves it to another one


class Webhook(Record):
    """The program that is told of alerts; the secret signs each message."""

    url: str
    secret: str = Field(repr=False)

    @property
    def host(self) -> str:
        """What of it may be shown everywhere."""
        return host_of(self.url)


class AlertService:
    """The alerts of one data folder."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        inside: Collection[str] = (),
    ) -> None:
        """``inside`` are names of hosts within the own network that a webhook may go to."""
        self._table = AlertTable(database)
        self._choices = ChoiceTable(database, clock)
        self._clock = clock
        self._new_id = new_id
        self._inside = inside
        self._sending = Behind[str]("webhooks", self._send_all, _MOST_WAITING, batch=1)

    def raise_alert(
        self, kind: AlertKind, version: str = "", values: dict[str, Any] | None = None
    ) -> Alert | None:
        """Keep an alert and tell of it; None where one of this kind and version is open already."""
        delivery = Delivery(state="waiting").model_dump(mode="json") if self.webhook() else None
        line = AlertLine(self._new_id(), self._clock(), kind, version, dict(values or {}), delivery=delivery)
        if not self._table.add(line):
            return None
        if delivery is not None:
            self._sending.put(line.id)
        return _alert(line)

    def all(self, limit: int = _MOST) -> list[Alert]:
        """The newest ones, seen or not."""
        return [_alert(line) for line in self._table.all(limit)]

    def unseen(self) -> list[Alert]:
        """Those that nobody has seen, the newest first."""
        return [_alert(line) for line in self._table.all(_MOST, unseen=True)]

    def get(self, id_: str) -> Alert:
        """One of them.

        Raises:
            NotFound: there is none with this id.
        """
        line = self._table.get(id_)
        if line is None:
            raise NotFound("alerts.none", "There is no alert {id}. Reload the page.", id=repr(id_))
        return _alert(line)

    def seen(self, id_: str | None = None) -> int:
        """Somebody has seen one, or all of them; tells how many were open.

        Raises:
            NotFound: there is none with this id.
        """
        if id_ is not None:
            self.get(id_)
        return self._table.see(self._clock(), id_)

    def rules(self) -> AlertRules:
        """When the traffic is worth an alert."""
        return AlertRules(**(self._choices.get(_RULES) or {}))

    def choose_rules(self, rules: AlertRules) -> None:
        """Use these from now on."""
        self._choices.put(_RULES, rules.model_dump())

    def webhook(self) -> Webhook | None:
        """Who is told of alerts; None where nobody is."""
        found = self._choices.get(_WEBHOOK)
        return Webhook(**found) if found and found.get("url") else None

    def choose_webhook(self, url: str) -> Webhook | None:
        """Tell this address of alerts from now on; an empty one ends it. A new address gets a new secret.

        Raises:
            BadInput: it is no address of a webhook.
            Refused: it leads into this machine or its network.
            NotDelivered: its name cannot be resolved.
        """
        if not url.strip():
            self._choices.put(_WEBHOOK, {})
            return None
        chosen, former = checked(url), self.webhook()
        if former is not None and former.url == chosen:
            return former
        check(Target(chosen, "", self._inside))
        made = Webhook(url=chosen, secret=f"whsec_{secrets.token_urlsafe(32)}")
        self._choices.put(_WEBHOOK, made.model_dump())
        return made

    def try_webhook(self) -> None:
        """Send a message of the kind ``test`` now.

        Raises:
            Refused: no webhook is chosen, or its address may not be asked.
            NotDelivered: it did not arrive.
        """
        chosen = self.webhook()
        if chosen is None:
            raise Refused("alerts.no_webhook", "No webhook is chosen. Give its address and save it first.")
        line = AlertLine(self._new_id(), self._clock(), "test", "", {})
        send(Target(chosen.url, chosen.secret, self._inside), _message(line))

    def tick(self) -> None:
        """Send what is due. Cheap; call it often."""
        now = self._clock()
        for line in self._table.undelivered():
            if _due(Delivery.model_validate(line.delivery), now):
                self._sending.put(line.id)

    def flush(self, seconds: float = 30.0) -> bool:
        """Wait until what was handed in has been tried once; tells whether that came."""
        return self._sending.flush(seconds)

    def close(self) -> None:
        """Take nothing more; what was not sent stays due."""
        self._sending.close(0)

    def _send_all(self, ids: list[str]) -> None:
        for id_ in ids:
            try:
                self._deliver(id_)
            except Exception:  # noqa: BLE001 - the database is gone: the alert stays due, and the thread goes on
                return

    def _deliver(self, id_: str) -> None:
        now = self._clock()

        def claim(former: dict[str, Any]) -> dict[str, Any] | None:
            standing = Delivery.model_validate(former) if former else None
            if standing is None or not _due(standing, now):
                return None
            changes = {"tries": standing.tries + 1, "at": now, "next_at": now + _LEASE}
            return standing.model_copy(update=changes).model_dump(mode="json")

        line, chosen = self._table.change_delivery(id_, claim), self.webhook()
        if line is None:
            return
        error: FtkitError | None
        try:
            if chosen is None:
                raise Refused(
                    "alerts.no_webhook", "No webhook is chosen. Give its address and save it first."
                )
            send(Target(chosen.url, chosen.secret, self._inside), _message(line))
            error = None
        except FtkitError as problem:
            error = problem
        self._table.change_delivery(id_, lambda former: _outcome(former, error))


def _due(standing: Delivery, now: datetime) -> bool:
    return standing.state == "waiting" and (standing.next_at is None or standing.next_at <= now)


def _outcome(former: dict[str, Any], error: FtkitError | None) -> dict[str, Any]:
    """How a delivery stands after a try; what is refused is not tried again."""
    standing = Delivery.model_validate(former)
    if error is None:
        changes: dict[str, Any] = {"state": "sent", "next_at": None, "reason": None}
    elif isinstance(error, Refused) or standing.tries > len(_WAITS) or standing.at is None:
        changes = {"state": "failed", "next_at": None, "reason": error.as_dict()}
    else:
        changes = {"next_at": standing.at + _WAITS[standing.tries - 1], "reason": error.as_dict()}
    return standing.model_copy(update=changes).model_dump(mode="json")


def _message(line: AlertLine) -> dict[str, Any]:
    told = {"id": line.id, "at": line.at.isoformat(), "kind": line.kind, "version": line.version}
    return {**told, "values": line.values, "from": "ftkit"}


def _alert(line: AlertLine) -> Alert:
    return Alert.model_validate(line._asdict())
