"""A directory with a configuration, and `syncd` typed in it; members of Congress as a file, as few as a test needs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from syncd.cli.main import main
from syncd.sandbox import Sandbox
from syncd.sandbox.waii_tree import ADMIN
from tests import stores
from tests.end_to_end.congress import SNAPSHOTS

Row = dict[str, str]


@dataclass
class Desk:
    """``err``: what the last command said on standard error."""

    root: Path
    sandbox: Sandbox
    err: str = ""

    def configure(self, text: str) -> None:
        (self.root / "syncd.yaml").write_text(text, encoding="utf-8")

    def type(self, *arguments: str) -> tuple[int, str]:
        """(exit code, standard output), without a terminal."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["--config", str(self.root / "syncd.yaml"), *arguments], stores.environ(self.root))
        self.err = err.getvalue()
        return code, out.getvalue()

    def sync(self) -> dict[str, Any]:
        """The report of a run that ended well."""
        code, out = self.type("sync", "--yes", "--json")
        assert code == 0, out
        report: dict[str, Any] = json.loads(out)
        return report

    def lose_store(self) -> None:
        stores.lose(self.root)

    def rests(self, within: int = 2) -> None:
        """After so many runs nothing is written, and the documents say what is stored."""
        for _ in range(within):
            self.type("sync", "--yes")
        before = self.writes
        self.sync()
        assert self.writes == before
        assert self.type("verify")[0] == 0

    @property
    def writes(self) -> int:
        return sum(len(one.journal.log) for one in self.sandbox.providers.values())  # type: ignore[attr-defined]

    def chat(self, service: str | None = None) -> dict[str, tuple[str, str | None]]:
        """identity -> (name, phone) at Twilio."""
        users = self.sandbox.twilio.service(service).users.values()
        return {user["identity"]: (user["friendly_name"], orjson.loads(user["attributes"]).get("phone")) for user in users}

    def app(self) -> dict[str, tuple[str, str | None]]:
        """E-mail address -> (name, phone) at Appwrite."""
        return {user["email"]: (user["name"], user["phone"]) for user in self.sandbox.appwrite.project.users.values()}

    def sql(self) -> dict[str, tuple[str, str | None]]:
        """id -> (name, phone) at Waii."""
        users = self.sandbox.waii.tree.users
        return {id: (user["name"], (user["variables"] or {}).get("phone")) for id, user in users.items() if id != ADMIN}


def members(snapshot: str, count: int) -> list[Row]:
    """The first ``count`` members of a snapshot, by its date."""
    (path,) = (one for one in SNAPSHOTS if one.stem == snapshot)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[:count]


def write(path: Path, rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
