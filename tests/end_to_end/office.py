"""An office whose accounts follow its people: twelve of them and three strangers' accounts; then two leave, one comes, one is renamed."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from syncd.engine.report import Report, Result
from syncd.environment import Environment
from syncd.sandbox import Sandbox, serve
from syncd.sandbox.journal import Note, WriteRecord
from syncd.store import Store, waiting
from tests import stores
from tests.end_to_end import wired
from tests.world import Clock

Rows = Sequence[Sequence[str]]
HEADER = ("employeeNumber", "email", "name", "department")
CANARIES = ("canary-1", "canary-2", "canary-3")
HOUR = timedelta(hours=1)
PATIENCE = 120.0
CONFIG = """
version: 1
store: {{lease: 10m}}
connections:
  people:
{source}
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
"""The default delete limit would hold two leavers of twelve: this office lets half of them go.

Its clock jumps over waits, in which nobody renews a lease: longer than all of them.
"""
FILE = """\
    connector: file
    path: {people}
    id: employeeNumber
    authoritative: true
    read: {{attributes: {{userName: email, displayName: name}}}}
"""
DIRECTORY = """\
    connector: twilio
    base_url: {source_url}
    account_sid: {account}
    auth_token: {token}
    authoritative: true
    read: {{attributes: {{department: attributes.team}}}}
"""


def person(number: int, name: str = "", department: str = "Support") -> tuple[str, ...]:
    return f"e{number}", f"p{number}@corp.example", name or f"Person {number}", department


BEFORE: Rows = [person(number) for number in range(1, 13)]
AFTER: Rows = [person(13), person(3, "Person Renamed"), *BEFORE[3:]]
"""1 and 2 have left, 3 has another name, 13 is new."""
LEAVERS = ["p1@corp.example", "p2@corp.example"]
RENAMED = "p3@corp.example"
NEWCOMER = "p13@corp.example"


def file_text(rows: Rows, suffix: str = ".csv", header: Sequence[str] = HEADER) -> str:
    """A people file in the format of ``suffix``, a row on each line."""
    if suffix == ".csv":
        return "".join(",".join(row) + "\n" for row in (header, *rows))
    objects = [json.dumps(dict(zip(header, row, strict=True))) for row in rows]
    return "[\n" + ",\n".join(objects) + "\n]\n" if suffix == ".json" else "".join(one + "\n" for one in objects)


class Past:
    """The first run of an office, kept: another one at the same place takes it up where that run ended."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self._store: stores.Kept | None = None
        self._users: list[tuple[str, str, Mapping[str, Any]]] = []

    def keep(self, one: Office) -> None:
        self._store = stores.keep(one.config.parent)
        services = {"/v1/Users": None, f"/v1/Services/{one.twilio.service_sid}/Users": one.twilio.service_sid}
        self._users = [(path, sid or "", user) for path, sid in services.items() for user in one.twilio.service(sid).users.values()]

    def restore(self, one: Office) -> bool:
        """False where there is nothing to restore. The accounts get the same ids, and stand in the sandbox's log as syncd's work."""
        if self._store is None:
            return False
        stores.put(one.config.parent, self._store)
        for path, sid, user in self._users:
            if user["identity"] not in CANARIES:
                note = Note("POST", path, {}, "http")
                one.twilio.service(sid or None).create(user["identity"], user["friendly_name"], user["attributes"], note=note)
        return True


class Office:
    """``wanted``: identity -> (friendly name, team) of those who should have an account at the default service.

    ``source``: the directory in which the people are, instead of the file called ``people``. ``more``: further connections, as YAML.
    """

    def __init__(
        self, root: Path, sandbox: Sandbox, url: str, clock: Clock, *,
        source: tuple[Sandbox, str] | None = None, people: str = "people.csv", concurrency: int = 4, more: str = "",
        past: Past | None = None,
    ) -> None:  # fmt: skip
        self.sandbox, self.twilio, self.clock = sandbox, sandbox.twilio, clock
        self.source = source[0] if source else None
        self.file, self.config = root / people, root / "syncd.yaml"
        self.past = past or Past()
        keys = {
            "url": url, "account": self.twilio.account_sid, "token": self.twilio.auth_token, "people": people,
            "source_url": source[1] if source else "", "service": self.twilio.service_sid, "key": self.twilio.api_key_sid,
        }  # fmt: skip
        read = (DIRECTORY if source else FILE).format(**keys)
        self.config.write_text(CONFIG.format(**keys, source=read, concurrency=concurrency, more=more.format(**keys)))
        self.wanted: dict[str, tuple[str, str]] = {}
        self._canaries = [self.twilio.service().create(name, attributes='{"kept": [1, 2]}') for name in CANARIES]

    def employ(self, rows: Rows) -> None:
        """These are the people from now on, in the source and in what is wanted."""
        if self.source is not None:
            _populate(self.source, rows)
        else:
            self.file.write_text(file_text(rows, self.file.suffix), encoding="utf-8")
        self.wanted = {email.strip(): (name, department) for _, email, name, department in rows}

    async def opened(self) -> Office:
        """The accounts stand as before; then the people change and an hour goes by."""
        self.employ(BEFORE)
        if not self.past.restore(self):
            assert (await self.run()).converged
            self.past.keep(self)
        self.employ(AFTER)
        self.clock.pass_time(HOUR)
        self.twilio.journal.requests.clear()
        return self

    async def run(self, *, meanwhile: Callable[[], object] = lambda: None) -> Report:
        """A run that never ends fails its test after ``PATIENCE``."""
        async with asyncio.timeout(PATIENCE):
            return (await wired.run(self.clock, self.config, meanwhile=meanwhile))[0]

    def accounts(self, service: str | None = None) -> dict[str, tuple[str, str]]:
        """identity -> (friendly name, team), strangers' accounts apart."""
        users = [user for user in self.twilio.service(service).users.values() if user["identity"] not in CANARIES]
        return {user["identity"]: (user["friendly_name"], orjson.loads(user["attributes"]).get("team")) for user in users}

    def asked(self, operation: str) -> int:
        """How many requests of this kind arrived."""
        return sum(one.operation == operation for one in self.twilio.requests)

    def deletions(self) -> list[str]:
        return sorted(one.identity or "" for one in self._log("DELETE", 204))

    def creations(self) -> Counter[str | None]:
        """identity -> how often syncd made its account, at the default service."""
        return Counter(one.identity for one in self._log("POST", 201) if one.path == "/v1/Users")

    def _log(self, method: str, status: int, origin: str = "http") -> list[WriteRecord]:
        return [one for one in self.twilio.log if (one.origin, one.method, one.status) == (origin, method, status)]

    def pending(self) -> list[tuple[str, str, str]]:
        """(state, who, reason) of all that waits for a person."""
        store = Store(wired.settings_of(self.config).store.url)
        found = [(row.state, row.who, row.reason) for row in waiting.listing(store)]
        store.close()
        return found

    def unharmed(self) -> None:
        """What syncd does not own is as it was, to the byte; each account was made once, or once more where others took it away."""
        users = self.twilio.service().users
        assert [users.get(one["sid"]) for one in self._canaries] == self._canaries
        taken = Counter(one.identity for one in self._log("DELETE", 204, "local"))
        assert {who: times for who, times in self.creations().items() if times > 1 + taken[who]} == {}

    async def recovers(self, *, within: int = 2) -> None:
        """The fault is over: converged within so many runs, everything as wanted, and then nothing more to do."""
        for sandbox in (self.sandbox, self.source):
            if sandbox is not None:
                sandbox.faults = ()
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
        self.unharmed()
        assert await wired.differences(self.clock, self.config) == []
        self.twilio.journal.requests.clear()
        assert (await self.run()).converged
        assert {one.operation for one in self.twilio.requests} == {"list"}


def _populate(sandbox: Sandbox, rows: Rows) -> None:
    """The directory holds exactly these people."""
    service = sandbox.twilio.service()
    wanted = {email: (name, department) for _, email, name, department in rows}
    present = {user["identity"] for user in service.users.values()}
    for gone in sorted(present - wanted.keys()):
        service.delete(gone)
    for email, (name, department) in wanted.items():
        write = service.update if email in present else service.create
        write(email, friendly_name=name, attributes=json.dumps({"team": department}))


def result(report: Report, name: str = "chat") -> Result:
    return next(one for one in report.results if one.name == name)


@contextmanager
def office(root: Path, past: Past, *, directory: bool = False, seconds: Environment | None = None, **options: Any) -> Iterator[Office]:
    """An office over real HTTP. ``directory``: its people are in a second sandbox, not in a file.

    ``seconds``: the sandboxes' own clock, where their answers must take real time. ``past``: one of the same options at the same root.
    """
    clock = Clock()
    sandboxes = [Sandbox(seconds or clock, seed=seed) for seed in range(1 + directory)]
    with ExitStack() as stack:
        urls = [stack.enter_context(serve(one, port)) for one, port in zip(sandboxes, past.ports or [0, 0], strict=False)]
        past.ports = [int(url.rpartition(":")[2]) for url in urls]
        source = (sandboxes[1], urls[1]) if directory else None
        yield Office(root, sandboxes[0], urls[0], clock, source=source, past=past, **options)


Faulty = Mapping[str, tuple[str, str]]
"""What is wrong -> (the SPEC of its faults, words of the message that names it)."""
