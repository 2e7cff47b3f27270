"""The first load of an Appwrite project: ids from the identities, steps in an order that lasts, and nothing sent twice."""

from __future__ import annotations

from uuid import UUID

import pytest

from syncd.connectors.appwrite_table import label
from tests.end_to_end.app import App, ident, mail, person, prefs

pytestmark = pytest.mark.anyio
FULL = "{attributes: {labels: roles, prefs.team: department, emailVerification: {value: true}, phoneVerification: {value: true}}}"


def mark(number: int) -> str:
    return label(f"prod:{ident(number)}")


async def test_a_person_becomes_an_account_under_the_id_of_the_identity(app: App) -> None:
    app.people(person(1), person(2, phone="+12025550102"))
    report = await app.run()
    assert report.converged and report.results[1].applied["create"] == 2
    assert app.project.users.keys() == {ident(1), ident(2)}
    assert UUID(ident(1)).version == 5
    user = app.user(2)
    assert (user["name"], user["email"], user["phone"], user["status"]) == ("Person 2", mail(2), "+12025550102", True)
    assert user["labels"] == (mark(2),)
    assert app.writes(ident(1)) == ["POST ", "PUT /{id}/labels"]
    await app.rests()


async def test_the_steps_of_a_create_are_journalled_one_by_one_in_an_order_that_lasts(app: App) -> None:
    app.configure(FULL)
    app.people(person(1, phone="+12025550101", department="Sales", roles="vip;staff"), person(2, active="false"))
    report = await app.run()
    assert report.converged and report.results[1].applied["create"] == 1, "who is inactive never gets an account"
    order = ["POST ", "PUT /{id}/labels", "PATCH /{id}/prefs", "PATCH /{id}/verification", "PATCH /{id}/verification/phone"]
    assert app.writes() == order
    assert [one.body for one in app.log()][:2] == [
        {"userId": ident(1), "email": mail(1), "phone": "+12025550101", "name": "Person 1"},
        {"labels": sorted([mark(1), "vip", "staff"])},
    ]
    user = app.user(1)
    assert (user["emailVerification"], user["phoneVerification"], prefs(user)) == (True, True, {"team": "Sales"})
    with app.store() as store:
        steps = store.rows("SELECT n, state, creates FROM step ORDER BY id")
    assert [(one.n, one.state, bool(one.creates)) for one in steps] == [(n, "applied", n == 1) for n in range(1, 6)]
    await app.rests()


async def test_only_what_changed_is_sent_and_the_flags_follow_what_resets_them(app: App) -> None:
    app.configure(FULL)
    app.people(person(1, phone="+12025550101", department="Sales"))
    await app.run()
    app.people(person(1, phone="+12025550101", department="Sales", name="Person Renamed"))
    assert (await app.run()).converged
    assert app.writes() == ["PATCH /{id}/name"]
    await app.rests()
    app.people(person(1, email="new@corp.example", phone="+12025550199", department="Sales", name="Person Renamed"))
    assert (await app.run()).converged
    assert app.writes()[:2] == ["PATCH /{id}/email", "PATCH /{id}/phone"]
    await app.run()
    user = app.user(1)
    assert (user["email"], user["phone"]) == ("new@corp.example", "+12025550199")
    assert user["emailVerification"] and user["phoneVerification"], "a new address resets its flag, which is set again behind it"
    await app.rests()


async def test_what_the_plan_says_it_will_send_is_what_it_sends(app: App) -> None:
    app.configure(FULL)
    app.people(*(person(n, department="Sales") for n in range(1, 4)))
    held = "first contact: nothing of this connection has been changed by syncd yet"
    assert await app.plan() == [("create", mail(n), "first_contact", held) for n in range(1, 4)]
    await app.run()
    with app.store() as store:
        forecast = store.value("SELECT SUM(requests) FROM change WHERE state = 'applied'")
    assert forecast == sum(one.operation != "list" for one in app.appwrite.requests), (
        "new prefs are read back, since their answer names nobody"
    )
