"""An office whose accounts follow its people file: twelve people and three strangers' accounts, then two leave, one comes, one is renamed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from syncd.engine.report import Report, Result
from syncd.environment import Environment
from syncd.sandbox import Sandbox, serve
from syncd.store import Store, waiting
from tests.end_to_end import wired
from tests.world import Clock

Rows = Sequence[Sequence[str]]
HEADER = ("employeeNumber", "email", "name", "department")
CANARIES = ("canary-1", "canary-2", "canary-3")
HOUR = timedelta(hours=1)
CONFIG = """
version: 1
connections:
  people:
    connector: file
    path: {people}
    id: employeeNumber
    authoritative: true
    read: {{attributes: {{userName: email, displayName: name}}}}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {account}
    auth_token: {token}
    rate: {{concurrency: {concurrency}}}
    limits: {{delete: {{percent: 50}}}}
    write:
      attributes: {{attributes.team: department}}
      deprovision: {{out_of_scope: delete, departed: delete, grace: 0s}}
{more}
"""
"""The default delete limit would hold two leavers of twelve: this office lets half of them go."""


def person(number: int, name: str = "", department: str = "Support") -> tuple[str, ...]:
    return f"e{number}", f"p{number}@corp.example", name or f"Person {number}", department


BEFORE: Rows = [person(number) for number in range(1, 13)]
AFTER: Rows = [person(3, "Person Renamed"), *BEFORE[3:], person(13)]
"""1 and 2 have left, 3 has another name, 13 is new."""
LEAVERS = {"p1@corp.example", "p2@corp.example"}
NEWCOMER = "p13@corp.example"


def csv_text(rows: Rows, header: Sequence[str] = HEADER) -> str:
    return "".join(",".join(row) + "\n" for row in (header, *rows))


class Office:
    """``wanted``: identity -> (friendly name, team) of those who should have an account at the default service."""

    def __init__(
        self, root: Path, sandbox: Sandbox, url: str, clock: Clock, *, people: str = "people.csv", concurrency: int = 4, more: str = ""
    ) -> None:
        self.sandbox, self.twilio, self.clock, self.url = sandbox, sandbox.twilio, clock, url
        self.file, self.config = root / people, root / "syncd.yaml"
        keys = {"url": url, "account": self.twilio.account_sid, "token": self.twilio.auth_token, "people": people}
        self.config.write_text(CONFIG.format(**keys, concurrency=concurrency, more=more.format(**keys, service=self.twilio.service_sid)))
        self.wanted: dict[str, tuple[str, str]] = {}
        self._canaries = [dict(self.twilio.service().create(name, attributes='{"kept": [1, 2]}')) for name in CANARIES]

    def employ(self, rows: Rows) -> None:
        """These are the people from now on, in the file and in what is wanted."""
        self.file.write_text(csv_text(rows), encoding="utf-8")
        self.wanted = {email: (name, department) for _, email, name, department in rows}

    async def opened(self) -> Office:
        """The accounts stand as before; then the file changes and an hour goes by."""
        self.employ(BEFORE)
        assert (await self.run()).converged
        self.employ(AFTER)
        self.clock.pass_time(HOUR)
        self.twilio.journal.requests.clear()
        return self

    async def run(self, *, meanwhile: Callable[[], None] = lambda: None) -> Report:
        return (await wired.run(self.clock, self.config, meanwhile=meanwhile))[0]

    def accounts(self, service: str | None = None) -> dict[str, tuple[str, str]]:
        """identity -> (friendly name, team), strangers' accounts apart."""
        users = self.twilio.service(service).users.values()
        return {
            user["identity"]: (user["friendly_name"], orjson.loads(user["attributes"]).get("team"))
            for user in users
            if user["identity"] not in CANARIES
        }

    def deletions(self) -> list[str | None]:
        return [one.identity for one in self._sent("DELETE", 204)]

    def creations(self) -> Counter[str | None]:
        return Counter(one.identity for one in self._sent("POST", 201))

    def _sent(self, method: str, status: int) -> list[Any]:
        return [one for one in self.twilio.log if (one.origin, one.method, one.status) == ("http", method, status)]

    def pending(self) -> list[tuple[str, str, str]]:
        """(state, who, reason) of all that waits for a person."""
        store = Store(wired.settings_of(self.config).store.url)
        found = [(row.state, row.who, row.reason) for row in waiting.listing(store)]
        store.close()
        return found

    def untouched(self) -> None:
        """Accounts that syncd does not own are as they were, to the byte, and every account was made once."""
        users = self.twilio.service().users
        assert [users.get(one["sid"]) for one in self._canaries] == self._canaries
        assert {who: times for who, times in self.creations().items() if times > 1} == {}

    async def recovers(self, *, within: int = 2) -> None:
        """The fault is over: converged within so many runs, everything as wanted, and then nothing more to do."""
        self.sandbox.faults = ()
        for _ in range(within):
            self.clock.pass_time(HOUR)
            report = await self.run()
            if report.converged:
                break
        assert report.converged, (report, self.pending())
        await self.in_order()

    async def in_order(self) -> None:
        """The accounts are as wanted, what is stored follows from the documents, and a further run only lists."""
        assert self.accounts() == self.wanted
        self.untouched()
        assert await wired.differences(self.clock, self.config) == []
        self.twilio.journal.requests.clear()
        assert (await self.run()).converged
        assert {one.operation for one in self.twilio.requests} == {"list"}


def result(report: Report, name: str = "chat") -> Result:
    return next(one for one in report.results if one.name == name)


@contextmanager
def office(root: Path, *, seconds: Environment | None = None, **options: Any) -> Iterator[Office]:
    """An office over real HTTP. ``seconds``: the sandbox's own clock, where its answers must take real time."""
    clock = Clock()
    sandbox = Sandbox(seconds or clock)
    with serve(sandbox) as url:
        yield Office(root, sandbox, url, clock, **options)
