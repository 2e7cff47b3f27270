"""Which account a newcomer adopts, and every reason to hold it."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest

from syncd.core.correlation import identity_id
from syncd.errors import Quarantined, Rejected, Retryable, SyncdError
from tests.engine.worlds import (
    MakeWorld,
    established,
    mail,
    people,
    target,
    writes,
)
from tests.world import person, planned

pytestmark = pytest.mark.anyio


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


async def test_what_was_planned_before_a_target_refused_is_skipped(world: MakeWorld) -> None:
    """1,001 newcomers are planned in two blocks; the account that must be asked for belongs to the last."""
    w = await established(world, person(1))
    last = max(range(2, 1003), key=lambda number: identity_id("default", "people", f"e{number}"))
    w.directory.add("x", userName=mail(last))
    await w.run()
    w.write(people(*range(1, 1003)))
    w.directory.fail_next("fetch", Quarantined("HTTP 401"))
    report, _ = await w.run()
    assert (report.results[1].skipped, report.results[1].error, len(w.directory.log)) == (1000, "HTTP 401", 1)
    assert w.store.value("SELECT COUNT(*) FROM change WHERE state = 'passed'") == 0


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
        assert (report.results[1].held, plan.connections[1].accounts["ambiguous"], len(w.directory.accounts)) == (1, 2, 3)
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
