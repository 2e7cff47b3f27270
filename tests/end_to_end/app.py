"""People and an Appwrite project, wired as the command line does it: a people file, a store, the sandbox over real HTTP, one clock."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from syncd.core.correlation import identity_id
from syncd.engine.planning import Plan
from syncd.engine.report import Report
from syncd.environment import Environment
from syncd.sandbox import Sandbox, serve
from syncd.sandbox.appwrite_project import Project
from syncd.sandbox.journal import WriteRecord
from syncd.store import Store, waiting
from tests import stores
from tests.end_to_end import wired
from tests.end_to_end.office import HOUR
from tests.world import Clock

COLUMNS = ("employeeNumber", "email", "name", "phone", "department", "roles", "active")
CONFIG = """
version: 1
instance: prod
store: {{lease: {lease}}}
connections:
  people: {{connector: file, path: people.csv, id: employeeNumber, authoritative: true}}
  app:
    connector: appwrite
    base_url: {url}/v1
    project: {project}
    api_key: {key}
    page_size: 4
    rate: {{concurrency: {concurrency}}}
    limits: {{delete: {{percent: 100}}}}
    settle: {settle}
    write: {write}
{more}
"""


def ident(number: int) -> str:
    """The identity of person ``number``, which is the id of their account."""
    return identity_id("prod", "people", f"e{number}")


def mail(number: int) -> str:
    return f"p{number}@corp.example"


def person(number: int, **more: str) -> dict[str, str]:
    return {"employeeNumber": f"e{number}", "email": mail(number), "name": f"Person {number}", **more}


class App:
    """``write``: the target's section, as YAML in one line; ``more``: further lines. Both may be changed with `configure`."""

    def __init__(self, root: Path, sandbox: Sandbox, url: str, clock: Clock) -> None:
        self.root, self.sandbox, self.url, self.clock = root, sandbox, url, clock
        self.appwrite, self.config = sandbox.appwrite, root / "syncd.yaml"
        self.configure()

    @property
    def project(self) -> Project:
        return self.appwrite.project

    def configure(
        self, write: str = "{}", *, more: str = "", concurrency: int = 1, lease: str = "10s", settle: str = "10s", key: str = ""
    ) -> None:
        text = CONFIG.format(
            url=self.url, project=self.appwrite.project_id, key=key or self.appwrite.api_key, write=write, more=more, lease=lease,
            concurrency=concurrency, settle=settle,
        )  # fmt: skip
        self.config.write_text(text)

    def people(self, *rows: Mapping[str, str]) -> None:
        with (self.root / "people.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(rows)

    async def run(self, mode: str = "delta", *, meanwhile: Callable[[], object] = lambda: None) -> Report:
        """One agreed cycle, an hour after the last; its requests are kept alone."""
        self.clock.pass_time(HOUR)
        self.appwrite.journal.clear()
        return (await wired.run(self.clock, self.config, mode=mode, meanwhile=meanwhile))[0]

    async def plan(self) -> list[tuple[str, str, str, str]]:
        """(kind, who, code of the hold, its words) of every change that a plan shows now."""
        _, plan = await wired.run(self.clock, self.config, mode="plan")
        found = [(row.kind, row.who, row.hold, row.held or "") for row in plan.changes()]
        _close(plan)
        return sorted(found)

    async def rests(self) -> None:
        """What is stored follows from the documents, and a further run writes nothing and only lists."""
        assert await wired.differences(self.clock, self.config) == []
        report = await self.run()
        assert report.converged, (report, self.pending())
        assert self.writes() == [] and {one.operation for one in self.appwrite.requests} == {"list"}

    def user(self, number: int) -> dict[str, Any]:
        return self.project.users[ident(number)]

    def writes(self, id: str | None = None) -> list[str]:
        """Every write of the last run that syncd asked for, in order: ``PATCH {id}/status`` and the like; or those to one user."""
        mine = [one for one in self.log() if id is None or one.sid == id]
        return [f"{one.method} {one.path.removeprefix('/v1/users')}".replace(one.sid or " ", "{id}") for one in mine]

    def log(self) -> list[WriteRecord]:
        return [one for one in self.appwrite.log if one.origin == "http"]

    def posts(self) -> list[str]:
        """E-mail addresses of the accounts that syncd made in the last run."""
        return [one.identity or "" for one in self.log() if (one.method, one.status) == ("POST", 201)]

    @contextmanager
    def store(self) -> Iterator[Store]:
        settings = wired.settings_of(self.config)
        opened = Store(settings.store.url, settings.landscape.instance)
        try:
            yield opened
        finally:
            opened.close()

    def pending(self) -> list[tuple[str, str, str, str]]:
        """(state, who, code of the hold, reason) of all that waits for a person."""
        with self.store() as store:
            return [(row.state, row.who, row.hold, row.reason) for row in waiting.listing(store)]

    def release(self) -> int:
        """`held release` of everything held."""
        with self.store() as store:
            rows = [row.id for row in waiting.listing(store, state="held")]
            waiting.release(store, rows, self.clock.now())
        return len(rows)

    def lose_store(self) -> None:
        stores.lose(self.root)


def _close(plan: Plan) -> None:
    plan.store.close()


def prefs(user: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(user["prefs"])
    return found


@contextmanager
def app(root: Path, seconds: Environment | None = None) -> Iterator[App]:
    """``seconds``: the sandbox's own clock, where its answers must take real time."""
    clock = Clock()
    sandbox = Sandbox(seconds or clock, only=["appwrite"])
    with serve(sandbox) as url:
        yield App(root, sandbox, url, clock)
