"""Who leaves an Appwrite project: disabled by the switch, signed out, enabled again, deleted when the grace is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.end_to_end.app import App, ident, mail, person
from tests.end_to_end.office import result

pytestmark = pytest.mark.anyio
DISABLE = "{deprovision: disable}"
GRACE = "{deprovision: {out_of_scope: delete, departed: delete, grace: 7d}}"
DAY = timedelta(days=1)
OFF = ["PATCH /{id}/status", "DELETE /{id}/sessions"]


async def staffed(app: App, write: str, *numbers: int) -> None:
    """These people have accounts and are signed in."""
    app.configure(write)
    app.people(*map(person, numbers))
    assert (await app.run()).converged
    for number in numbers:
        app.project.sign_in(ident(number))
    assert (await app.run()).converged


async def test_who_is_inactive_is_disabled_and_signed_out_and_nothing_else_is_touched(app: App) -> None:
    await staffed(app, "{}", 1, 2)
    before = app.user(1)
    app.people(person(1, active="false", name="Renamed Meanwhile"), person(2))
    report = await app.run()
    assert report.converged and result(report, "app").applied["disable"] == 1
    assert app.writes() == OFF
    assert app.user(1) == {**before, "status": False, "updated": app.user(1)["updated"]}, "frozen while disabled"
    assert app.project.sessions == {ident(2): 1}
    await app.rests()


async def test_who_is_entitled_again_is_enabled_again_with_what_changed_meanwhile(app: App) -> None:
    await staffed(app, DISABLE, 1, 2)
    app.people(person(2))
    assert (await app.run()).converged and app.writes() == OFF
    app.people(person(1, name="Renamed"), person(2))
    report = await app.run()
    assert report.converged and result(report, "app").applied["update"] == 1
    assert app.writes() == ["PATCH /{id}/status", "PATCH /{id}/name"]
    assert (app.user(1)["status"], app.user(1)["name"]) == (True, "Renamed") and app.posts() == []
    await app.rests()


async def test_grace_first_then_deletion(app: App) -> None:
    await staffed(app, GRACE, 1, 2)
    app.people(person(2))
    assert (await app.run()).converged and app.writes() == OFF
    app.clock.pass_time(6 * DAY)
    assert (await app.run()).converged and app.writes() == []
    app.clock.pass_time(DAY)
    report = await app.run()
    assert report.converged and result(report, "app").applied["delete"] == 1
    assert app.writes() == ["DELETE /{id}/sessions", "DELETE /{id}"]
    assert app.project.users.keys() == {ident(2)}
    await app.rests()


async def test_somebody_who_signs_in_during_the_grace_moves_nothing_but_their_record(app: App) -> None:
    await staffed(app, GRACE, 1, 2)
    app.people(person(2))
    await app.run()
    app.project.update(ident(1), accessed="2026-01-02T00:00:00.000+00:00")
    assert (await app.run()).converged and app.writes() == []


async def test_revoke_false_leaves_the_sessions(app: App) -> None:
    await staffed(app, "{deprovision: {departed: delete, grace: 7d}, revoke: false}", 1, 2)
    app.people(person(2))
    assert (await app.run()).converged
    assert app.writes() == ["PATCH /{id}/status"] and app.project.sessions == {ident(1): 1, ident(2): 1}
    app.clock.pass_time(7 * DAY)
    assert (await app.run()).converged and app.writes() == ["DELETE /{id}"]


@pytest.mark.parametrize("fault", ["500@update:*;after=1", "reset@update:*;after=1", "400@update;after=1", "403@update;after=1"])
async def test_sessions_that_could_not_be_ended_are_ended_by_the_next_run(app: App, fault: str) -> None:
    """The switch took: the account is as it should be, and yet the change is not done."""
    await staffed(app, DISABLE, 1, 2)
    app.people(person(2))
    app.sandbox.faults = fault
    report = await app.run()
    assert not report.converged and not app.user(1)["status"] and app.project.sessions == {ident(1): 1, ident(2): 1}
    app.sandbox.faults = ()
    report = await app.run()
    assert report.converged and result(report, "app").applied["disable"] == 1
    assert app.writes() == OFF[1:] and app.project.sessions == {ident(2): 1}
    await app.rests()


async def test_who_comes_back_before_their_sessions_were_ended_keeps_them(app: App) -> None:
    await staffed(app, DISABLE, 1, 2)
    app.people(person(2))
    app.sandbox.faults = "500@update:*;after=1"
    await app.run()
    app.sandbox.faults = ()
    app.people(person(1), person(2))
    assert (await app.run()).converged
    assert app.writes() == ["PATCH /{id}/status"] and app.project.sessions == {ident(1): 1, ident(2): 1}
    await app.rests()


async def test_a_user_whom_somebody_deletes_during_the_grace_is_gone_and_stays_so(app: App) -> None:
    await staffed(app, GRACE, 1, 2)
    app.people(person(2))
    await app.run()
    app.project.delete(ident(1))
    assert (await app.run()).converged and app.writes() == []
    app.clock.pass_time(8 * DAY)
    assert (await app.run()).converged and app.writes() == []
    await app.rests()


async def test_who_returns_after_the_deletion_is_created_anew_under_the_same_id(app: App) -> None:
    """What a deleted user leaves behind blocks id and e-mail for a while: it is waited for, with back-off."""
    await staffed(app, "{deprovision: {departed: delete, grace: 0s}}", 1, 2)
    app.people(person(2))
    app.project.leftover = 3605.0
    assert (await app.run()).converged and app.project.users.keys() == {ident(2)}
    app.people(person(1), person(2))
    before = app.clock.elapsed
    report = await app.run()
    assert report.converged and app.posts() == [mail(1)]
    assert next(one.status for one in app.log() if one.method == "POST") == 409 and app.clock.elapsed - before > 3600
    await app.rests()


async def test_leftovers_that_stay_leave_the_creation_for_the_next_run(app: App) -> None:
    await staffed(app, DISABLE, 2)
    app.configure(DISABLE, lease="1h")
    app.project.leftover = 7200.0
    app.project.create("theirs", mail(1))
    app.project.delete("theirs")
    app.people(person(1), person(2), person(3))
    report = await app.run()
    assert "what a deleted user leaves behind is not yet removed" in result(report, "app").error and app.posts() == [mail(3)]
    app.clock.pass_time(2 * timedelta(hours=1))
    assert (await app.run()).converged and app.posts() == [mail(1)]
    await app.rests()
