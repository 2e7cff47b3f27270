"""`syncd revert`: what a run wrote is taken back where it still stands, and stays so; nothing is deleted for it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from syncd.store import Store
from tests import stores
from tests.cli.office import DISABLING, Office
from tests.cli.schemas import valid

P1, P3 = "p1@corp.example", "p3@corp.example"


def name(office: Office, who: str) -> str:
    return str(office.users[who]["friendly_name"])


def active(office: Office, who: str) -> Any:
    return json.loads(office.users[who]["attributes"]).get("active", True)


@pytest.fixture
def moved(office: Office) -> Office:
    """Run 2 renamed the first and disabled the third of three."""
    office.settled(1, 2, 3)
    office.rows[0]["displayName"] = "Renamed"
    office.rows.pop()
    office.save()
    assert office.run("sync", "--yes").code == 0
    assert (name(office, P1), active(office, P3)) == ("Renamed", False)
    return office


def test_values_return_and_who_was_disabled_is_enabled_and_it_stays_so(moved: Office) -> None:
    said = moved.run("revert", "2", "--yes")
    assert (said.code, name(moved, P1), active(moved, P3)) == (0, "Person 1", True)
    assert (
        '      friendly_name  "Renamed" -> "Person 1"' in said.out
        and "\nchat: 2 updated\nTo do it all the same: syncd revert 3\n" in said.out
    )
    writes = moved.writes
    for line in (["sync", "--yes"], ["sync", "--yes", "--full"], ["verify"]):
        assert moved.run(*line).code == 0
    assert moved.writes == writes, "a person's no outlives the run"
    assert moved.run("status").out.startswith("All 2 in step; nothing waits for you.")


def test_when_a_side_moves_the_no_is_over(moved: Office) -> None:
    moved.run("revert", "2", "--yes")
    moved.rows[0]["displayName"] = "Renamed again"
    moved.save()
    assert moved.run("sync", "--yes").code == 0
    assert (name(moved, P1), active(moved, P3)) == ("Renamed again", True)


def test_what_was_created_is_disabled_not_deleted(office: Office) -> None:
    office.settled(1, 2)
    said = office.run("revert", "1", "--yes")
    assert (said.code, said.out.splitlines()[-2]) == (0, "chat: 2 disabled")
    assert sorted(office.users) == [P1, "p2@corp.example"] and not active(office, P1)
    writes = office.writes
    assert office.run("sync", "--yes", "--full").code == 0 and office.writes == writes


def test_what_was_adopted_is_as_before_and_not_ours_any_more(office: Office) -> None:
    office.settled(1)
    office.sandbox.twilio.service().create(identity="p2@corp.example", friendly_name="Theirs", attributes='{"own":1}')
    office.hire(2)
    office.run("sync", "--yes")
    assert name(office, "p2@corp.example") == "Person 2"
    assert office.run("revert", "2", "--yes").code == 0
    assert (name(office, "p2@corp.example"), office.users["p2@corp.example"]["attributes"]) == ("Theirs", '{"own":1}')
    writes = office.writes
    office.rows[1]["displayName"] = "Other"
    office.save()
    assert office.run("sync", "--yes", "--full").code == 0
    assert office.writes == writes, "what is not owned is not written, whatever its person is called"
    assert office.run("verify").code == 0


def test_what_is_not_ours_any_more_is_left_alone(office: Office) -> None:
    office.settled(1)
    office.sandbox.twilio.service().create(identity="p2@corp.example", friendly_name="Theirs", attributes="{}")
    office.hire(2)
    office.run("sync", "--yes")
    office.run("revert", "2", "--yes")
    office.sandbox.twilio.service().update(office.users["p2@corp.example"]["sid"], friendly_name="Person 2")
    writes = office.writes
    said = office.run("revert", "2", "--yes")
    assert "the account is not owned by syncd any more" in said.out and office.writes == writes


def test_another_account_than_the_run_wrote_to_is_left_alone(moved: Office) -> None:
    moved.sandbox.twilio.service().delete(moved.users[P1]["sid"])
    moved.run("sync", "--yes", "--full")
    assert name(moved, P1) == "Renamed"
    said = moved.run("revert", "2", "--yes")
    assert re.search(rf"! update {P1} at chat stays: they have another account there by now \(US\w+\)", said.out)
    assert (name(moved, P1), active(moved, P3)) == ("Renamed", True)


def test_a_value_that_was_changed_since_stays_and_is_named(moved: Office) -> None:
    moved.sandbox.twilio.service().update(moved.users[P1]["sid"], friendly_name="By hand")
    said = moved.run("revert", "2", "--yes")
    assert said.code == 0 and f"! update {P1} at chat stays: friendly_name: it was changed since" in said.out
    assert (name(moved, P1), active(moved, P3)) == ("By hand", True)


def test_a_deleted_account_does_not_come_back_and_the_journal_has_what_it_held(office: Office) -> None:
    office.configure(DISABLING + "      deprovision: {departed: delete, grace: 0s}\n")
    office.settled(1, 2, 3)
    office.rows.pop()
    office.save()
    office.run("sync", "--yes")
    said = office.run("revert", "2", "--yes")
    assert said.code == 0 and f"! delete {P3} at chat stays: its account was deleted, and does not come back" in said.out
    assert said.last == "Nothing was sent." and P3 not in office.users
    assert '    friendly_name     "Person 3" -> (none)' in office.run("history", "--run", "2").out


def test_a_deletion_that_a_grace_had_in_store_is_off(office: Office) -> None:
    office.configure(DISABLING + "      deprovision: {departed: delete, grace: 7d}\n")
    office.settled(1, 2, 3)
    office.rows.pop()
    office.save()
    office.run("sync", "--yes")
    assert office.run("revert", "2", "--yes").code == 0
    store = Store(stores.url(office.root))
    assert store.value("SELECT COUNT(*) FROM link WHERE leaving_since IS NOT NULL OR due_at IS NOT NULL") == 0
    store.close()
    assert office.run("sync", "--yes").code == 0 and active(office, P3)
    store = Store(stores.url(office.root))
    assert store.value("SELECT COUNT(*) FROM link WHERE leaving_since IS NOT NULL OR due_at IS NOT NULL") == 0
    store.close()


def test_it_asks_and_a_no_sends_nothing(moved: Office) -> None:
    writes = moved.writes
    assert moved.run("revert", "2").code == 64
    said = moved.run("revert", "2", typing="n\n")
    assert (said.code, said.last, moved.writes) == (0, "Nothing was sent.", writes)
    assert moved.run("revert", "2", typing="y\n").code == 0
    assert name(moved, P1) == "Person 1"


def test_a_revert_can_be_reverted(moved: Office) -> None:
    moved.run("revert", "2", "--yes")
    assert moved.run("revert", "3", "--yes").code == 0
    assert (name(moved, P1), active(moved, P3)) == ("Renamed", False)
    assert moved.run("sync", "--yes").code == 0 and moved.run("verify").code == 0


def test_runs_that_never_were_or_wrote_nothing(moved: Office) -> None:
    said = moved.run("revert", "9", "--yes")
    assert (said.code, said.err) == (1, "syncd: there was no run 9; the last one was run 2\n")
    moved.run("sync", "--yes")
    said = moved.run("revert", "3", "--yes")
    assert (said.code, said.out) == (0, "Run 3 wrote nothing: there is nothing to take back.\n")


@pytest.mark.parametrize(("faults", "code", "failed"), [("401@update:9", 1, True), ("400@update:9", 3, False)])
def test_what_was_not_done_is_named(moved: Office, faults: str, code: int, failed: bool) -> None:
    moved.sandbox.faults = faults
    said = moved.run("revert", "2", "--yes")
    assert (said.code, "was not done" in said.out, "chat: FAILED: " in said.out) == (code, True, failed)
    assert (name(moved, P1), active(moved, P3)) == ("Renamed", False)
    assert moved.run("verify").code == 0


def test_a_write_that_apply_never_forbids_is_not_done(moved: Office) -> None:
    moved.configure(DISABLING + "      apply: never\n")
    writes = moved.writes
    said = moved.run("revert", "2", "--yes")
    assert said.code == 0 and said.out.count("write.apply is never") == 2 and moved.writes == writes


def test_the_document(moved: Office) -> None:
    document = valid(moved.run("revert", "2", "--yes", "--json").json, "revert")
    assert (document["reverts"], document["run"], document["applied"], document["undone"], document["stays"]) == (2, 3, 2, [], [])
    assert [(one["who"], one["kind"], one["attributes"]) for one in document["changes"]] == [
        (P3, "update", {"attributes.active": [False, None]}), (P1, "update", {"friendly_name": ["Renamed", "Person 1"]})
    ]  # fmt: skip


def test_the_journal_says_that_a_person_said_so(moved: Office) -> None:
    moved.run("revert", "2", "--yes")
    told = moved.run("history", P1).out.splitlines()
    assert told[-4].endswith(f"run 3 chat: you said revert 2: update {P1}")
    assert told[-1].startswith("    revert of run 2: update taken back;") and told[-1].endswith("released by you")
