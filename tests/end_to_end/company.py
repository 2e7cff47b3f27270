"""A people file and Waii, the emulated one, as one configuration."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from syncd.engine.report import Report
from syncd.sandbox import Sandbox
from syncd.sandbox.waii_tree import ADMIN, Tree
from syncd.store import Store, waiting
from tests import stores
from tests.end_to_end import wired
from tests.world import Clock

CONFIG = """\
version: 1
store: {{url: sqlite:///syncd.db}}
connections:
  people:
    connector: file
    path: people.csv
    id: nr
    authoritative: true
    read: {{attributes: {{userName: email, displayName: name}}}}
  sql:
    connector: waii
    base_url: {url}/api/
    api_key: {key}
    {organizations}
    write: {write}
    limits: {{delete: {{max: 100, percent: 100}}, update: {{percent: 1000}}}}
"""
DELETE = "{deprovision: {out_of_scope: delete, departed: delete, grace: 0s}}"
ROLES = """{
      attributes: {roles: {from: title, map: {Lead: [waii-admin-user]}, default: [waii-user], mode: replace}},
      disabled: {roles: [waii-trial-user]}}"""


def person(number: int, **more: str) -> dict[str, str]:
    return {"nr": f"e{number}", "email": f"p{number}@x.co", "name": f"Person {number}", **more}


class Company:
    def __init__(self, root: Path, sandbox: Sandbox, url: str, write: str, organizations: str) -> None:
        self.root, self.sandbox, self.clock = root, sandbox, Clock()
        text = CONFIG.format(url=url, key=sandbox.waii.api_key, write=write, organizations=organizations)
        (root / "syncd.yaml").write_text(text)

    @property
    def tree(self) -> Tree:
        return self.sandbox.waii.tree

    def employ(self, *people: Mapping[str, str]) -> None:
        with (self.root / "people.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["nr", "email", "name", "title", "active", "organization", "tenant"], restval="")
            writer.writeheader()
            writer.writerows(people)

    async def run(self) -> tuple[Report, list[tuple[str, str]]]:
        """The report, and (kind, who) of all that was planned."""
        self.clock.pass_time(timedelta(minutes=1))
        report, _ = await wired.run(self.clock, self.root / "syncd.yaml")
        return report, self._asked("SELECT kind, who FROM change WHERE run = (SELECT max(id) FROM run) ORDER BY kind, who")

    async def plan(self) -> tuple[Report, list[tuple[str, str]]]:
        """What `syncd plan` finds."""
        report, _ = await wired.run(self.clock, self.root / "syncd.yaml", mode="plan")
        return report, self._asked("SELECT kind, who FROM change WHERE run = (SELECT max(id) FROM run) ORDER BY kind, who")

    def release(self) -> None:
        """`held release` of everything."""
        store = Store(stores.url(self.root))
        try:
            waiting.release(store, [row.id for row in waiting.listing(store, state="held")], self.clock.now())
        finally:
            store.close()

    async def settled(self, *people: Mapping[str, str]) -> None:
        self.employ(*people)
        report, _ = await self.run()
        assert report.converged, self.pending()
        assert (await self.run())[1] == []
        assert await wired.differences(self.clock, self.root / "syncd.yaml") == []

    def pending(self) -> list[tuple[str, str, str]]:
        return self._asked("SELECT state, who, reason FROM pending ORDER BY who")

    def _asked(self, question: str) -> list[Any]:
        store = Store(stores.url(self.root))
        try:
            return [tuple(row) for row in store.rows(question)]
        finally:
            store.close()

    def people(self) -> dict[str, dict[str, Any]]:
        return {id: user for id, user in self.tree.users.items() if id != ADMIN}

    def writes(self) -> list[tuple[str, int]]:
        return [(record.path.removeprefix("/api/"), record.status) for record in self.sandbox.waii.log if record.origin == "http"]
