"""Accounts that come and go, and stores that are lost, where a target has a say."""

from __future__ import annotations

import json

import pytest

from syncd.store import outcomes, staging
from tests.engine.contributing import FIRST, at_rest, other, phones, said, two, written
from tests.engine.test_reowning import lose
from tests.engine.test_words import say
from tests.engine.worlds import MakeWorld, mail, settle, states, target
from tests.world import person

pytestmark = pytest.mark.anyio


async def test_what_an_account_said_before_it_was_adopted_is_an_opinion(world: MakeWorld) -> None:
    w = world(target=target("delete"), precedence=FIRST)
    w.extra = [other(w)]
    w.directory.add("old", userName=mail(1), displayName="Person 1", phone="2")
    w.directory.add("same", userName=mail(2), displayName="Person 2", phone="1")
    await settle(w, person(1, phone="1"), person(2, phone="1"))
    assert [step.body.get("phone") for step in w.directory.log] == [None, None], "no request touched it"
    assert said(w, "phone") == ["2", "1"], "known at once, not when it is listed again"
    await at_rest(w)
    assert (phones(w), phones(w, 2)) == (("2", "2"), ("1", "1"))
    await settle(w, person(1, phone="3"), person(2, phone="3"))
    await at_rest(w)
    assert (phones(w), phones(w, 2)) == (("2", "2"), ("1", "1"))


async def test_an_account_that_nobody_has_says_nothing(world: MakeWorld) -> None:
    w = await two(world)
    w.directory.add("stranger", userName="stranger", email=mail(1), phone="9", meta={"externalId": "zz"})
    await w.run()
    assert phones(w) == ("1", "1")


async def test_an_account_that_is_gone_takes_its_opinion_with_it(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await w.run()
    w.directory.accounts.clear()
    await w.run()
    await at_rest(w)
    assert phones(w) == ("1", "1")
    await settle(w, person(1, phone="3"))
    assert phones(w) == ("3", "3"), "the new account holds only what syncd wrote"


async def test_an_account_that_is_disabled_still_says_what_it_says(world: MakeWorld) -> None:
    w = world(target=target("disable", scope='department == "A"'), precedence=FIRST)
    w.extra = [other(w)]
    await settle(w, person(1, phone="1", department="A"))
    w.account(mail(1))["phone"] = "2"
    await settle(w, person(1, phone="1", department="B"))
    await at_rest(w)
    assert (states(w)[mail(1)], phones(w)) == ("disabled", ("2", "2")) or phones(w) == ("2", "2")
    await settle(w, person(1, phone="3", department="A"))
    await at_rest(w)
    assert phones(w) == ("2", "2")


async def test_an_ignored_account_is_not_read_in(world: MakeWorld) -> None:
    w = world(target=target("delete"), precedence=FIRST)
    w.extra = [other(w)]
    w.directory.mint()
    await settle(w, person(1, phone="1"))
    w.account(mail(1))["phone"] = "2"
    await w.run()
    assert (phones(w), [*w.directory.accounts]) == (("2", "2"), ["m2"])
    w.ignore = ("m2",)
    await at_rest(w)
    assert phones(w) == ("2", "1")
    w.ignore = ()
    await w.run()
    await at_rest(w)
    assert phones(w) == ("2", "2")


async def test_a_departed_person_leaves_as_ever(world: MakeWorld) -> None:
    w = await two(world, person(1, phone="1"), person(2, phone="1"))
    w.account(mail(1))["phone"] = "2"
    await settle(w, person(2, phone="1"))
    assert (phones(w), len(w.directory.accounts)) == ((), 1)
    await at_rest(w)


async def test_an_account_that_a_person_unlinks_takes_its_opinion_with_it_and_linked_again_it_brings_it(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await w.run()
    (id,) = w.directory.accounts
    say(w, False, id, 1)
    await at_rest(w)
    assert phones(w) == ("2", "1"), "it is nobody's, and not written"
    say(w, True, id, 1)
    await at_rest(w)
    assert phones(w) == ("2", "2")


async def test_what_was_written_to_one_account_is_no_echo_of_another_that_a_person_links_instead(world: MakeWorld) -> None:
    w = await two(world)
    w.directory.add("other", userName="elsewhere", email=mail(1), displayName="Person 1", phone="1")
    await w.run()
    identity = w.store.value("SELECT id FROM identity")
    row = w.store.value("SELECT id FROM account WHERE account = 'other'")
    with w.store.transaction():
        outcomes.attach(w.store, "app", identity, row, w.clock.now())
        staging.mark_linked(w.store, [row])
    await settle(w, person(1, phone="3"))
    assert (w.directory.accounts["other"]["phone"], phones(w)[-1]) == ("1", "1"), "said before it was theirs"
    await at_rest(w)


async def test_after_a_lost_store_opinions_stay_and_echoes_are_known_again(world: MakeWorld) -> None:
    w = await two(world, person(1, phone="1"), person(2, phone="1"))
    w.account(mail(1))["phone"] = "2"
    await w.run()
    sent = written(w)
    lose(w)
    await w.run()
    await at_rest(w)
    assert (written(w), phones(w), phones(w, 2)) == (sent, ("2", "2"), ("1", "1"))
    await settle(w, person(1, phone="3"), person(2, phone="3"))
    await at_rest(w)
    assert (phones(w), phones(w, 2)) == (("2", "2"), ("3", "3"))


async def test_a_lost_store_writes_nothing_over_what_a_later_target_says(world: MakeWorld) -> None:
    w = await two(world, precedence={"phone": ("second", "people")})
    next(iter(w.extra[0][1].directory.accounts.values()))["phone"] = "2"  # type: ignore[attr-defined]
    await w.run()
    sent = written(w)
    lose(w)
    await w.run()
    await at_rest(w)
    assert (written(w), phones(w)) == (sent, ("2", "2"))


async def test_who_lost_their_right_keeps_what_they_said_through_a_lost_store(world: MakeWorld) -> None:
    w = await two(world, person(1, phone="1", department="A"), target=target("disable", scope='department == "A"'))
    w.account(mail(1))["phone"] = "2"
    await w.run()
    await settle(w, person(1, phone="1", department="B"))
    await at_rest(w)
    sent = written(w)
    lose(w)
    await w.run()
    assert said(w, "phone") == ["2"]
    await at_rest(w)
    assert (written(w), phones(w)) == (sent, ("2", "2"))


async def test_verify_finds_what_was_not_merged_and_waits_for_what_is_about_to_be(world: MakeWorld) -> None:
    w = await two(world)
    for row in w.store.rows("SELECT id, document FROM account WHERE connection = 'app'"):
        document = json.dumps({**json.loads(row.document), "phone": "9"})
        w.store.run("UPDATE account SET document = :document WHERE id = :id", document=document, id=row.id)
    assert [line for line in w.verify() if line.startswith("identity")], "its accounts say other attributes"
    w.store.run("INSERT INTO dirty (connection, identity) SELECT 'app', id FROM identity")
    assert [line for line in w.verify() if line.startswith("identity")] == []


async def test_what_was_written_before_a_target_got_its_say_is_no_opinion(world: MakeWorld) -> None:
    w = await two(world, person(1, phone="1"), person(2, phone="1"), precedence={})
    w.precedence = FIRST
    await settle(w, person(1, phone="3"), person(2, phone="1"))
    assert (phones(w), phones(w, 2)) == (("3", "3"), ("1", "1"))
    w.account(mail(2))["phone"] = "2"
    await w.run()
    assert phones(w, 2) == ("2", "2")
    w.precedence = {}
    await w.run()
    assert phones(w, 2) == ("1", "1"), "it has no say any more"
    await settle(w, person(1, phone="4"), person(2, phone="5"))
    w.precedence = FIRST
    await w.run()
    await settle(w, person(1, phone="6"), person(2, phone="6"))
    assert (phones(w), phones(w, 2)) == (("6", "6"), ("6", "6")), "what was written meanwhile is an echo, too"
    await at_rest(w)
