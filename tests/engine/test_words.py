"""A person's word about an account, against its keys, its marker, its leaving and its coming back."""

from __future__ import annotations

import pytest

from syncd.core.correlation import identity_id
from syncd.store import erasing, words
from tests.engine.worlds import MakeWorld, established, mail, people, states, target, writes
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio


def ident(number: int) -> str:
    return identity_id("default", "people", f"e{number}")


def row(w: World, account: str) -> int:
    return int(w.store.value("SELECT id FROM account WHERE connection = 'app' AND account = :account", account=account))


def held(w: World, number: int) -> str:
    """The provider's id of the account of a person."""
    return next(id for id, one in w.directory.accounts.items() if one.get("userName") == mail(number))


def say(w: World, yes: bool, account: str, number: int) -> None:
    with w.store.transaction():
        (words.give if yes else words.take)(w.store, "app", row(w, account), ident(number), w.clock.now())


async def test_an_unlinked_account_is_taken_back_by_no_key_and_no_marker(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    say(w, False, held(w, 1), 1)
    before, sent = {**w.directory.accounts}, len(writes(w))
    for rows in (people(1, 2), [person(1, phone="5"), person(2)], [person(2)], [person(2), person(1, active="no")], people(1, 2)):
        w.write(rows)
        report, plan = await w.run("full")
        assert planned(plan) == [] and report.converged
        assert report.results[1].kept == (states(w).get(mail(1)) == "unlinked")
    assert w.directory.accounts == before and len(writes(w)) == sent and not w.verify()


async def test_who_is_not_entitled_does_not_take_it_back_either(world: MakeWorld) -> None:
    """It bears our marker and every trusted key: after a lost store it would be owned again, so that it leaves; here a person said no."""
    w = await established(world, *people(1, 2))
    w.write([person(2), person(1, active="no")])
    say(w, False, held(w, 1), 1)
    report, plan = await w.run("full")
    assert planned(plan) == [] and report.converged and w.account(mail(1))["active"] is True
    assert states(w) == {mail(2): "live"}


@pytest.mark.parametrize("why", ["untrusted", "ambiguous", "contradicted", "rehire"])
async def test_a_yes_settles_what_correlation_could_not(world: MakeWorld, why: str) -> None:
    w = await established(world, *people(1, 3), target=target("keep"))
    meant = "x"
    if why == "rehire":
        meant = held(w, 3)
        w.write([person(1), {**person(2), "email": mail(3)}])
    else:
        w.directory.add("x", userName=mail(2) if why == "contradicted" else "x", email=mail(2),
                        meta={"externalId": "e77"} if why == "contradicted" else {})  # fmt: skip
        if why == "ambiguous":
            w.directory.add("y", userName="y", email=mail(2))
        w.write(people(1, 2, 3))
    _, plan = await w.run()
    assert [hold for _, _, hold in planned(plan)] == [why]
    say(w, True, meant, 2)
    report, plan = await w.run()
    assert [(one.kind, one.account, one.held) for one in plan.changes()] == [("adopt", meant, None)]
    assert report.converged and w.directory.accounts[meant]["meta"]["externalId"] == "e2" and not w.verify()


async def test_limits_and_the_first_contact_are_as_ever(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.directory.add("x", userName="x", email=mail(1))
    w.write(people(1, 2))
    await w.run("plan")
    say(w, True, "x", 1)
    _, plan = await w.run("plan")
    assert planned(plan) == [("adopt", mail(1), "first_contact"), ("create", mail(2), "first_contact")]
    w.target = target("delete", adopt="never")
    _, plan = await w.run("plan")
    assert ("adopt", mail(1), "never") in planned(plan)


async def test_what_is_said_of_another_instances_account_is_no_leave_to_touch_it(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.directory.add("x", userName="x", meta={"syncd": f"other:{ident(2)}"})
    w.write(people(1, 2))
    await w.run()
    w.directory.remove(held(w, 2), w.clock.monotonic())
    say(w, True, "x", 2)
    before = dict(w.directory.accounts["x"])
    for _ in range(2):
        _, plan = await w.run("full")
        assert [hold for _, _, hold in planned(plan)] == ["foreign"]
    assert w.directory.accounts["x"] == before


async def test_an_account_given_to_one_is_not_found_by_another(world: MakeWorld) -> None:
    """Both match the account by an address that they share: from the word on it is the one's, and the other gets their own."""
    w = await established(world, person(1, login="cy"), read={"userName": "login"}, target=target("delete"))
    w.directory.add("x", userName="x", email="shared@corp.example")
    ann, bob = (person(number, email="shared@corp.example", login=name) for number, name in ((2, "ann"), (3, "bob")))
    w.write([person(1, login="cy"), ann, bob])
    _, plan = await w.run()
    assert planned(plan) == [("create", "ann", "ambiguous"), ("create", "bob", "ambiguous")]
    say(w, True, "x", 2)
    report, plan = await w.run()
    assert planned(plan) == [("adopt", "ann", ""), ("create", "bob", "")] and report.converged


async def test_when_what_was_given_is_gone_they_get_another_and_when_it_is_back_it_is_not_theirs(world: MakeWorld) -> None:
    w = await established(world, person(1))
    w.directory.add("x", userName="x")
    w.write(people(1, 2))
    await w.run("plan")
    say(w, True, "x", 2)
    await w.run()
    assert writes(w)[-1] == ("update", mail(2))
    w.directory.remove("x", w.clock.monotonic())
    report, plan = await w.run("full")
    assert planned(plan) == [("create", mail(2), "")] and report.converged and not w.verify()


async def test_whose_account_was_looked_at_for_somebody_else_is_judged_by_what_was_seen(world: MakeWorld) -> None:
    """The account of a departed person whom nobody knows any more is found by the name of who comes back."""
    w = await established(world, *people(1, 2), target=target("disable"))
    w.write(people(2))
    await w.run()
    await w.run()
    erasing.erase(w.store, ident(1), w.clock.now())
    w.write(people(1, 2))
    await w.run("plan")
    await w.run("plan")
    assert w.verify() == []


async def test_a_release_is_no_answer_to_a_question_that_was_not_asked_yet(world: MakeWorld) -> None:
    """An adoption was reviewed and let go; before it is sent the account is given to somebody who has left."""
    w = await established(world, *people(1, 2), target=target("keep"))
    w.directory.remove(held(w, 2), w.clock.monotonic())
    w.write(people(1))
    await w.run()
    w.directory.add("x", userName=mail(3))
    w.target = target("keep", apply="review")
    w.write(people(1, 3))
    await w.run()
    assert w.pending() == [("held", "review", mail(3))]
    w.release()
    say(w, True, "x", 2)
    before = len(writes(w))
    report, plan = await w.run()
    assert (planned(plan), len(writes(w))) == ([("adopt", mail(3), "rehire")], before)
    assert w.pending() == [("held", "rehire", mail(3))]
    w.release()
    report, _ = await w.run()
    assert report.converged and w.account(mail(3))["displayName"] == "Person 3"


async def test_an_account_that_was_made_for_another_is_not_ended_as_that_of_whoever_it_was_given_to(world: MakeWorld) -> None:
    """It bears the marker of somebody who is there; given to who has left, it waits for them to be wanted again."""
    w = await established(world, *people(1, 2), target=target("disable"))
    own = held(w, 1)
    w.directory.remove(held(w, 2), w.clock.monotonic())
    w.write(people(1))
    await w.run()
    say(w, False, own, 1)
    say(w, True, own, 2)
    for _ in range(2):
        _, plan = await w.run()
        assert planned(plan) == [("create", mail(1), "unlinked")]
    assert w.account(mail(1))["active"] is True and not w.verify()
