"""The snapshots of the United States Congress in four directories at once: the configuration, and what each directory should hold."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from syncd.sandbox import Sandbox
from syncd.sandbox.waii_tree import ADMIN, HOME

MAPPED = {"title": "title", "chamber": "organization", "state": "tenant", "party": "department"}
"""Member of each account's free object -> column."""
CHAMBERS = {"house": "House of Representatives", "senate": "The Senate"}
People = Mapping[str, tuple[str, Mapping[str, str]]]
"""userName -> (name, members)"""

CONFIG = """
version: 1
x-rate: &rate {{concurrency: 32}}           # so that many share one wait for the disk
x-gone: &gone {{out_of_scope: delete, departed: delete, grace: 0s}}
connections:
  people: {{connector: file, path: people.csv, id: employeeNumber, authoritative: true,
            read: {{attributes: {{userName: email, displayName: name}}}}}}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {twilio.account_sid}
    auth_token: {twilio.auth_token}
    rate: *rate
    write: {{attributes: {{{attributes}}}, deprovision: *gone}}
  app:
    connector: appwrite
    base_url: {url}/v1
    project: {appwrite.project_id}
    api_key: {appwrite.api_key}
    rate: *rate
    write: {{attributes: {{phone: null, {prefs}}}, deprovision: {{out_of_scope: disable, departed: disable}}}}
  bots:
    connector: chatbotkit
    base_url: {url}/v1
    secret: {chatbotkit.secret}
    rate: *rate
    write: {{attributes: {{{meta}}}, deprovision: *gone}}
  sql:
    connector: waii
    base_url: {url}/api/
    api_key: {waii.api_key}
    organizations: {{house: {{name: House of Representatives}}, senate: {{name: The Senate}}}}
    rate: *rate
    write:
      attributes: {{{variables}, org_id: lower(organization), tenant_id: 'lower(organization) + "-" + lower(tenant)'}}
      deprovision: *gone
      on_key_change: replace
      revoke: false        # our key acts for people of its own organization only
"""


def config(sandbox: Sandbox, url: str) -> str:
    objects = ("attributes", "prefs", "meta", "variables")
    maps = {one: ", ".join(f"{one}.{name}: {column}" for name, column in MAPPED.items()) for one in objects}
    providers = {"twilio": sandbox.twilio, "appwrite": sandbox.appwrite, "chatbotkit": sandbox.chatbotkit, "waii": sandbox.waii}
    return CONFIG.format(url=url, **providers, **maps)


def people(snapshot: Path) -> People:
    with snapshot.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["email"]: (row["name"], {key: row[column] for key, column in MAPPED.items() if row[column]}) for row in rows}


def accounts(sandbox: Sandbox) -> dict[str, People]:
    """Connection -> who lives there; in `app`, who is enabled."""
    chat = sandbox.twilio.service().users.values()
    app = [user for user in sandbox.appwrite.project.users.values() if user["status"]]
    bots = sandbox.chatbotkit.parent.users.values()
    sql = [user for id, user in sandbox.waii.tree.users.items() if id != ADMIN]
    return {
        "chat": {user["identity"]: (user["friendly_name"], _members(user["attributes"])) for user in chat},
        "app": {user["email"]: (user["name"], _members(user["prefs"])) for user in app},
        "bots": {user["email"]: (user["name"], _members(user["meta"])) for user in bots},
        "sql": {user["id"]: (user["name"], _members(user["variables"])) for user in sql},
    }


def _members(held: Any) -> dict[str, str]:
    document = orjson.loads(held) if isinstance(held, str) else held
    return {name: document[name] for name in MAPPED if name in document}


def homes(wanted: People) -> dict[str, tuple[str, str]]:
    """userName -> (organization, tenant) at Waii."""
    lower = {who: (held["chamber"].lower(), held["state"].lower()) for who, (_, held) in wanted.items()}
    return {who: (chamber, f"{chamber}-{state}") for who, (chamber, state) in lower.items()}


def tree(sandbox: Sandbox) -> tuple[dict[str, str], dict[str, str], dict[str, tuple[str, str]]]:
    """(organization -> name, tenant -> organization, user -> (organization, tenant)) of all that was not there at the start."""
    held = sandbox.waii.tree
    organizations = {id: one["name"] for id, one in held.organizations.items() if id != HOME}
    users = {id: (one["org_id"], one["tenant_id"]) for id, one in held.users.items() if id != ADMIN}
    return organizations, {id: one["org_id"] for id, one in held.tenants.items()}, users
