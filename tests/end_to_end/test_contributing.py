"""Appwrite has a say in telephone numbers and names of members of Congress; Twilio and Waii hold what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from syncd.sandbox import Sandbox, serve
from tests.end_to_end.desk import Desk, Row, members, write

COLUMNS = ("employeeNumber", "email", "name", "phone", "title", "department")
CONFIG = """
version: 1
precedence: {{phone: [app, people], displayName: [app, people]}}
connections:
  people: {{connector: file, path: people.csv, id: employeeNumber, authoritative: true,
            read: {{attributes: {{userName: email, displayName: name}}}}}}
  app:
    connector: appwrite
    base_url: {url}/v1
    project: {appwrite.project_id}
    api_key: {appwrite.api_key}
    write: {{}}
    limits: {{update: {{percent: 400}}}}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {twilio.account_sid}
    auth_token: {twilio.auth_token}
    write: {{attributes: {{attributes.phone: phone}}, {scope}}}
    limits: {{update: {{percent: 400}}}}
  sql:
    connector: waii
    base_url: {url}/api/
    api_key: {waii.api_key}
    organizations: [acme]
    write: {{attributes: {{variables.phone: phone}}}}
    limits: {{update: {{percent: 400}}}}
"""
COUNT = 30


def config(desk: Desk, url: str, scope: str = "") -> str:
    one = desk.sandbox
    return CONFIG.format(url=url, appwrite=one.appwrite, twilio=one.twilio, waii=one.waii, scope=scope)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    sandbox = Sandbox()
    with serve(sandbox) as url:
        made = Desk(tmp_path, sandbox)
        made.configure(config(made, url))
        (tmp_path / "url").write_text(url)
        yield made


def employ(desk: Desk, rows: list[Row]) -> dict[str, tuple[str, str]]:
    write(desk.root / "people.csv", rows, COLUMNS)
    return {row["email"]: (row["name"], row["phone"]) for row in rows}


def edit(desk: Desk, who: str, **changes: str) -> None:
    """What the holder does in their own profile."""
    user = desk.sandbox.appwrite.project.by_email(who)
    assert user is not None
    desk.sandbox.appwrite.project.update(user["id"], **changes)


def everywhere(desk: Desk) -> Mapping[str, tuple[str, str | None]]:
    """The one state that all three are in."""
    assert desk.app() == desk.chat() == desk.sql()
    return desk.app()


def test_what_holders_say_in_one_place_reaches_the_others_and_stays_from_snapshot_to_snapshot(desk: Desk) -> None:
    wanted = employ(desk, members("2024-06-01", COUNT))
    desk.sync()
    assert everywhere(desk) == wanted
    first, second, third, *_ = wanted
    edit(desk, first, phone="+15550001")
    edit(desk, second, name="Jake")
    edit(desk, third, phone="")
    report = desk.sync()
    applied = {one["name"]: sum(one["applied"].values()) for one in report["connections"]}
    assert applied == {"people": 0, "app": 1, "chat": 2, "sql": 2}, "the emptied number comes back, the others go on"
    own = {first: (wanted[first][0], "+15550001"), second: ("Jake", wanted[second][1])}
    assert everywhere(desk) == {**wanted, **own}
    desk.rests()

    later = {row["email"]: row for row in members("2025-06-01", 1000)}
    wanted = employ(desk, [later.get(row["email"], row) | {"phone": f"+1666{row['phone'][-7:]}"} for row in members("2024-06-01", COUNT)])
    desk.sync()
    assert everywhere(desk) == {**wanted, first: (wanted[first][0], "+15550001"), second: ("Jake", wanted[second][1])}
    edit(desk, second, name=members("2024-06-01", 2)[1]["name"])
    desk.sync()
    assert everywhere(desk)[second] == wanted[second], "back to what syncd wrote, and so back to the file"
    desk.rests()


def test_a_lost_store_learns_from_the_accounts_who_said_what(desk: Desk) -> None:
    wanted = employ(desk, members("2024-06-01", COUNT))
    desk.sync()
    first = next(iter(wanted))
    edit(desk, first, phone="+15550001", name="Bob")
    desk.sync()
    desk.lose_store()
    before = desk.writes
    desk.sync()
    desk.rests()
    assert desk.writes == before and everywhere(desk) == {**wanted, first: ("Bob", "+15550001")}
    rows = members("2024-06-01", COUNT)
    rows[1]["phone"] = rows[0]["phone"] = "+16660000"
    wanted = employ(desk, rows)
    desk.sync()
    assert everywhere(desk) == {**wanted, first: ("Bob", "+15550001")}
    desk.rests()


def test_whose_account_is_gone_says_nothing_any_more(desk: Desk) -> None:
    wanted = employ(desk, members("2024-06-01", COUNT))
    desk.sync()
    first = next(iter(wanted))
    edit(desk, first, phone="+15550001")
    desk.sync()
    user = desk.sandbox.appwrite.project.by_email(first)
    assert user is not None
    desk.sandbox.appwrite.project.delete(user["id"])
    desk.type("sync", "--full", "--yes")
    desk.rests()
    assert everywhere(desk) == wanted


def test_nobody_gets_into_a_scope_by_editing_their_name(desk: Desk) -> None:
    url = (desk.root / "url").read_text()
    desk.configure(config(desk, url, "scope: 'displayName.startsWith(\"A\")'"))
    employ(desk, members("2024-06-01", 2))
    code, _ = desk.type("sync", "--yes")
    assert code == 78 and desk.writes == 0
    assert "syncd.yaml:3:50: precedence.displayName: who has an account at app may edit name there" in desk.err
    assert "displayName is in the scope of chat\n" in desk.err
    assert "remove app here, or read displayName from what only an administrator can write there" in desk.err
