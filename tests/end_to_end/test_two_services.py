"""One person, accounts at two services of one Twilio account: each has its own links, states and limits, and none waits for the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.sandbox import Sandbox, serve
from tests.end_to_end.desk import Desk, Row, members, write

COLUMNS = ("employeeNumber", "email", "name", "phone", "title", "department")
CONFIG = """
version: 1
connections:
  people: {{connector: file, path: people.csv, id: employeeNumber, authoritative: true,
            read: {{attributes: {{userName: email, displayName: name}}}}}}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {twilio.account_sid}
    auth_token: {token}
    write: {{attributes: {{attributes.phone: phone}}, deprovision: {{departed: delete, grace: 0s}}, {chat}}}
    limits: {{delete: {{max: 1}}, update: {{percent: 400}}}}
  desk:
    connector: twilio
    base_url: {url}
    account_sid: {twilio.account_sid}
    auth_token: {twilio.auth_token}
    service_sid: {twilio.service_sid}
    write: {{attributes: {{attributes.phone: phone}}, scope: department == "Democrat", disabled: {{attributes.active: false}},
             deprovision: {{out_of_scope: disable, departed: delete, grace: 0s}}}}
    limits: {{delete: {{max: 50, percent: 100}}, update: {{percent: 400}}}}
"""


class Services(Desk):
    url = ""

    def arrange(self, chat: str = "revoke: true", token: str = "") -> None:
        self.configure(CONFIG.format(url=self.url, twilio=self.sandbox.twilio, chat=chat, token=token or self.sandbox.twilio.auth_token))

    def employ(self, rows: list[Row]) -> None:
        write(self.root / "people.csv", rows, COLUMNS)

    def applied(self, *arguments: str) -> dict[str, dict[str, int]]:
        _, out = self.type("sync", "--yes", "--json", *arguments)
        return {one["name"]: {**one["applied"], "held": one["held"]} for one in json.loads(out)["connections"]}

    @property
    def named(self) -> str:
        return self.sandbox.twilio.service_sid


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    sandbox = Sandbox()
    with serve(sandbox) as url:
        made = Services(tmp_path, sandbox)
        made.url = url
        made.arrange()
        made.employ(members("2026-06-15", 12))
        made.sync()
        yield made


def democrats(rows: list[Row]) -> set[str]:
    return {row["email"] for row in rows if row["department"] == "Democrat"}


def test_both_are_written_and_each_follows_its_own_scope(services: Services) -> None:
    rows = members("2026-06-15", 12)
    assert services.chat().keys() == {row["email"] for row in rows}
    assert services.chat(services.named).keys() == democrats(rows) != set()
    services.rests()
    who = next(row for row in rows if row["department"] == "Democrat")
    who["phone"] = "+15550000"
    services.employ(rows)
    services.sync()
    assert services.chat()[who["email"]] == services.chat(services.named)[who["email"]] == (who["name"], "+15550000")
    who["department"] = "Independent"
    services.employ(rows)
    services.sync()
    users = {user["identity"]: user for user in services.sandbox.twilio.service(services.named).users.values()}
    assert '"active":false' in users[who["email"]]["attributes"].replace(" ", "")
    there = next(one for one in services.sandbox.twilio.service().users.values() if one["identity"] == who["email"])
    assert "active" not in there["attributes"]
    services.rests()


def test_each_has_limits_of_its_own(services: Services) -> None:
    rows = members("2026-06-15", 12)
    gone = [row for row in rows if row["department"] == "Democrat"][:2]
    services.employ([row for row in rows if row not in gone])
    applied = services.applied()
    assert (applied["chat"]["delete"], applied["chat"]["held"], applied["desk"]["delete"], applied["desk"]["held"]) == (0, 2, 2, 0)
    assert not {row["email"] for row in gone} & services.chat(services.named).keys()
    assert {row["email"] for row in gone} <= services.chat().keys()


def test_one_that_is_never_written_blocks_nothing_at_the_other(services: Services) -> None:
    rows = members("2026-06-15", 12)
    for row in rows:
        row["phone"] = f"+1555{row['phone'][-4:]}"
    services.arrange("apply: never")
    services.employ(rows)
    applied = services.applied()
    assert (applied["chat"]["update"], applied["chat"]["held"], applied["desk"]["update"]) == (0, 12, len(democrats(rows)))


def test_one_that_refuses_everything_blocks_nothing_at_the_other(services: Services) -> None:
    rows = members("2026-06-15", 12)
    before = services.chat()
    for row in rows:
        row["phone"] = f"+1555{row['phone'][-4:]}"
    services.employ(rows)
    services.arrange(token="f" * 32)
    code, out = services.type("sync", "--yes")
    wanted = {row["email"]: (row["name"], row["phone"]) for row in rows}
    assert code == 1 and "chat" in out
    assert services.chat() == before
    assert services.chat(services.named) == {who: wanted[who] for who in democrats(rows)}
    services.arrange()
    services.sync()
    assert services.chat() == wanted
    services.rests()


def test_two_links_of_one_person_are_two(services: Services) -> None:
    """Taken away at one, the account is made there again, and the other is not looked at."""
    who = next(iter(services.chat(services.named)))
    other = next(one for one in services.sandbox.twilio.service().users.values() if one["identity"] == who)
    services.sandbox.twilio.service(services.named).delete(who)
    assert services.applied()["desk"]["create"] == 1
    assert next(one for one in services.sandbox.twilio.service().users.values() if one["identity"] == who) == other
    services.rests()
