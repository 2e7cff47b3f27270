"""The stage of the demo: a people file, a configuration, an emulated provider, and what somebody does to them."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import orjson

from syncd.cli.text import count
from syncd.sandbox import Sandbox, people_csv

COUNT = 12
VISITOR = "visitor@partner.example"
CONFIG = """\
# The configuration of `syncd demo`. Its provider is gone: `syncd sandbox` serves another, at an address of its own.
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
    account_sid: {sid}
    auth_token: file:token
    write:
      disabled: {{attributes.active: false}}
"""


class Stage:
    """What the provider saw, and what it has; ``sent`` counts the requests of the last command alone.

    Nothing of the user's own environment reaches the commands: a demo must not end up in their store.
    """

    def __init__(self, directory: Path, sandbox: Sandbox, url: str) -> None:
        self._directory, self._journal, self.service = directory, sandbox.twilio.journal, sandbox.twilio.service()
        self._rows = list(csv.DictReader(io.StringIO(people_csv(COUNT + 1))))
        self._newcomer = self._rows.pop()
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCD_", "CREDENTIALS_DIRECTORY"))}
        self._visitor = self.service.create(VISITOR, "A visitor")
        (directory / "token").write_text(sandbox.twilio.auth_token)
        (directory / "syncd.yaml").write_text(CONFIG.format(url=url, sid=sandbox.twilio.account_sid))
        self._write()

    def run(self, command: Sequence[str]) -> int:
        """A command as a user would type it; what it says on stderr goes to the log."""
        from syncd.cli.main import main

        self._journal.clear()
        with (self._directory / "syncd.log").open("a", encoding="utf-8") as log, redirect_stderr(log):
            return main(["--config", str(self._directory / "syncd.yaml"), *command], self._environ)

    # ---- what somebody does ----------------------------------------------------------------------------------------

    def edit(self) -> None:
        """A new name and a newcomer in the file; another name at the provider."""
        self._rows[0]["displayName"] = "Zora Neale"
        self._rows.append(self._newcomer)
        self._write()
        self.service.update(self._rows[1]["email"], friendly_name="changed by hand")

    def leave(self) -> None:
        del self._rows[-2]
        self._write()

    def lose_half(self) -> None:
        del self._rows[COUNT // 2 :]
        self._write()

    # ---- what came of it -------------------------------------------------------------------------------------------

    @property
    def sent(self) -> dict[str, int]:
        """Requests by operation: list, fetch, create, update, delete."""
        return dict(Counter(one.operation for one in self._journal.requests))

    @property
    def writes(self) -> int:
        return len(self._journal.log)

    @property
    def traffic(self) -> str:
        """``1 list, 9 create; 9 writes``."""
        asked = ", ".join(f"{number} {operation}" for operation, number in self.sent.items())
        return f"requests: {asked or 'none'}; {count(self.writes, 'write')}"

    @property
    def live(self) -> int:
        """Accounts of ours that are not disabled."""
        attributes = [orjson.loads(user["attributes"]) for user in self._users().values()]
        return sum(each.get("active") is not False for each in attributes) - 1

    def as_in_the_file(self) -> bool:
        """Everybody in the file has an account with the name that stands there."""
        users = {user["identity"]: user["friendly_name"] for user in self._users().values()}
        return all(users[row["email"]] == row["displayName"] for row in self._rows)

    def visitor_untouched(self) -> bool:
        return self._users()[self._visitor["sid"]] == self._visitor

    def held(self) -> list[Mapping[str, Any]]:
        """What `syncd held list --json` says."""
        with redirect_stdout(io.StringIO()) as out:
            self.run(["held", "list", "--json"])
        items: list[Mapping[str, Any]] = orjson.loads(out.getvalue())["items"]
        return items

    def log_tail(self) -> str:
        return "\n".join((self._directory / "syncd.log").read_text(encoding="utf-8").splitlines()[-5:])

    def _users(self) -> Mapping[str, dict[str, Any]]:
        return self.service.users

    def _write(self) -> None:
        with (self._directory / "people.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.DictWriter(file, self._newcomer)
            rows.writeheader()
            rows.writerows(self._rows)
