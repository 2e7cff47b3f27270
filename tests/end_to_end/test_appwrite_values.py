"""What an Appwrite project makes of values: lower case, no value, what only one may have, what others keep there, what is secret."""

from __future__ import annotations

import pytest

from syncd.connectors.appwrite_table import label
from tests import stores
from tests.end_to_end.app import App, ident, mail, person, prefs
from tests.end_to_end.office import result

pytestmark = pytest.mark.anyio


def mark(number: int) -> str:
    return label(f"prod:{ident(number)}")


async def test_an_address_is_kept_in_lower_case_and_that_is_no_difference(app: App) -> None:
    app.people(person(1, email="P1.Upper@Corp.Example"))
    assert (await app.run()).converged and app.user(1)["email"] == "p1.upper@corp.example"
    await app.rests()
    app.people(person(1, email="p1.UPPER@Corp.Example"))
    assert (await app.run()).converged and app.writes() == []


async def test_no_value_is_no_value_whichever_way_it_is_said(app: App) -> None:
    app.people(person(1), person(2, phone="+12025550102"))
    assert (await app.run()).converged and app.user(1)["phone"] is None
    await app.rests()
    app.people(person(1), person(2))
    assert (await app.run()).converged and app.writes() == ["PATCH /{id}/phone"]
    assert app.user(2)["phone"] is None
    await app.rests()


async def test_a_flag_that_is_down_is_no_value(app: App) -> None:
    """Whose column is empty, or who goes back to it, never had, or no longer has, a verified address."""
    app.configure("{attributes: {emailVerification: {from: department, map: {checked: true, unchecked: false}}}}")
    app.people(person(1), person(2, department="checked"), person(3, department="unchecked"))
    assert (await app.run()).converged
    assert [app.user(number)["emailVerification"] for number in (1, 2, 3)] == [False, True, False]
    await app.rests()
    app.people(person(1), person(2), person(3))
    assert (await app.run()).converged and app.writes() == ["PATCH /{id}/verification"]
    assert not app.user(2)["emailVerification"]
    await app.rests()


async def test_a_phone_that_somebody_has_is_refused_with_their_name_and_the_others_go_on(app: App) -> None:
    app.people(person(1, phone="+12025550100"), person(2, phone="+12025550100"), person(3))
    report = await app.run()
    ((state, who, _, reason),) = app.pending()
    loser = 1 if who == mail(1) else 2
    assert (state, who) == ("rejected", mail(loser)) and not report.failed
    assert f"User {ident(3 - loser)} has this phone." in reason and "user_already_exists" in reason
    assert len(app.project) == 2 and ident(3) in app.project.users
    rows = {1: person(1, phone="+12025550100"), 2: person(2, phone="+12025550100"), loser: person(loser)}
    app.people(rows[1], rows[2], person(3))
    assert (await app.run()).converged and len(app.project) == 3
    await app.rests()


async def test_an_update_to_a_phone_that_somebody_has_is_refused_in_the_same_way(app: App) -> None:
    app.people(person(1, phone="+12025550101"), person(2))
    await app.run()
    app.people(person(1, phone="+12025550101"), person(2, phone="+12025550101", name="Renamed"))
    report = await app.run()
    assert result(report, "app").rejected == 1 and f"User {ident(1)} has this phone." in app.pending()[0][3]
    assert app.user(2)["name"] == "Renamed", "what could be done was"
    app.people(person(1), person(2, phone="+12025550101", name="Renamed"))
    await app.run()
    assert (await app.run()).converged and app.user(2)["phone"] == "+12025550101"
    await app.rests()


async def test_values_over_a_limit_are_rejected_with_their_length(app: App) -> None:
    app.people(person(1, name="x" * 129), person(2))
    report = await app.run()
    ((state, who, _, reason),) = app.pending()
    assert (state, who, reason) == ("rejected", mail(1), "name: 129 characters, the limit is 128")
    assert not report.failed and app.project.users.keys() == {ident(2)}


async def test_a_password_hash_is_never_stored(app: App) -> None:
    app.project.create("theirs", mail(1), password="correct horse battery")
    app.project.update("theirs", emailVerification=True)
    app.project.create("stranger", "stranger@else.example", password="correct horse battery")
    app.people(person(1), person(2))
    assert (await app.run()).converged
    hash = app.project.users["theirs"]["password"]
    assert hash and hash.startswith("$argon2id$")
    files = b"".join(stores.files(app.root).values())
    for secret in (hash, hash.rpartition("$")[2], "argon2id", app.appwrite.api_key):
        assert secret.encode() not in files, secret
    assert app.project.users["theirs"]["password"] == hash


SHARED = "{attributes: {labels: roles, prefs.team: department, prefs.site: '\"north\"'}}"


async def test_labels_and_prefs_of_others_survive_and_ours_follow(app: App) -> None:
    app.configure(SHARED)
    app.people(person(1, roles="staff;vip", department="Sales"))
    await app.run()
    app.project.update(ident(1), labels=(*app.user(1)["labels"], "beta"), prefs='{"team":"Sales","site":"north","theme":{"dark":[1,2]}}')
    assert (await app.run()).converged and app.writes() == []
    app.people(person(1, roles="staff", department="Support"))
    assert (await app.run()).converged and sorted(app.writes()) == ["PATCH /{id}/prefs", "PUT /{id}/labels"]
    assert set(app.user(1)["labels"]) == {mark(1), "staff", "beta"}
    assert prefs(app.user(1)) == {"team": "Support", "site": "north", "theme": {"dark": [1, 2]}}
    await app.rests()


async def test_what_others_write_between_plan_and_sending_survives_too(app: App) -> None:
    app.configure(SHARED)
    app.people(person(1, roles="staff", department="Sales"))
    await app.run()
    app.people(person(1, roles="vip", department="Support"))

    def meanwhile() -> None:
        app.project.update(ident(1), labels=(*app.user(1)["labels"], "beta"), prefs='{"team":"Sales","site":"north","mood":"good"}')

    await app.run(meanwhile=meanwhile)
    assert set(app.user(1)["labels"]) == {mark(1), "vip", "beta"}
    assert prefs(app.user(1)) == {"team": "Support", "site": "north", "mood": "good"}
    assert (await app.run()).converged
    await app.rests()


async def test_labels_that_match_own_are_ours_whoever_put_them_there(app: App) -> None:
    app.configure("{attributes: {labels: {from: roles, own: 'corp*'}}}")
    app.people(person(1, roles="corpA"))
    await app.run()
    app.project.update(ident(1), labels=(mark(1), "corpA", "corpOld", "beta"))
    assert (await app.run()).converged
    assert set(app.user(1)["labels"]) == {mark(1), "corpA", "beta"}
    await app.rests()


async def test_with_mode_replace_the_list_is_ours_and_our_own_label_stays(app: App) -> None:
    app.configure("{attributes: {labels: {from: roles, mode: replace}}}")
    app.people(person(1, roles="staff"))
    await app.run()
    app.project.update(ident(1), labels=(mark(1), "staff", "beta"))
    assert (await app.run()).converged
    assert set(app.user(1)["labels"]) == {mark(1), "staff"}
    await app.rests()


async def test_our_label_taken_away_or_doubled_by_somebody_is_put_right(app: App) -> None:
    app.people(person(1), person(2))
    await app.run()
    app.project.update(ident(1), labels=("beta",))
    app.project.update(ident(2), labels=(mark(1), mark(2), "beta"))
    assert (await app.run()).converged
    assert {n: set(app.user(n)["labels"]) for n in (1, 2)} == {n: {mark(n), "beta"} for n in (1, 2)}
    await app.rests()


async def test_a_user_who_only_signs_in_costs_no_write(app: App) -> None:
    app.people(person(1))
    await app.run()
    app.project.sign_in(ident(1))
    assert (await app.run()).converged and app.writes() == []
    await app.rests()
