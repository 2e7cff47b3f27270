"""An Appwrite project as the source of a Twilio service: its users are the people, and it is never written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.core.correlation import identity_id
from syncd.engine.report import Report
from syncd.sandbox import Sandbox, serve
from tests.end_to_end import wired
from tests.end_to_end.office import HOUR, result
from tests.world import Clock

pytestmark = pytest.mark.anyio
CONFIG = """
version: 1
connections:
  staff:
    connector: appwrite
    base_url: {url}/v1
    project: {project}
    api_key: {key}
    page_size: 3
    authoritative: true
    read: {{attributes: {{userName: email, department: prefs.team, roles: labels}}}}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {account}
    auth_token: {token}
    limits: {{delete: {{percent: 50}}}}
    write:
      scope: '"staff" in roles'
      attributes: {{attributes.team: department, attributes.externalId: null}}
      deprovision: {{out_of_scope: delete, departed: delete, grace: 0s}}
"""


class Staff:
    """Users of the project by number; those with the label ``staff`` are to chat."""

    def __init__(self, root: Path, sandbox: Sandbox, url: str, clock: Clock) -> None:
        self.sandbox, self.clock, self.config = sandbox, clock, root / "syncd.yaml"
        self.appwrite, self.project = sandbox.appwrite, sandbox.appwrite.project
        self.config.write_text(
            CONFIG.format(
                url=url, project=self.appwrite.project_id, key=self.appwrite.reading_key, account=sandbox.twilio.account_sid,
                token=sandbox.twilio.auth_token,
            )
        )  # fmt: skip

    def hire(self, *numbers: int) -> None:
        for number in numbers:
            self.project.create(f"u{number}", f"p{number}@corp.example", password="correct horse", name=f"Person {number}")
            self.project.update(f"u{number}", labels=("staff",), prefs='{"team":"Sales"}')

    async def run(self, mode: str = "full") -> Report:
        """Nothing but lists and fetches ever reach the source. Deletions are no changes: only a full reading shows them."""
        self.clock.pass_time(HOUR)
        self.sandbox.twilio.journal.clear()
        self.appwrite.journal.clear()
        report, _ = await wired.run(self.clock, self.config, mode=mode)
        assert all(one.method == "GET" for one in self.appwrite.requests)
        return report

    def chatting(self) -> dict[str, tuple[str, str]]:
        users = self.sandbox.twilio.service().users.values()
        return {one["identity"]: (one["friendly_name"], json.loads(one["attributes"])["team"]) for one in users}

    def writes(self) -> list[tuple[str, str | None]]:
        return [(one.method, one.identity) for one in self.sandbox.twilio.log if one.origin == "http"]


@pytest.fixture
def staff(tmp_path: Path) -> Iterator[Staff]:
    clock = Clock()
    sandbox = Sandbox(clock)
    with serve(sandbox) as url:
        yield Staff(tmp_path, sandbox, url, clock)


def row(number: int, name: str = "", team: str = "Sales") -> dict[str, tuple[str, str]]:
    return {f"p{number}@corp.example": (name or f"Person {number}", team)}


@pytest.mark.parametrize("mode", ["delta", "full"])
async def test_its_users_become_people_and_what_changes_flows(staff: Staff, mode: str) -> None:
    staff.hire(*range(1, 8))
    assert (await staff.run()).converged
    assert staff.chatting() == {who: told for n in range(1, 8) for who, told in row(n).items()}
    store = wired.Store(wired.settings_of(staff.config).store.url)
    people = {one.id for one in store.rows("SELECT id FROM identity")}
    dump = str(store.rows("SELECT * FROM account"))
    store.close()
    assert people == {identity_id("default", "staff", f"u{n}") for n in range(1, 8)}
    assert "argon2" not in dump
    staff.project.update("u1", name="Renamed", prefs='{"team":"Support"}')
    staff.project.update("u2", labels=())
    staff.hire(8)
    assert (await staff.run(mode)).converged
    wanted = {who: told for n in range(3, 9) for who, told in row(n).items()} | row(1, "Renamed", "Support")
    assert staff.chatting() == wanted
    assert sorted(method for method, _ in staff.writes()) == ["DELETE", "POST", "POST"]
    assert await wired.differences(staff.clock, staff.config) == []
    assert (await staff.run()).converged and staff.writes() == []


async def test_who_is_blocked_there_is_inactive_and_their_account_stays(staff: Staff) -> None:
    staff.hire(1, 2)
    await staff.run()
    staff.project.update("u1", status=False)
    report = await staff.run()
    assert staff.writes() == [] and result(report, "chat").kept == 1
    staff.hire(3)
    staff.project.update("u3", status=False)
    await staff.run()
    assert staff.writes() == [], "who is blocked from the beginning never gets an account"


async def test_a_user_who_is_deleted_is_asked_for_by_name_and_then_a_leaver(staff: Staff) -> None:
    staff.hire(*range(1, 8))
    await staff.run()
    staff.project.delete("u4")
    assert (await staff.run("delta")).converged and staff.writes() == []
    report = await staff.run()
    assert report.converged and staff.writes() == [("DELETE", "p4@corp.example")]
    assert [one.path for one in staff.appwrite.requests if one.operation == "fetch"] == ["/v1/users/u4"]
    assert (await staff.run()).converged and staff.writes() == []


@pytest.mark.parametrize(
    "fault", ["missed@list;after=1", "500@fetch:*", "401@fetch:*", "html@fetch:*;status=404", "500@list:*", "cut@list:*"]
)
async def test_without_proof_nobody_leaves(staff: Staff, fault: str) -> None:
    staff.hire(*range(1, 8))
    await staff.run()
    if "fetch" in fault:
        staff.project.delete("u4")
    staff.sandbox.faults = fault
    report = await staff.run()
    assert result(report, "staff").error and staff.writes() == []
    staff.sandbox.faults = ()
    assert (await staff.run()).converged
    assert staff.writes() == ([("DELETE", "p4@corp.example")] if "fetch" in fault else [])
