"""The stage of the demo: a people file, a configuration, four emulated providers, and what somebody does to them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import orjson

from syncd.cli.demo_consoles import CONSOLES, Console, Seen
from syncd.sandbox import Sandbox, people_csv

COUNT = 8
VISITOR = "visitor@partner.example"
SECRETS = "secrets"
ALL = frozenset(kind.connection for kind in CONSOLES)
CONFIG = """\
# The configuration of `syncd demo`. Its providers are gone: `syncd sandbox` serves others, at an address of their own.
version: 1
instance: demo
store: {{url: sqlite:///syncd.db}}
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
    auth_token: file:secrets/chat
    write:
      disabled: {{attributes.active: false}}            # Twilio has no switch
  app:
    connector: appwrite
    base_url: {url}/v1
    project: {project}
    api_key: file:secrets/app
    write: {{}}                                         # Appwrite has one: status
  bots:
    connector: chatbotkit
    base_url: {url}/v1
    secret: file:secrets/bots
    write:
      attributes: {{alias: lower(externalId)}}          # unsaid, adopting an account might erase its alias, and would be held
      disabled: {{meta.active: false}}
      deprovision: {{departed: delete, grace: 0s}}      # deleted at once, not disabled for 7 days before
  sql:
    connector: waii
    base_url: {url}/api/
    api_key: file:secrets/sql
    organizations: [{organization}]
    write:
      disabled: {{variables.active: false}}
"""


class Stage:
    """What the providers saw, and what they have, by connection; ``writes`` counts those of the last command alone.

    Nothing of the user's own environment reaches the commands: a demo must not end up in their store.
    """

    def __init__(self, directory: Path, sandbox: Sandbox, url: str) -> None:
        self._directory = directory
        self._rows = list(csv.DictReader(io.StringIO(people_csv(COUNT + 1))))
        self._newcomer = self._rows.pop()
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCD_", "CREDENTIALS_DIRECTORY"))}
        self.consoles: dict[str, Console] = {kind.connection: kind(sandbox) for kind in CONSOLES}
        (directory / SECRETS).mkdir(mode=0o700)
        for name, console in self.consoles.items():
            console.create(VISITOR, "A visitor")
            (directory / SECRETS / name).write_text(console.secret)
        self._visitors = {name: console.everybody()[VISITOR] for name, console in self.consoles.items()}
        organization = next(iter(sandbox.waii.tree.organizations))
        said = {"account": sandbox.twilio.account_sid, "project": sandbox.appwrite.project_id, "organization": organization}
        (directory / "syncd.yaml").write_text(CONFIG.format(url=url, **said))
        self._write()
        self._strangers = {name: {*console.everybody()} - self._people() for name, console in self.consoles.items()}

    def run(self, command: Sequence[str]) -> int:
        """A command as a user would type it; what it says on stderr goes to the log."""
        from syncd.cli.main import main

        for console in self.consoles.values():
            console.journal.clear()
        with (self._directory / "syncd.log").open("a", encoding="utf-8") as log, redirect_stderr(log):
            return main(["--config", str(self._directory / "syncd.yaml"), *command], self._environ)

    # ---- what somebody does ----------------------------------------------------------------------------------------

    def edit(self) -> None:
        """A new name and a newcomer in the file; another name at two of the providers."""
        self._rows[0]["displayName"] = "Zora Neale"
        self._rows.append(self._newcomer)
        self._write()
        for name in ("app", "sql"):
            self.consoles[name].rename(self._rows[1]["email"], "changed by hand")

    def leave(self) -> None:
        """Who is signed in wherever that is possible."""
        leaver = self._rows.pop(-2)
        for console in self.consoles.values():
            console.sign_in(leaver["email"])
        self._write()

    def lose_half(self) -> None:
        del self._rows[COUNT // 2 :]
        self._write()

    # ---- what came of it -------------------------------------------------------------------------------------------

    def writes(self) -> dict[str, int]:
        return {name: len(console.journal.log) for name, console in self.consoles.items()}

    def live(self) -> dict[str, int]:
        """Accounts that are not disabled, of people who are or were in the file."""
        return {name: sum(one.live for one in self._ours(name).values()) for name in self.consoles}

    def astray(self) -> set[str]:
        """Where somebody in the file has no account, or one with another name."""
        return {name for name in self.consoles if not self._as_in_the_file(self._ours(name))}

    def left_open(self) -> list[str]:
        """Where somebody whose account is disabled is still signed in."""
        return [name for name in self.consoles if any(one.open and not one.live for one in self._ours(name).values())]

    def touched(self) -> list[str]:
        """Where the visitor is not as at the start."""
        return [name for name, console in self.consoles.items() if console.everybody().get(VISITOR) != self._visitors[name]]

    def held(self) -> list[Mapping[str, Any]]:
        """What `syncd held list --json` says."""
        with redirect_stdout(io.StringIO()) as out:
            self.run(["held", "list", "--json"])
        items: list[Mapping[str, Any]] = orjson.loads(out.getvalue())["items"]
        return items

    def log_tail(self) -> str:
        return "\n".join((self._directory / "syncd.log").read_text(encoding="utf-8").splitlines()[-5:])

    def _ours(self, name: str) -> dict[str, Seen]:
        return {email: one for email, one in self.consoles[name].everybody().items() if email not in self._strangers[name]}

    def _as_in_the_file(self, ours: Mapping[str, Seen]) -> bool:
        return all(row["email"] in ours and _follows(ours[row["email"]], row) for row in self._rows)

    def _people(self) -> set[str]:
        return {row["email"] for row in self._rows}

    def _write(self) -> None:
        with (self._directory / "people.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.DictWriter(file, self._newcomer)
            rows.writeheader()
            rows.writerows(self._rows)


def _follows(one: Seen, row: Mapping[str, str]) -> bool:
    return one.live and one.name == row["displayName"]
