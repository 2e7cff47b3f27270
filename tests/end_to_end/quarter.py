"""Four populated directories and a people file, with `syncd` typed at them: who lives where, and what was written by whom."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from syncd.cli.main import main
from syncd.core.correlation import identity_id
from syncd.sandbox import Sandbox, serve
from syncd.sandbox.waii_tree import HOME
from tests import stores

TARGETS = ("chat", "app", "bots", "sql")
COLUMNS = ("employeeNumber", "email", "displayName", "active")
CONFIG = """\
version: 1
ignore: ["svc-*"]
connections:
  people: {{connector: file, path: people.csv, id: employeeNumber, authoritative: true}}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {twilio.account_sid}
    auth_token: {twilio.auth_token}
    write: {{disabled: {{attributes.active: false}}}}
  app: {{connector: appwrite, base_url: "{url}/v1", project: {appwrite.project_id}, api_key: {appwrite.api_key}, write: {{}}}}
  bots:
    connector: chatbotkit
    base_url: {url}/v1
    secret: {chatbotkit.secret}
    write: {{attributes: {{alias: lower(externalId)}}, disabled: {{meta.active: false}}}}
  sql:
    connector: waii
    base_url: {url}/api/
    api_key: {waii.api_key}
    organizations: [{home}]
    write: {{disabled: {{variables.active: false}}}}
"""


def mail(number: int) -> str:
    return f"p{number}@corp.example"


def ident(number: int) -> str:
    return identity_id("default", "people", f"E{number}")


class Quarter:
    """``rows``: number -> what is special about them."""

    def __init__(self, root: Path, sandbox: Sandbox, url: str) -> None:
        self.root, self.sandbox = root, sandbox
        self.twilio, self.project = sandbox.twilio.service(), sandbox.appwrite.project
        self.parent, self.tree = sandbox.chatbotkit.parent, sandbox.waii.tree
        self.rows: dict[int, Mapping[str, str]] = {}
        (root / "syncd.yaml").write_text(CONFIG.format(url=url, home=HOME, **sandbox.providers))

    def employ(self, *numbers: int, **more: str) -> None:
        """These people, too; ``more``: columns of theirs."""
        self.rows |= {number: more for number in numbers}
        with (self.root / "people.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            for number, own in self.rows.items():
                writer.writerow({"employeeNumber": f"E{number}", "email": mail(number), "displayName": f"Person {number}", **own})

    def type(self, *arguments: str) -> tuple[int, str]:
        """(exit code, standard output), without a terminal."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["--config", str(self.root / "syncd.yaml"), *arguments], stores.environ(self.root))
        return code, out.getvalue() or err.getvalue()

    def plan(self) -> dict[str, Any]:
        code, said = self.type("plan", "--json", "--full")
        assert code == 0, said
        document: dict[str, Any] = json.loads(said)
        return document

    def sync(self) -> dict[str, dict[str, Any]]:
        """A full run; connection -> its part of the report."""
        code, said = self.type("sync", "--yes", "--full", "--json")
        assert code in (0, 3), said
        return {one["name"]: one for one in json.loads(said)["connections"]}

    def waits(self) -> Counter[tuple[str, str]]:
        """(connection, who) of all that waits for a person."""
        return Counter((row["connection"], row["who"]) for row in json.loads(self.type("pending", "--json")[1])["items"])

    def lose_store(self) -> None:
        stores.lose(self.root)

    def links(self) -> dict[str, dict[str, str]]:
        """Connection -> account -> whose it is."""
        found: dict[str, dict[str, str]] = {name: {} for name in TARGETS}
        for one in json.loads(self.type("identities", "--json")[1])["identities"]:
            for each in one["accounts"]:
                if each["connection"] in found:
                    found[each["connection"]][each["account"]] = one["attributes"]["userName"]
        return found

    def accounts(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Connection -> account -> all the provider holds of it."""
        return {
            "chat": dict(self.twilio.users), "app": dict(self.project.users), "bots": dict(self.parent.users), "sql": dict(self.tree.users),
        }  # fmt: skip

    def writes(self) -> dict[str, int]:
        """How many unsafe requests syncd sent, by connection, since the last time this was asked."""
        found = {}
        for name, provider in zip(
            TARGETS, (self.sandbox.twilio, self.sandbox.appwrite, self.sandbox.chatbotkit, self.sandbox.waii), strict=True
        ):
            found[name] = sum(one.origin == "http" for one in provider.journal.log)
            provider.journal.clear()
        return found


@contextmanager
def quarter(root: Path) -> Iterator[Quarter]:
    sandbox = Sandbox()
    with serve(sandbox) as url:
        yield Quarter(root, sandbox, url)
