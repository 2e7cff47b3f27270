"""Whose account is it: strangers, markers, the ignore list, adoption and every reason to hold one."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.errors import Fatal, Quarantined, Rejected, Retryable, SyncdError
from syncd.model import Connection, Rate
from syncd.store import connections
from tests.engine.conftest import MakeWorld
from tests.engine.worlds import mail, people, source, states, target, write, writes
from tests.world import World, entries, person, planned

pytestmark = pytest.mark.anyio
SOMEBODY = "00000000-0000-0000-0000-00000000000a"


async def established(world: MakeWorld, *rows: dict[str, str], **options: Any) -> World:
    w = world(**{"target": target("delete"), **options})
    w.write(list(rows))
    report, _ = await w.run()
    assert report.converged
    w.clock.pass_time(timedelta(minutes=1))
    return w


async def test_strangers_stay_untouched_and_are_stored_without_attributes(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.directory.add("x", userName="stranger", email="stranger@else.example", title="secret")
    before = copy.deepcopy(w.directory.accounts["x"])
    for rows in (people(1, 2), people(1), people(3)):
        w.write(rows)
        _, plan = await w.run()
        assert w.directory.accounts["x"] == before
    assert plan.connections[1].accounts["unmanaged"] == 1
    (row,) = w.store.rows("SELECT document, reading FROM account WHERE account = 'x'")
    assert (row.document, row.reading) == (None, None)
    assert "secret" not in (w.root / "syncd.db").read_bytes().decode(errors="replace")


async def test_a_stranger_without_any_key_is_known_by_its_id_alone(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.directory.add("x", displayName="Person 2")
    w.write(people(1, 2))
    report, plan = await w.run()
    assert (planned(plan), report.converged, w.directory.accounts["x"]) == ([("create", mail(2), "")], True, {"displayName": "Person 2"})


async def test_an_account_that_says_nonsense_is_known_by_its_key_alone(world: MakeWorld) -> None:
    """A list where text should be: nothing else of it is read, and it is adopted and repaired."""
    w = world()
    w.directory.add("x", userName=mail(1), displayName=["Person", "1"])
    w.write(people(1))
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("adopt", mail(1), "")], True)
    assert w.account(mail(1))["displayName"] == "Person 1"


async def test_a_stranger_who_joins_later_is_asked_for_and_adopted(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.directory.add("x", userName=mail(2), title="Cook", meta={"theirs": 1})
    await w.run()
    w.write(people(1, 2))
    report, plan = await w.run()
    assert [(row.kind, row.account, row.reason) for row in plan.changes()] == [("adopt", "x", "matches by the provider's key")]
    assert report.converged
    assert "title" not in w.directory.accounts["x"]
    assert w.directory.accounts["x"]["meta"]["theirs"] == 1, "members of others stay"
    assert not w.verify()


@pytest.mark.parametrize("answer", [Retryable("HTTP 503"), Rejected("HTTP 400"), None], ids=["retryable", "rejected", "gone"])
async def test_an_account_to_adopt_that_cannot_be_read_is_held_as_unread_and_never_doubled(
    world: MakeWorld, answer: SyncdError | None
) -> None:
    w = await established(world, person(1))
    w.directory.lag = 30
    w.directory.add("x", userName="x", email=mail(2))
    await w.run()
    w.write(people(1, 2))
    if answer is not None:
        w.directory.fail_next("fetch", answer)
    else:
        w.directory.remove("x", w.clock.monotonic())
    report, plan = await w.run()
    assert planned(plan) == [("create", mail(2), "unread")]
    assert (report.waiting, report.failed, [method for method, _ in writes(w)]) == (True, False, ["create"])
    w.release()
    w.clock.pass_time(timedelta(minutes=1))
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(2), "")] if answer is None else [("adopt", mail(2), "untrusted")]


async def test_a_target_that_refuses_to_show_an_account_is_left_alone_and_others_go_on(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.directory.add("x", userName=mail(2))
    await w.run()
    w.write(people(1, 2, 3))
    w.directory.fail_next("fetch", Quarantined("HTTP 401"))
    report, _ = await w.run()
    assert {result.name: result.error for result in report.results} == {"people": "", "app": "HTTP 401"}
    assert [method for method, _ in writes(w)] == ["create"]
    report, _ = await w.run()
    assert (report.converged, len(w.directory.accounts)) == (True, 3)


async def test_the_marker_of_another_instance_is_left_alone(world: MakeWorld) -> None:
    w = world()
    w.directory.add("x", userName=mail(1), meta={"syncd": f"other:{SOMEBODY}"})
    w.directory.add("y", userName="y", email=mail(2), meta={"syncd": f"other:{SOMEBODY}"})
    before = copy.deepcopy(w.directory.accounts)
    w.write(people(1, 2, 3))
    for _ in range(2):
        report, plan = await w.run()
        assert [(kind, who, hold) for kind, who, hold in planned(plan) if who != mail(3)] == [
            ("create", mail(1), "foreign"), ("create", mail(2), "foreign")
        ]  # fmt: skip
        w.release()
    assert {name: w.directory.accounts[name] for name in "xy"} == before
    assert (report.results[1].held, len(w.directory.accounts)) == (2, 3)


async def test_a_marker_of_ours_brings_the_account_back_whatever_else_changed(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.account(mail(1))["email"] = "changed@else.example"
    w.store.run("DELETE FROM link")
    w.store.run("INSERT INTO dirty SELECT 'app', id FROM identity")
    _, plan = await w.run()
    assert planned(plan) == [("adopt", mail(1), "")]


async def test_ignored_accounts_are_neither_adopted_nor_written_nor_counted(world: MakeWorld) -> None:
    w = world(ignore=("svc-*", "admin@corp.example", "X9"), target=target("delete"))
    w.directory.add("a1", userName="SVC-backup", email=mail(1))
    w.directory.add("a2", userName="root", email="Admin@corp.example")
    w.directory.add("x9", userName=mail(3))
    before = copy.deepcopy(w.directory.accounts)
    w.write([person(3), person(4, email="admin@corp.example"), person(5)])
    report, plan = await w.run()
    assert planned(plan) == [("create", mail(3), "ignored"), ("create", mail(5), "")]
    assert {name: w.directory.accounts[name] for name in before} == before
    assert (plan.connections[1].accounts["ignored"], plan.connections[1].accounts["unmanaged"]) == (3, 0)
    assert plan.connections[0].accounts == {"linked": 2, "adoptable": 0, "ambiguous": 0, "unmanaged": 0, "ignored": 1, "rejected": 0}
    assert states(w) == {mail(3): "live", mail(5): "live"}
    assert report.waiting


async def test_a_person_newly_ignored_is_frozen_and_never_absent(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    before = copy.deepcopy(w.directory.accounts)
    w.ignore = (mail(1),)
    w.write([person(1, phone="5", active="no"), person(2)])
    for rows in ([person(1, phone="5", active="no"), person(2)], people(2), people(2)):
        w.write(rows)
        report, plan = await w.run()
        assert (planned(plan), report.converged, states(w)[mail(1)]) == ([], True, "frozen")
        assert w.directory.accounts == before
    w.ignore = ()
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "config")]


async def test_an_account_newly_ignored_by_its_id_is_frozen(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    account = next(id for id, one in w.directory.accounts.items() if one["userName"] == mail(1))
    w.ignore = (account,)
    w.write(people(2))
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)[mail(1)]) == ([], True, "frozen")


async def test_nobody_leaves_our_care_by_editing_the_own_account(world: MakeWorld) -> None:
    """An e-mail on the ignore list, or another instance's marker, on an account that is linked: repaired like any drift."""
    w = await established(world, *people(1, 2), ignore=("*@protected.example",))
    w.account(mail(1))["email"] = "me@protected.example"
    w.account(mail(2))["meta"]["syncd"] = f"other:{SOMEBODY}"
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(1), ""), ("update", mail(2), "")]
    assert report.converged
    w.account(mail(1))["email"] = "me@protected.example"
    w.write(people(2))
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]


async def test_adopt_never_holds_the_match_as_a_conflict(world: MakeWorld) -> None:
    w = world(target=target(adopt="never"))
    w.directory.add("x", userName=mail(1))
    w.write(people(1, 2))
    for _ in range(2):
        _, plan = await w.run()
        assert ("adopt", mail(1), "never") in planned(plan)
        w.release()
    assert (w.directory.accounts["x"], len(w.directory.accounts)) == ({"userName": mail(1)}, 2)


async def test_a_match_that_its_holder_could_have_made_is_held_and_release_adopts(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.directory.add("x", userName="x", email=mail(2))
    w.write(people(1, 2))
    report, plan = await w.run()
    assert planned(plan) == [("adopt", mail(2), "untrusted")]
    w.target = target("delete")
    w.release()
    report, _ = await w.run()
    assert (report.results[1].applied["adopt"], len(w.directory.accounts)) == (1, 2)
    assert w.directory.accounts["x"]["meta"]["externalId"] == "e2"
    assert not w.verify()


async def test_two_candidates_are_held_and_no_release_can_choose(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.directory.add("x", userName="x", email=mail(2))
    w.directory.add("y", userName="y", email=mail(2).upper())
    w.write(people(1, 2))
    for _ in range(2):
        report, plan = await w.run()
        assert planned(plan) == [("create", mail(2), "ambiguous")]
        assert (report.results[1].held, plan.connections[1].accounts["ambiguous"], len(w.directory.accounts)) == (1, 1, 3)
        w.release()


async def test_two_trusted_keys_that_name_two_accounts_are_held(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.directory.add("x", userName=mail(2))
    w.directory.add("y", userName="y", meta={"externalId": "e2"})
    w.write(people(1, 2))
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(2), "ambiguous")]


async def test_a_match_contradicted_by_another_trusted_key_is_held(world: MakeWorld) -> None:
    """The userName is that of the newcomer, the externalId somebody else's: a reused name, not the same person."""
    w = await established(world, person(1))
    w.directory.add("x", userName=mail(2), meta={"externalId": "e77"})
    w.write(people(1, 2))
    _, plan = await w.run()
    assert planned(plan) == [("adopt", mail(2), "contradicted")]
    assert "its externalId is another's" in next(iter(plan.changes())).held
    w.release()
    await w.run()
    assert w.directory.accounts["x"]["meta"]["externalId"] == "e2"


async def test_an_account_with_the_marker_of_another_living_person_is_held(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.directory.add("x", userName=mail(2), meta={"syncd": w.account(mail(1))["meta"]["syncd"]})
    w.write(people(1, 2))
    _, plan = await w.run()
    assert planned(plan) == [("adopt", mail(2), "contradicted")]


async def test_one_account_and_two_newcomers_is_nobodys(world: MakeWorld) -> None:
    w = await established(world, person(1, login="cy"), read={"userName": "login"})
    w.directory.add("x", userName="x", email="shared@corp.example")
    ann, bob = (person(number, email="shared@corp.example", login=name) for number, name in ((2, "ann"), (3, "bob")))
    w.write([person(1, login="cy"), ann, bob])
    _, plan = await w.run()
    assert planned(plan) == [("create", "ann", "ambiguous"), ("create", "bob", "ambiguous")]
    w.write([person(1, login="cy"), ann])
    _, plan = await w.run()
    assert planned(plan) == [("adopt", "ann", "untrusted")]


@pytest.mark.parametrize(
    "names", [("ann", "ann"), ("Ann", "aNN"), ("Kelvin", "\u212aelvin"), ("Zo\u00eb", "Zoe\u0308")], ids=["same", "case", "kelvin", "nfd"]
)
async def test_people_with_the_same_user_name_are_frozen_both(world: MakeWorld, names: tuple[str, str]) -> None:
    w = world(read={"userName": "login"}, target=target("delete"))
    w.write([person(1, login=names[0]), person(2, login=names[1]), person(3, login="cy")])
    for _ in range(2):
        report, plan = await w.run()
        assert {(kind, hold) for kind, who, hold in planned(plan) if who != "cy"} == {("create", "collision")}
        assert "2 people want the same userName" in plan.connections[1].reason
        w.release()
    assert [one["userName"] for one in w.directory.accounts.values()] == ["cy"]
    w.write([person(2, login=names[1]), person(3, login="cy")])
    report, plan = await w.run()
    assert planned(plan) == [("create", names[1], "")]
    assert report.converged


async def test_somebody_who_takes_a_living_persons_name_freezes_both(world: MakeWorld) -> None:
    w = await established(world, person(1, login="ann"), read={"userName": "login"})
    before = copy.deepcopy(w.directory.accounts)
    w.write([person(1, login="ann", phone="5"), person(2, login="ann")])
    report, plan = await w.run()
    assert planned(plan) == [("create", "ann", "taken"), ("update", "ann", "collision")]
    assert (w.directory.accounts, report.waiting) == (before, True)


async def test_a_disabled_persons_name_is_not_free(world: MakeWorld) -> None:
    w = await established(world, person(1, login="ann"), read={"userName": "login"})
    w.write([person(1, login="ann", active="no"), person(2, login="ann")])
    _, plan = await w.run()
    assert planned(plan) == [("create", "ann", "taken"), ("disable", "ann", "")]


# ---- a key that cannot be changed ------------------------------------------------------------------------------------


async def renamed(world: MakeWorld, policy: str) -> tuple[World, Any, Any]:
    w = await established(world, person(1, login="ann"), read={"userName": "login"}, target=target("delete", on_key_change=policy))
    w.write([person(1, login="anna", phone="5")])
    report, plan = await w.run()
    return w, report, plan


async def test_keep_leaves_the_key_and_updates_the_rest(world: MakeWorld) -> None:
    w, report, plan = await renamed(world, "keep")
    assert planned(plan) == [("update", "anna", "")]
    assert report.converged
    assert (w.account("ann")["phone"], not w.verify()) == ("5", True)


async def test_whoever_owns_the_old_key_now_is_held_and_the_keeper_goes_on(world: MakeWorld) -> None:
    w, _, _ = await renamed(world, "keep")
    w.write([person(1, login="anna", phone="6"), person(2, login="ann")])
    _, plan = await w.run()
    assert planned(plan) == [("create", "ann", "taken"), ("update", "anna", "")]
    assert w.account("ann")["phone"] == "6"


async def test_hold_asks_and_release_updates_the_rest(world: MakeWorld) -> None:
    w, report, plan = await renamed(world, "hold")
    assert planned(plan) == [("update", "anna", "key")]
    assert "release = update the rest and keep ann" in next(iter(plan.changes())).held
    assert "phone" not in w.account("ann")
    w.release()
    report, _ = await w.run()
    assert w.account("ann")["phone"] == "5"
    assert (report.results[1].rejected, report.failed) == (1, False)
    report, plan = await w.run()
    assert planned(plan) == [], "what cannot be done is not tried again"
    assert 'app kept userName = "ann"' in w.store.value("SELECT reason FROM pending")


async def test_hold_of_the_key_alone_sends_nothing_when_released(world: MakeWorld) -> None:
    w = await established(world, person(1, login="ann"), read={"userName": "login"}, target=target("delete", on_key_change="hold"))
    w.write([person(1, login="anna")])
    await w.run()
    w.release()
    report, _ = await w.run()
    assert ([method for method, _ in writes(w)], report.results[1].rejected) == (["create"], 1)


async def test_replace_is_held_names_what_dies_and_makes_the_new_account_whole(world: MakeWorld) -> None:
    w, _, plan = await renamed(world, "replace")
    assert planned(plan) == [("create", "anna", "key"), ("delete", "anna", "key")]
    delete, create = sorted(plan.changes(), key=lambda row: row.kind, reverse=True)
    assert (create.replaces, "delete account ann" in delete.held) == (delete.id, True)
    w.release()
    report, _ = await w.run()
    assert report.converged
    assert w.account("anna") == {
        "userName": "anna", "displayName": "Person 1", "email": mail(1), "phone": "5", "active": True,
        "meta": {"externalId": "e1", "syncd": w.account("anna")["meta"]["syncd"]},
    }  # fmt: skip
    assert len(w.directory.accounts) == 1
    assert not w.verify()


async def test_a_replacement_waits_for_the_deletion_it_replaces(world: MakeWorld) -> None:
    w, _, _ = await renamed(world, "replace")
    w.release()
    w.directory.fail_next("delete", Retryable("HTTP 503"))
    report, _ = await w.run()
    assert ([one["userName"] for one in w.directory.accounts.values()], report.failed) == (["ann"], True)
    report, _ = await w.run()
    assert ([one["userName"] for one in w.directory.accounts.values()], report.converged) == (["anna"], True)


# ---- connections that go away ----------------------------------------------------------------------------------------


async def test_a_removed_source_freezes_its_people_and_is_never_read_as_absence(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    w.extra = [source(w, "hr")]
    await w.run()
    w.extra = []
    w.account(mail(2))["title"] = "edited"
    before = copy.deepcopy(w.account(mail(2)))
    for _ in range(2):
        report, plan = await w.run()
        assert (planned(plan), report.converged, states(w)[mail(2)]) == ([], True, "frozen")
        assert w.account(mail(2)) == before
        assert not w.verify()
    w.extra = [source(w, "hr")]
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(2), "")]
    assert states(w)[mail(2)] == "live"


async def test_a_source_that_is_no_longer_authoritative_freezes_its_people(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    w.extra = [source(w, "hr")]
    await w.run()
    w.extra = [source(w, "hr", authoritative=False)]
    write(w, "hr", [])
    _, plan = await w.run()
    assert (planned(plan), states(w)[mail(2)]) == ([], "frozen")
    w.extra = [source(w, "hr")]
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(2), "config")]


async def test_a_connection_that_becomes_a_source_brings_in_the_people_it_showed_before(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    w.extra = [source(w, "hr", authoritative=False)]
    await w.run()
    w.extra = [source(w, "hr")]
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(2), "")]


async def test_a_connection_under_a_new_name_is_refused_with_the_command_that_keeps_what_is_known(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    connection, connector = source(w, "hr")
    w.extra = [(connection, connector)]
    await w.run()
    w.extra = [(replace(connection, name="staff"), connector)]
    with pytest.raises(Fatal, match=r"syncd connection rename hr staff; begin anew: syncd connection forget hr"):
        await w.run()
    w.extra = [(replace(connection, name="staff", namespace="staff"), connector)]
    with pytest.raises(Fatal, match=r"say `namespace: hr` under staff first"):
        await w.run()
    connections.rename(w.store, "hr", "staff")
    w.extra = [(replace(connection, name="staff"), connector)]
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([], True)


async def test_a_forgotten_source_is_no_departure(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1))
    write(w, "hr", [{**person(2), "employeeNumber": "h2"}])
    w.extra = [source(w, "hr")]
    await w.run()
    connections.forget(w.store, "hr")
    w.extra = []
    report, plan = await w.run()
    assert (planned(plan), report.converged, states(w)[mail(2)]) == ([], True, "frozen")


async def test_a_target_that_was_none_for_a_while_catches_up(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    options = MemoryOptions(directory=f"{w.root}-second")
    connector = MemoryConnector(options, environment=w.clock, rate=Rate(), writable=True)
    capability = options.capability()
    second = Connection(
        "second", "memory", options.binding(), "second", read=entries(capability.read_defaults),
        write=target("delete", attributes=capability.write_defaults),
    )  # fmt: skip
    w.extra = [(second, connector)]
    await w.run()
    assert len(connector.directory.accounts) == 2
    w.extra = []
    w.write([person(1, phone="5"), person(3)])
    await w.run()
    w.extra = [(second, connector)]
    _, plan = await w.run()
    assert sorted((row.kind, row.who) for row in plan.changes() if row.connection == "second") == [
        ("create", mail(3)), ("delete", mail(2)), ("update", mail(1))
    ]  # fmt: skip
