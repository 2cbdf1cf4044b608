"""What the gateway answers with: deploy after a test, try as a canary, promote, roll back, stop.

Takes targets and ids of versions, gives versions. Each switch is one transaction of the store, so whoever serves sees the state
before it or after it; a request keeps the version that it was given. It answers no request itself.
"""

import threading
from collections.abc import Collection
from datetime import timedelta
from typing import cast

from sqlalchemy import Connection

from ftkit.errors import BadInput, Fault, FtkitError, NotFound, Refused
from ftkit.jobs.service import Clock, NewId
from ftkit.serving.engines.asking import EngineName, Source
from ftkit.serving.versions.means import Means, judge
from ftkit.serving.versions.smoke import Report, only_empty
from ftkit.serving.versions.standing import Event, ServingState, Version, VersionState, goes_to_canary
from ftkit.store.engine import Database
from ftkit.store.serving import versions as stored
from ftkit.store.serving.versions import VersionLine

_IN_USE: frozenset[VersionState] = frozenset({"trying", "live", "canary", "standby"})
_TESTED: frozenset[VersionState] = frozenset({"live", "canary", "standby", "retired"})
_EVENTS, _VERSIONS, _REFUSED = 50, 200, 5
_LEAST_SHARE, _MOST_SHARE = 0.01, 0.99
# A test that nobody has ended after this long went away with its process.
_LONGEST_TEST = timedelta(minutes=20)
_LEAVING_SECONDS = 2.0


class ServingService:
    """The versions of one data folder."""

    def __init__(self, database: Database, means: Means, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._means = means
        self._clock = clock
        self._new_id = new_id
        self._tests: dict[str, threading.Thread] = {}

    def deploy(
        self, target: str, engine: EngineName = "resident", by: str = "owner", *, anyway: bool = False
    ) -> Version:
        """Test a model in the background and let it answer once it has passed; until then the former version does.

        Args:
            target: run:…, checkpoint:…, export:…, base:… or the address of another server.
            engine: what serves it.
            by: who wants it.
            anyway: let it pass with empty answers.

        Raises:
            NotFound: there is no such model.
            Refused: it cannot be served, or not by this engine.
        """
        return self._try(target, engine, by, 0.0, anyway)

    def canary(
        self,
        what: str,
        share: float,
        engine: EngineName = "resident",
        by: str = "owner",
        *,
        anyway: bool = False,
    ) -> Version:
        """Let a version answer a share of the requests beside the live one.

        Args:
            what: id of a version that has passed its test, which begins at once; or a target, which is tested first.
            share: 0.01 to 0.99.
            engine: what serves a target.
            by: who wants it.
            anyway: let a target pass with empty answers.

        Raises:
            BadInput: the share is none.
            NotFound: there is no such model.
            Refused: nothing is live, or the version cannot be one.
        """
        if not _LEAST_SHARE <= share <= _MOST_SHARE:
            raise BadInput(
                "serving.bad_share",
                "The share is {share}. Give one from {least} to {most}; to let it answer everything, promote it.",
                share=share,
                least=_LEAST_SHARE,
                most=_MOST_SHARE,
            )
        with self._database.write() as connection:
            live = _first(connection, "live")
            if live is None:
                raise Refused(
                    "serving.no_live",
                    "Nothing is live that a canary could be tried beside. Deploy a version first.",
                )
            found = stored.get(connection, what)
            if found is not None:
                self._check_tested(found, live)
                self._begin_canary(connection, found, share, by)
        return self._try(what, engine, by, share, anyway) if found is None else self.get(what)

    def promote(self, version: str | None = None, by: str = "owner") -> Version:
        """Let the canary answer everything, or another version that has passed its test; the former live one stands by.

        Raises:
            NotFound: there is no such version.
            Refused: there is no canary, or the version has not passed its test or is live already.
        """
        with self._database.write() as connection:
            found = _first(connection, "canary") if version is None else stored.get(connection, version)
            if found is None and version is None:
                raise Refused("serving.no_canary", "There is no canary. Begin one, or name a version.")
            if found is None:
                raise _unknown(str(version))
            self._check_tested(found, _first(connection, "live"))
            self._means.resolve(found.target)
            self._make_live(connection, found, "promoted", by)
        return self.get(found.id)

    def end_canary(self, by: str = "owner") -> Version:
        """Take the canary out; the live version answers everything again.

        Raises:
            Refused: there is none.
        """
        with self._database.write() as connection:
            found = _first(connection, "canary")
            if found is None:
                raise Refused("serving.no_canary", "There is no canary. Begin one, or name a version.")
            self._put(connection, found, "retired", "canary_ended", by)
        return self.get(found.id)

    def rollback(self, by: str = "owner") -> Version:
        """Bring the version back that was live before, at once; the present one and a canary are taken out.

        Raises:
            Refused: no version stands by.
        """
        with self._database.write() as connection:
            found = _first(connection, "standby")
            if found is None:
                raise Refused(
                    "serving.no_standby",
                    "No version stands by that could come back. Deploy the one that you want.",
                )
            for other in stored.of_states(connection, ["live", "canary"]):
                self._change(connection, other, "retired")
            self._put(connection, found, "live", "rolled_back", by)
        return self.get(found.id)

    def retire(self, version: str, by: str = "owner") -> Version:
        """Take a version out that stands by or is a canary.

        Raises:
            NotFound: there is no such version.
            Refused: it is live or being tested.
        """
        with self._database.write() as connection:
            found = stored.get(connection, version)
            if found is None:
                raise _unknown(version)
            if found.state in {"live", "trying"}:
                raise Refused(
                    "serving.in_use",
                    "{label} answers now or is being tested. Stop serving first.",
                    label=found.label,
                )
            if found.state in {"canary", "standby"}:
                self._put(connection, found, "retired", "retired", by)
        return self.get(version)

    def stop(self, by: str = "owner") -> None:
        """Let nothing answer; requests under way end as they would. Rolling back starts again."""
        with self._database.write() as connection:
            for found in stored.of_states(connection, ["canary"]):
                self._change(connection, found, "retired")
            for found in stored.of_states(connection, ["live"]):
                self._put(connection, found, "standby", "stopped", by)

    def state(self) -> ServingState:
        """Where it stands."""
        with self._database.read() as connection:
            states = ["trying", "refused", "live", "canary", "standby"]
            found = [_version(line) for line in stored.of_states(connection, states)]
            events = stored.events(connection, _EVENTS)
        by_state = {state: tuple(one for one in found if one.state == state) for state in states}
        canary = next(iter(by_state["canary"]), None)
        return ServingState(
            live=next(iter(by_state["live"]), None),
            canary=canary,
            share=canary.share if canary else 0.0,
            standby=by_state["standby"],
            trying=by_state["trying"],
            refused=by_state["refused"][:_REFUSED],
            events=tuple(Event.model_validate(line._asdict()) for line in events),
        )

    def versions(self) -> list[Version]:
        """All versions, the newest first."""
        with self._database.read() as connection:
            return [_version(line) for line in stored.newest(connection, _VERSIONS)]

    def get(self, version: str) -> Version:
        """One version.

        Raises:
            NotFound: there is none.
        """
        with self._database.read() as connection:
            found = stored.get(connection, version)
        if found is None:
            raise _unknown(version)
        return _version(found)

    def answering(self) -> tuple[Version, ...]:
        """The live version and the canary, as far as there are any."""
        with self._database.read() as connection:
            found = stored.of_states(connection, ["live", "canary"])
        return tuple(_version(line) for line in sorted(found, key=lambda line: line.state != "live"))

    def pick(self, stickiness: str) -> Version:
        """The version that a request gets; the same user gets the same one as long as nothing is switched.

        Raises:
            Refused: nothing is live.
        """
        found = {version.state: version for version in self.answering()}
        live, canary = found.get("live"), found.get("canary")
        if live is None:
            raise Refused("serving.nothing_live", "Nothing is served now. Deploy a version, then ask again.")
        if canary is not None and goes_to_canary(stickiness, canary.id, canary.share):
            return canary
        return live

    def source(self, version: Version) -> Source:
        """Where a version's model lies.

        Raises:
            NotFound: it was deleted meanwhile.
            Refused: it cannot be served any more.
        """
        return self._means.resolve(version.target)

    def in_use(self, target: str) -> bool:
        """Whether a target answers, is being tested, or could come back by a rollback."""
        with self._database.read() as connection:
            return any(line.target == target for line in stored.of_states(connection, _IN_USE))

    def wait(self, version: str, seconds: float | None = None) -> Version:
        """Wait until the test of a version that this process began has ended."""
        test = self._tests.get(version)
        if test is not None:
            test.join(seconds)
        return self.get(version)

    def tick(self) -> None:
        """End tests whose process went away. Cheap."""
        with self._database.read() as connection:
            late = [
                line
                for line in stored.of_states(connection, ["trying"])
                if self._clock() - line.changed_at > _LONGEST_TEST and line.id not in self._tests
            ]
        for line in late:
            error = Fault(
                "serving.test_gone", "The test of {label} was cut off. Deploy it again.", label=line.label
            )
            self._refuse(_version(line), None, error)

    def close(self) -> None:
        """Leave tests that still go on; their versions are given up later."""
        for test in self._tests.values():
            test.join(_LEAVING_SECONDS)

    def _try(self, target: str, engine: EngineName, by: str, share: float, anyway: bool) -> Version:
        source, now = self._means.resolve(target), self._clock()
        if engine not in self._means.engines():
            raise BadInput(
                "serving.no_engine",
                "There is no engine {engine}. Choose one of: {known}.",
                engine=engine,
                known=", ".join(self._means.engines()),
            )
        self._means.engines()[engine].check(source)
        line = VersionLine(
            id=self._new_id(),
            target=target,
            label=source.label,
            engine=engine,
            state="trying",
            share=share,
            smoke=None,
            created_at=now,
            changed_at=now,
        )
        with self._database.write() as connection:
            stored.add(connection, line)
            stored.note(connection, now, "tried", line.id, by, share=share)
        version = _version(line)
        test = threading.Thread(
            target=self._test, args=(version, source, by, anyway), name=f"smoke-{line.id}", daemon=True
        )
        self._tests[line.id] = test
        test.start()
        return version

    def _test(self, version: Version, source: Source, by: str, anyway: bool) -> None:
        report = judge(self._means, version, source)
        if report.error is not None and not (anyway and only_empty(report)):
            self._refuse(version, report, FtkitError.from_dict(report.error), by)
        else:
            self._switch_to(version, report, by)

    def _switch_to(self, version: Version, report: Report, by: str) -> None:
        with self._database.write() as connection:
            line = stored.get(connection, version.id)
            if line is None or line.state != "trying":  # given up meanwhile
                return
            stored.change(connection, line.id, smoke=report.model_dump(mode="json"))
            if version.share and _first(connection, "live") is not None:
                self._begin_canary(connection, line, version.share, by)
            else:
                self._make_live(connection, line, "live", by)

    def _refuse(self, version: Version, report: Report | None, error: FtkitError, by: str = "ftkit") -> None:
        told = error.as_dict()
        report = report or Report(checks=(), seconds=0.0, passed=False)
        smoked = report.model_copy(update={"passed": False, "error": told}).model_dump(mode="json")
        with self._database.write() as connection:
            stored.change(connection, version.id, state="refused", smoke=smoked, changed_at=self._clock())
            stored.note(connection, self._clock(), "refused", version.id, by, error=told)

    def _begin_canary(self, connection: Connection, line: VersionLine, share: float, by: str) -> None:
        for other in stored.of_states(connection, ["canary"]):
            if other.id != line.id:
                self._change(connection, other, "retired")
        self._change(connection, line, "canary", share)
        stored.note(connection, self._clock(), "canary", line.id, by, share=share)

    def _make_live(self, connection: Connection, line: VersionLine, event: str, by: str) -> None:
        for other in stored.of_states(connection, ["live"]):
            self._change(connection, other, "standby")
        self._put(connection, line, "live", event, by)

    def _put(
        self, connection: Connection, line: VersionLine, state: VersionState, event: str, by: str
    ) -> None:
        self._change(connection, line, state)
        stored.note(connection, self._clock(), event, line.id, by)

    def _change(
        self, connection: Connection, line: VersionLine, state: VersionState, share: float = 0.0
    ) -> None:
        stored.change(connection, line.id, state=state, share=share, changed_at=self._clock())

    @staticmethod
    def _check_tested(line: VersionLine, live: VersionLine | None) -> None:
        if live is not None and line.id == live.id:
            raise Refused("serving.live_already", "{label} is live already.", label=line.label)
        if line.state not in cast("Collection[str]", _TESTED):
            raise Refused(
                "serving.not_tested",
                "{label} has not passed its test ({state}). Deploy its model again.",
                label=line.label,
                state=line.state,
            )


def _first(connection: Connection, state: VersionState) -> VersionLine | None:
    return next(iter(stored.of_states(connection, [state])), None)


def _version(line: VersionLine) -> Version:
    return Version.model_validate(line._asdict())


def _unknown(version: str) -> NotFound:
    return NotFound(
        "serving.no_version",
        "There is no version {version}. ftkit serving status shows all.",
        version=version,
    )
