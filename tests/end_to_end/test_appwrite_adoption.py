"""Accounts that an Appwrite project has already: whose they are, who may say so, and what is never taken."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.connectors.appwrite_table import label
from tests.end_to_end.app import App, ident, mail, person
from tests.end_to_end.office import result

pytestmark = pytest.mark.anyio


def mark(number: int, instance: str = "prod") -> str:
    return label(f"{instance}:{ident(number)}")


def existing(app: App, id: str, number: int, **more: Any) -> dict[str, Any]:
    """An account that somebody made before syncd came, and whose holder is signed in."""
    app.project.create(id, mail(number), name="Old Name")
    app.project.update(id, **more)
    app.project.sign_in(id)
    return app.project.users[id]


async def test_a_verified_address_is_trusted_and_the_account_adopted_with_the_yes_to_the_first_contact(app: App) -> None:
    existing(app, "old", 1, emailVerification=True, labels=("vip",), prefs='{"theme":"dark"}')
    app.people(person(1))
    assert [(kind, who, hold) for kind, who, hold, _ in await app.plan()] == [("adopt", mail(1), "first_contact")]
    report = await app.run()
    assert report.converged and result(report, "app").applied["adopt"] == 1
    assert app.writes() == ["PATCH /{id}/name", "PUT /{id}/labels"], "it keeps its id, sessions and flags"
    user = app.project.users["old"]
    assert (set(user["labels"]), user["prefs"], user["emailVerification"]) == ({"vip", mark(1)}, '{"theme":"dark"}', True)
    assert app.project.sessions == {"old": 1} and len(app.project) == 1
    await app.rests()


async def test_beyond_the_first_contact_a_trusted_adoption_passes_by_itself(app: App) -> None:
    app.people(person(2))
    await app.run()
    existing(app, "old", 1, emailVerification=True)
    app.people(person(1), person(2))
    assert [(kind, hold) for kind, _, hold, _ in await app.plan()] == [("adopt", "")]
    assert (await app.run()).converged and len(app.project) == 2
    await app.rests()


async def test_an_unverified_address_is_held_and_a_release_adopts_and_ends_the_sessions(app: App) -> None:
    app.people(person(2))
    await app.run()
    before = existing(app, "old", 1)
    app.people(person(1), person(2))
    ((kind, who, hold, told),) = await app.plan()
    assert (kind, who, hold) == ("adopt", mail(1), "untrusted")
    assert told == "account old matches by email, which its holder can edit; release = adopt it and end its sessions"
    report = await app.run()
    assert result(report, "app").held == 1 and app.project.users["old"] == before and app.writes() == []
    assert app.release() == 1
    assert (await app.run()).converged
    assert app.writes() == ["DELETE /{id}/sessions", "PATCH /{id}/name", "PUT /{id}/labels"]
    assert app.project.sessions == {} and not app.project.users["old"]["emailVerification"]
    await app.rests()


async def test_with_revoke_false_a_release_leaves_the_sessions_and_the_plan_promises_none(app: App) -> None:
    app.configure("{revoke: false}")
    app.people(person(2))
    await app.run()
    existing(app, "old", 1)
    app.people(person(1), person(2))
    ((*_, told),) = await app.plan()
    assert "sessions" not in told
    await app.run()
    app.release()
    assert (await app.run()).converged and app.project.sessions == {"old": 1}


async def test_who_signed_up_under_the_id_we_would_choose_is_not_adopted_silently(app: App) -> None:
    app.people(person(2))
    await app.run()
    app.project.create(ident(1), "stranger@else.example")
    before = app.user(1)
    app.people(person(1), person(2))
    ((kind, _, hold, told),) = await app.plan()
    assert (kind, hold) == ("adopt", "untrusted") and "the provider's key, which its holder can edit" in told
    report = await app.run()
    assert result(report, "app").held == 1 and app.user(1) == before and app.writes() == []


async def test_a_lost_store_finds_its_accounts_by_their_labels_and_writes_nothing(app: App) -> None:
    app.people(person(1), person(2, phone="+12025550102"))
    await app.run()
    before = app.project.users
    app.lose_store()
    report = await app.run()
    assert report.converged and result(report, "app").applied == {"create": 0, "adopt": 2, "update": 0, "disable": 0, "delete": 0}
    assert app.writes() == [] and app.project.users == before
    app.people(person(1, name="Renamed"), person(2, phone="+12025550102"))
    report = await app.run()
    assert app.writes() == ["PATCH /{id}/name"] and report.converged
    await app.rests()


async def test_after_a_lost_store_the_label_holds_where_somebody_changed_their_address(app: App) -> None:
    app.people(person(1), person(2))
    await app.run()
    app.project.update(ident(1), email="mine@home.example")
    app.lose_store()
    report = await app.run()
    assert report.converged and len(app.project) == 2
    assert app.writes() == ["PATCH /{id}/email"] and app.user(1)["email"] == mail(1)


async def test_an_account_of_another_instance_is_left_alone(app: App) -> None:
    app.people(person(2))
    await app.run()
    before = existing(app, "theirs", 1, emailVerification=True, labels=(mark(1, "test"),))
    app.people(person(1), person(2))
    ((_, _, hold, told),) = await app.plan()
    assert (hold, told) == ("foreign", "account theirs carries the marker of another syncd")
    report = await app.run()
    assert result(report, "app").held == 1 and app.project.users["theirs"] == before and app.writes() == []
    app.release()
    assert result(await app.run(), "app").held == 1 and app.project.users["theirs"] == before


async def test_two_accounts_that_a_label_and_an_address_name_are_left_to_a_person(app: App) -> None:
    app.people(person(2))
    await app.run()
    existing(app, "one", 1, emailVerification=True)
    app.project.create("two", "other@corp.example")
    app.project.update("two", labels=(mark(1),))
    app.people(person(1), person(2))
    ((_, _, hold, told),) = await app.plan()
    assert hold == "ambiguous" and "one and two match by email, marker" in told


async def test_with_adopt_never_a_trusted_match_is_a_conflict_and_nobody_is_doubled(app: App) -> None:
    app.configure("{adopt: never}")
    app.people(person(2))
    await app.run()
    existing(app, "old", 1, emailVerification=True)
    app.people(person(1), person(2))
    ((_, _, hold, _),) = await app.plan()
    assert hold == "never"
    await app.run()
    assert app.writes() == [] and len(app.project) == 2
