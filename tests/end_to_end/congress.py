"""The nine snapshots of the United States Congress as people files, and what the sandbox should hold after each."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import orjson

from syncd.sandbox import Sandbox

SNAPSHOTS = sorted((Path(__file__).parent.parent / "data" / "congress").glob("*.csv"))
ELECTIONS = {"2023-02-01": (78, "14 % of 538", 79), "2025-02-01": (69, "13 % of 536", 72)}
"""Date -> (who leaves, their share, who comes)."""
MAPPED = {"phone": "phone", "title": "title", "chamber": "organization", "state": "tenant", "party": "department"}
"""Member of the account's attributes -> column."""
People = Mapping[str, tuple[str, Mapping[str, str]]]
"""identity -> (friendly name, mapped attributes)"""

CONFIG = """
version: 1
connections:
  people: {{connector: file, path: people.csv, id: employeeNumber, authoritative: true,
            read: {{attributes: {{userName: email, displayName: name}}}}}}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {account}
    auth_token: {token}
    write:
      attributes: {{{mapped}}}
      deprovision: {{out_of_scope: delete, departed: delete, grace: 0s}}
"""


def configure(path: Path, sandbox: Sandbox, url: str, more: str = "") -> None:
    """Write a configuration that brings the snapshots into ``sandbox``; ``more`` are further keys of its connection."""
    mapped = ", ".join(f"attributes.{name}: {source}" for name, source in MAPPED.items())
    twilio = sandbox.twilio
    path.write_text(CONFIG.format(url=url, account=twilio.account_sid, token=twilio.auth_token, mapped=mapped) + more)


def people(snapshot: Path) -> People:
    with snapshot.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["email"]: (row["name"], {key: row[column] for key, column in MAPPED.items() if row[column]}) for row in rows}


def accounts(sandbox: Sandbox) -> People:
    users = sandbox.twilio.service().users.values()
    read = {user["identity"]: (user["friendly_name"], orjson.loads(user["attributes"])) for user in users}
    return {who: (name, {key: held[key] for key in MAPPED if key in held}) for who, (name, held) in read.items()}
