"""`syncd sync` as a person runs it, with Prism before every target: whole runs break no vendor's OpenAPI document."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from syncd.sandbox import Sandbox
from tests.third_party.prism import prism

SNAPSHOT = Path(__file__).parents[1] / "data" / "congress" / "2023-02-01.csv"
TARGETS = {
    "twilio": ("twilio_conversations_v1.users.json", "", "attributes: {attributes.state: tenant}"),
    "appwrite": ("appwrite_server.users.json", "/v1", "attributes: {phone: null, labels: '[organization]', prefs.state: tenant}"),
    "chatbotkit": ("chatbotkit_partner.users.json", "/v1", "attributes: {description: title, meta.state: tenant}"),
}
"""Connector -> its document, the sandbox's path below which the document's paths are, what is mapped."""
CONFIG = """
version: 1
connections:
  people: {connector: file, path: people.csv, id: employeeNumber, authoritative: true,
           read: {attributes: {userName: email, displayName: name}}}
"""
TARGET = """
  {name}:
    connector: {name}
    base_url: {url}
    {credentials}
    limits: {{delete: {{percent: 100}}}}
    write: {{{mapped}, deprovision: {{departed: delete, grace: 0s}}}}
"""


def credentials(sandbox: Sandbox) -> dict[str, str]:
    return {
        "twilio": f"account_sid: {sandbox.twilio.account_sid}\n    auth_token: {sandbox.twilio.auth_token}",
        "appwrite": f"project: {sandbox.appwrite.project_id}\n    api_key: {sandbox.appwrite.api_key}",
        "chatbotkit": f"secret: {sandbox.chatbotkit.secret}",
    }


@pytest.fixture
def sandbox() -> Sandbox:
    """With strangers on three pages, or two."""
    return Sandbox(users=120)


@pytest.fixture
def root(node: str, sandbox: Sandbox, tmp_path: Path) -> Iterator[Path]:
    """Where syncd.yaml is; its targets are behind Prism, which must have found nothing in the end."""
    text, secrets = CONFIG, credentials(sandbox)
    with ExitStack() as stack:
        for name, (document, path, mapped) in TARGETS.items():
            url = stack.enter_context(prism(node, document, sandbox, path))
            text += TARGET.format(name=name, url=url, credentials=secrets[name], mapped=mapped)
        (tmp_path / "syncd.yaml").write_text(text)
        yield tmp_path


def sync(root: Path, rows: list[dict[str, str]]) -> dict[str, dict[str, int]]:
    """What one `syncd sync` did at each target."""
    with (root / "people.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    done = subprocess.run([sys.executable, "-m", "syncd", "sync", "--yes", "--json"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)
    return {one["name"]: one["applied"] for one in report["connections"] if one["name"] in TARGETS}


def applied(**counts: int) -> dict[str, dict[str, int]]:
    return {name: {"create": 0, "adopt": 0, "update": 0, "disable": 0, "delete": 0} | counts for name in TARGETS}


def test_newcomers_changes_and_leavers(root: Path, sandbox: Sandbox) -> None:
    with SNAPSHOT.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:12]
    assert sync(root, rows) == applied(create=12)
    assert sync(root, rows) == applied()
    changed = [{**row, "name": f"{row['name']} II", "tenant": "XX"} for row in rows[:2]]
    assert sync(root, [*changed, *rows[2:10]]) == applied(update=2, delete=2)
    names = {row["name"] for row in (*changed, *rows[2:10])}
    for held in (sandbox.twilio.service().users, sandbox.appwrite.project.users, sandbox.chatbotkit.parent.users):
        assert len(held) == 130
        assert names <= {user.get("name") or user.get("friendly_name") for user in held.values()}
