"""What a target's accounts say of their people: opinions spread, echoes do not, and at rest nothing is written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.errors import InDoubt, Rejected
from syncd.model import Connection, MapEntry, Rate
from syncd.store import outcomes, staging, waiting
from tests.engine.test_crash_points import die
from tests.engine.test_reowning import lose
from tests.engine.worlds import MakeWorld, expression, mail, people, settle, source, states, target, write
from tests.world import LIMITS, World, entries, person, planned

pytestmark = pytest.mark.anyio
FIRST = {"phone": ("app", "people")}


def other(w: World, name: str = "second", **more: Any) -> tuple[Connection, MemoryConnector]:
    """A further target."""
    options = MemoryOptions(directory=f"{w.root}-{name}")
    connector = MemoryConnector(options, environment=w.clock, rate=Rate(), writable=True)
    capability = options.capability()
    made = target("delete", attributes={**capability.write_defaults, **more.pop("attributes", {})}, **more)
    return Connection(name, "memory", options.binding(), name, read=entries(capability.read_defaults), write=made), connector


async def two(make: MakeWorld, *rows: dict[str, str], **options: Any) -> World:
    """A file that feeds two targets of which the first has a say in telephone numbers."""
    w = make(**{"target": target("delete"), "precedence": FIRST, **options})
    w.extra = [other(w)]
    await settle(w, *(rows or (person(1, phone="1"),)))
    return w


def phones(w: World, number: int = 1) -> tuple[Any, ...]:
    """At app, and at every further target."""
    directories = [w.directory, *(connector.directory for _, connector in w.extra if isinstance(connector, MemoryConnector))]
    return tuple(
        account.get("phone") for one in directories for account in one.accounts.values() if account["userName"] == mail(number)
    )  # fmt: skip


def said(w: World, name: str) -> list[str]:
    """What everybody is known to have, in the order of their names."""
    rows = w.store.rows(f"SELECT attributes ->> '{name}' AS value FROM identity ORDER BY attributes ->> 'displayName'")
    return [row.value for row in rows]


def written(w: World) -> list[int]:
    """How many requests each target carried out."""
    return [len(one.log) for one in (w.directory, *(each.directory for _, each in w.extra if isinstance(each, MemoryConnector)))]


async def at_rest(w: World) -> None:
    """Within two runs nothing is planned any more, and the documents say what is stored."""
    for _ in range(2):
        w.clock.pass_time(timedelta(minutes=1))
        await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    report, plan = await w.run()
    assert (planned(plan), report.converged, w.verify()) == ([], True, [])


@pytest.mark.parametrize("delta", [False, True])
async def test_what_a_holder_changes_at_a_target_that_has_a_say_reaches_the_others(world: MakeWorld, delta: bool) -> None:
    w = await two(world, delta=delta)
    assert phones(w) == ("1", "1")
    w.account(mail(1))["phone"] = "2"
    _, plan = await w.run()
    assert [(row.connection, row.kind) for row in plan.changes()] == [("second", "update")], "in the same run, and nothing is undone"
    assert phones(w) == ("2", "2")
    await at_rest(w)


async def test_what_syncd_wrote_there_is_no_opinion_and_follows_the_source(world: MakeWorld) -> None:
    w = await two(world)
    await settle(w, person(1, phone="3"))
    assert phones(w) == ("3", "3")
    await at_rest(w)


async def test_an_opinion_outlives_the_source_until_it_is_taken_back(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await w.run()
    await settle(w, person(1, phone="3", title="Chef"))
    assert phones(w) == ("2", "2")
    w.account(mail(1))["phone"] = "1"
    await w.run()
    assert phones(w) == ("3", "3"), "back to what syncd wrote: an opinion no more, so the source's value comes"
    await at_rest(w)


async def test_writing_something_else_there_makes_no_echo_of_an_opinion(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await settle(w, person(1, phone="1", title="Chef"))
    assert (w.account(mail(1))["title"], phones(w)) == ("Chef", ("2", "2"))
    await at_rest(w)
    assert phones(w) == ("2", "2")


async def test_an_emptied_value_is_the_next_in_the_order(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await w.run()
    del w.account(mail(1))["phone"]
    await w.run()
    await w.run()
    assert phones(w) == ("1", "1")
    await at_rest(w)


async def test_only_when_all_are_empty_it_is_cleared(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    await w.run()
    await settle(w, person(1))
    assert phones(w) == ("2", "2")
    w.account(mail(1))["phone"] = ""
    await w.run()
    assert phones(w) in (("", None), (None, None))
    await at_rest(w)


async def test_keep_keeps_the_last_value_where_it_is_said(world: MakeWorld) -> None:
    w = world(target=target("delete"), precedence=FIRST)
    w.extra = [other(w, attributes={"phone": MapEntry("", "name", "phone", keep_empty=True)})]
    await settle(w, person(1, phone="1"))
    await settle(w, person(1))
    assert phones(w) == (None, "1")
    await at_rest(w)


async def test_clearing_counts_as_ever(world: MakeWorld) -> None:
    w = await two(world, *(person(n, phone="1") for n in (1, 2, 3)), limits=LIMITS)
    w.extra = [other(w, limits=LIMITS)]
    w.write(people(1, 2, 3))
    assert [hold for _, _, hold in planned((await w.run())[1])] == ["limit"] * 6


async def test_who_comes_later_in_the_order_loses_and_is_repaired(world: MakeWorld) -> None:
    w = await two(world, precedence={"phone": ("people", "app")})
    w.account(mail(1))["phone"] = "2"
    await w.run()
    assert phones(w) == ("1", "1")
    await settle(w, person(1))
    w.account(mail(1))["phone"] = "4"
    await w.run()
    assert phones(w) == ("4", "4"), "what the source does not say, the target may"
    await at_rest(w)


async def test_who_precedence_does_not_name_says_nothing(world: MakeWorld) -> None:
    w = await two(world, precedence={})
    w.account(mail(1))["phone"] = "2"
    await w.run()
    assert phones(w) == ("1", "1")
    assert w.store.value("SELECT COUNT(*) FROM link WHERE echo IS NOT NULL") == 0


# ---- accounts that come and go ----


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
    w = await two(world)
    w.account(mail(1))["phone"] = "2"
    (id,) = w.directory.accounts
    w.ignore = (id,)
    await w.run()
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


# ---- a store that was lost, rules that changed ----


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
    w.store.run("UPDATE account SET document = json_set(document, '$.phone', '9') WHERE connection = 'app'")
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


# ---- answers that are lost, late, or other than asked ----


@pytest.mark.parametrize("took", [True, False])
async def test_an_answer_that_was_lost_makes_no_opinion_of_either_value(world: MakeWorld, took: bool) -> None:
    w = await two(world)
    w.directory.fail_next("update", InDoubt("lost"), after=took)
    w.write([person(1, phone="3")])
    await w.run()
    w.write([person(1, phone="4")])
    await w.run()
    await at_rest(w)
    assert phones(w) == ("4", "4")


async def test_a_request_that_was_refused_changes_no_opinion(world: MakeWorld) -> None:
    w = await two(world)
    w.directory.fail_next("update", Rejected("422"))
    w.write([person(1, phone="3")])
    await w.run()
    w.account(mail(1))["phone"] = "2"
    await w.run()
    await at_rest(w)
    assert phones(w) == ("2", "2")


async def test_a_create_that_was_lost_makes_no_opinion(world: MakeWorld) -> None:
    w = await two(world)
    w.directory.fail_next("create", InDoubt("lost"), after=True)
    w.directory.fail_next("find", Rejected("not now"))
    w.write([person(1, phone="1"), person(2, phone="5")])
    await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    w.write([person(1, phone="1"), person(2, phone="6")])
    await w.run()
    await at_rest(w)
    assert phones(w, 2) == ("6", "6")


async def test_an_opinion_that_is_written_back_in_better_form_stays_one(world: MakeWorld) -> None:
    w = await two(world)
    w.account(mail(1))["phone"] = " 2 "
    await w.run()
    await at_rest(w)
    assert phones(w) == ("2", "2")


async def test_what_the_provider_keeps_instead_is_no_opinion(world: MakeWorld) -> None:
    w = await two(world)
    w.directory.fixed = {"phone": "+3"}
    w.write([person(1, phone="3")])
    await w.run()
    w.directory.accounts[next(iter(w.directory.accounts))]["phone"] = "+3"
    w.directory.fixed = {}
    await w.run()
    assert phones(w) == ("+3", "3")


# ---- several with a say ----


async def test_of_two_targets_with_a_say_the_first_wins_and_nobody_fights(world: MakeWorld) -> None:
    w = world(target=target("delete"), precedence={"phone": ("second", "app", "people")})
    w.extra = [other(w)]
    await settle(w, person(1, phone="1"))
    second = w.extra[0][1].directory  # type: ignore[attr-defined]
    w.account(mail(1))["phone"] = "2"
    await w.run()
    assert phones(w) == ("2", "2")
    next(iter(second.accounts.values()))["phone"] = "3"
    w.account(mail(1))["phone"] = "4"
    await w.run()
    await at_rest(w)
    assert phones(w) == ("3", "3")


async def test_a_value_that_flips_a_third_time_is_left_alone_and_both_are_named(world: MakeWorld) -> None:
    w = await two(world)
    for value in ("2", "1", "2", "1", "2"):
        w.account(mail(1))["phone"] = value
        w.clock.pass_time(timedelta(minutes=1))
        await w.run()
    assert (w.pending(), phones(w)) == ([("held", "fight", mail(1))], ("2", "1"))
    (row,) = waiting.listing(w.store)
    assert row.reason == "phone was set to 2 (app says so) 2 times in 24 h and is 1 again: somebody else writes it too"


# ---- nobody is found by what a target says ----


async def test_what_a_target_says_finds_nobody(world: MakeWorld) -> None:
    """Whoever edits their own address is nobody else, at no target and in no source."""
    w = world(target=target("delete"), precedence={"email": ("app", "people")})
    w.extra = [source(w, "hr", read={"email": "email"})]
    write(w, "hr", [])
    await settle(w, person(1))
    w.account(mail(1))["email"] = "boss@corp.example"
    await w.run()
    assert said(w, "email") == ["boss@corp.example"]
    keys = w.store.rows("SELECT key FROM identity_key WHERE attribute LIKE '%email'")
    assert {row.key for row in keys} == {mail(1)}
    second, connector = other(w)
    connector.directory.add("boss", userName="boss", displayName="Boss", email="boss@corp.example")
    w.extra = [*w.extra, (second, connector)]
    _, plan = await w.run()
    assert [(row.kind, row.who, row.hold) for row in plan.changes() if row.connection == "second"] == [("create", mail(1), "")]
    write(w, "hr", [{"employeeNumber": "h1", "email": "boss@corp.example", "name": "Boss"}])
    await w.run()
    assert w.store.value("SELECT COUNT(*) FROM identity") == 2, "the true one is somebody else"


async def test_an_expression_only_writes(world: MakeWorld) -> None:
    with pytest.raises(Rejected, match="from something else than phone alone"):
        await two(world, target=target("delete", attributes={"phone": expression('"+" + phone')}))


@pytest.mark.parametrize("point", ["after_intent", "after_send", "after_settle"])
async def test_a_process_that_dies_leaves_no_opinion_behind(world: MakeWorld, point: str) -> None:
    w = await two(world)
    w.write([person(1, phone="3")])
    assert await die(w, point, 1)
    w.clock.pass_time(timedelta(minutes=1))
    w.write([person(1, phone="4")])
    await w.run()
    await at_rest(w)
    assert phones(w) == ("4", "4")
