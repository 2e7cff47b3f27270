"""A user's desk: a people file, a configuration, an emulated Twilio over HTTP, and `syncd` typed as they would type it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.cli.main import main
from syncd.environment import Environment
from syncd.sandbox import Sandbox
from tests import stores

COLUMNS = ("employeeNumber", "email", "displayName", "department")
CONFIG = """\
version: 1
connections:
  people:
    connector: file
    path: people.csv
    id: employeeNumber
    authoritative: true
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {account}
    auth_token: env:CHAT_TOKEN
"""
DISABLING = """\
    write:
      disabled: {attributes.active: false}
"""
"""What ends `CONFIG` unless a test says otherwise."""


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output as one JSON document."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def last(self) -> str:
        return self.out.splitlines()[-1]


@dataclass
class Office:
    """``rows``: the people file; `save` writes it. ``environ``: all that the commands see of the environment."""

    root: Path
    sandbox: Sandbox
    url: str
    environment: Environment | None = None
    rows: list[dict[str, str]] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environ |= stores.environ(self.root)
        self.environ["CHAT_TOKEN"] = self.sandbox.twilio.auth_token
        self.configure()

    @property
    def config(self) -> Path:
        return self.root / "syncd.yaml"

    def configure(self, rest: str = DISABLING) -> None:
        """``rest`` follows the keys of the connection ``chat``."""
        self.config.write_text(CONFIG.format(url=self.url, account=self.sandbox.twilio.account_sid) + rest, encoding="utf-8")

    def hire(self, *numbers: int) -> None:
        """People by number; everybody else of the file stays."""
        self.rows += [person(number) for number in numbers]
        self.save()

    def save(self) -> None:
        write(self.root / "people.csv", self.rows)

    def run(self, *arguments: str, typing: str | None = None) -> Said:
        """In this process; ``typing``: stdin is a terminal on which this is typed, else it is none."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), keyboard(typing):
            code = main(["--config", str(self.config), *arguments], self.environ, self.environment)
        return Said(code, out.getvalue(), err.getvalue())

    def settled(self, *numbers: int) -> None:
        """These people were hired and have their accounts."""
        self.hire(*numbers)
        said = self.run("sync", "--yes")
        assert said.code == 0, said

    @property
    def users(self) -> dict[str, dict[str, Any]]:
        """What the provider has, by identity."""
        return {one["identity"]: one for one in self.sandbox.twilio.service().users.values()}

    @property
    def writes(self) -> int:
        return len(self.sandbox.twilio.log)


@contextmanager
def keyboard(typing: str | None) -> Iterator[None]:
    """sys.stdin: a terminal on which something was typed, or nothing at all."""
    before = sys.stdin
    if typing is None:
        with open(os.devnull, encoding="utf-8") as sys.stdin:
            yield
    else:
        master, slave = pty.openpty()
        os.write(master, typing.encode())
        with open(slave, encoding="utf-8") as sys.stdin:
            yield
        os.close(master)
    sys.stdin = before


def person(number: int) -> dict[str, str]:
    """A made-up row of the people file."""
    return {"employeeNumber": f"E{number}", "email": f"p{number}@corp.example", "displayName": f"Person {number}", "department": "Support"}


def write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
