"""A plan that was saved is applied exactly, once, and soon; what moved since is skipped alone, with the reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.core.evidence import STALE
from syncd.engine.narrowing import Narrowing
from syncd.errors import Busy, InDoubt, Outdated, Quarantined, Retryable
from syncd.model import Account, Step
from syncd.store import chain, connections, lease, limits
from tests.engine.files import apply, listings, planned_file, saved, skipped
from tests.engine.test_crash_points import Crash, Mortal
from tests.engine.worlds import MakeWorld, creates, established, limited, mail, names, people, quiet, states, target, writes
from tests.world import World, person, planned

pytestmark = pytest.mark.anyio
LEASE = timedelta(days=3)


async def three(world: MakeWorld, **options: Any) -> World:
    """p1 changes, p2 leaves, p4 is new; nothing of it is done yet."""
    w = await established(world, *people(1, 2, 3), lease=LEASE, **options)
    w.write([person(1, phone="5"), person(3), person(4)])
    return w


async def test_exactly_that_plan_is_applied_and_its_target_is_not_listed(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    before = listings(w)
    w.write([person(1, phone="5"), person(3), person(4), person(5)])
    w.clock.pass_time(timedelta(hours=23))
    report = await apply(w, file)
    assert (report.mode, report.results[1].applied) == ("apply", {"create": 1, "adopt": 0, "update": 1, "disable": 0, "delete": 1})
    assert (names(w), w.account(mail(1))["phone"], skipped(w)) == ({mail(1), mail(3), mail(4)}, "5", {}), "p5 is not of it"
    assert listings(w) == {"people": before["people"] + 1, "app": before["app"]}
    assert w.verify() == [] and not list(chain.broken(w.store))
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("create", mail(5), "")], True)


async def test_it_is_a_run_of_its_own_in_the_journal(world: MakeWorld) -> None:
    w = await three(world)
    await apply(w, await planned_file(w))
    run = w.store.one("SELECT id, mode, finished, report FROM run ORDER BY id DESC LIMIT 1")
    assert run is not None and run.mode == "apply" and run.finished and run.report == "converged"
    rows = w.store.rows("SELECT kind, state FROM change WHERE run = :run ORDER BY kind", run=run.id)
    assert [tuple(row) for row in rows] == [("create", "applied"), ("delete", "applied"), ("update", "applied")]
    decided = w.store.rows(
        "SELECT p.body FROM entry AS e JOIN payload AS p ON p.entry = e.seq WHERE e.run = :r AND what = 'decided'", r=run.id
    )
    assert ['"command":"apply"' in row.body for row in decided] == [True]


# ---- refused whole ----


async def refused(w: World, file: Any) -> str:
    before, run = len(writes(w)), w.store.value("SELECT MAX(id) FROM run")
    with pytest.raises(Outdated) as error:
        await apply(w, file)
    assert (len(writes(w)), w.store.value("SELECT MAX(id) FROM run")) == (before, run), "nothing was sent, nothing begun"
    assert "\n  make a new one: syncd plan --out FILE" in str(error.value)
    return str(error.value)


async def test_a_plan_is_applied_once(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    await apply(w, file)
    assert "was applied already, by run 3 (2026-01-01 00:01 UTC)" in await refused(w, file)


async def test_nor_again_when_it_did_nothing(world: MakeWorld) -> None:
    w = await established(world, *people(1))
    file = await planned_file(w)
    assert (await apply(w, file)).converged
    assert "was applied already" in await refused(w, file)


async def test_a_plan_lasts_24_hours(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    w.clock.pass_time(timedelta(hours=24, seconds=1))
    assert "is over 24 h old (2026-01-01 00:01 UTC)" in await refused(w, file)
    assert (await apply(w, replace(file, created=w.clock.now() - timedelta(hours=24)))).converged


async def test_a_plan_of_the_future_is_none(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    now = w.clock.now()
    assert "is of the future" in await refused(w, replace(file, created=now + timedelta(minutes=5, seconds=1)))
    assert (await apply(w, replace(file, created=now + timedelta(minutes=5)))).converged


async def test_a_plan_is_void_once_anything_was_changed_at_its_connections(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    await w.run(narrowing=Narrowing(most=1))
    assert "older than the last change that was made at app" in await refused(w, file)


async def test_nor_is_a_plan_applied_for_a_connection_that_was_forgotten_since(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    connections.forget(w.store, "app")
    await refused(w, file)


async def test_changes_that_are_not_those_of_the_seal_leave_nothing_behind(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)

    def swapped() -> Any:
        yield from list(file.changes())[:1]
        raise Outdated("altered while it was read\n  make a new one: syncd plan --out FILE")

    await refused(w, replace(file, changes=swapped))
    assert (await apply(w, file)).converged, "and it is not taken for applied"


async def test_a_plan_that_waits_for_another_run_is_not_used_up(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    lease.acquire(w.store, ["app"], "another", w.clock.now(), timedelta(hours=1))
    with pytest.raises(Busy):
        await apply(w, file, wait=0)
    w.clock.pass_time(timedelta(hours=2))
    assert (await apply(w, file)).converged


# ---- skipped alone ----


async def test_an_account_that_moved_is_skipped_alone(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    w.account(mail(1))["phone"] = "7"
    report = await apply(w, file)
    assert skipped(w) == {mail(1): f"account {own(w, mail(1))} was changed since the plan was made (phone)"}
    assert (names(w), w.account(mail(1))["phone"], report.results[1].skipped, report.converged) == (
        {mail(1), mail(3), mail(4)}, "7", 1, False,
    )  # fmt: skip
    await w.run()
    assert w.account(mail(1))["phone"] == "5"


def own(w: World, who: str) -> str:
    """The id of their account at the provider."""
    return next(id for id, account in w.directory.accounts.items() if account.get("userName") == who)


def identity(w: World, who: str) -> str:
    return str(w.store.value("SELECT identity FROM identity_key WHERE attribute = 'userName' AND key = :who", who=who))


async def test_what_is_not_managed_may_move(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    w.account(mail(1)).setdefault("meta", {})["theirs"] = "x"
    assert (await apply(w, file)).converged and w.account(mail(1))["meta"]["theirs"] == "x"


async def test_an_account_that_is_gone_is_skipped_and_looked_for_by_the_next_run(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    gone = own(w, mail(1))
    del w.directory.accounts[gone]
    await apply(w, file)
    assert skipped(w) == {mail(1): f"account {gone} is not there any more"}
    await w.run()
    assert w.account(mail(1))["phone"] == "5", "made anew"


@pytest.mark.parametrize("keys", [{"userName": mail(4)}, {"userName": "other", "email": mail(4)}])
async def test_an_account_that_somebody_else_made_meanwhile_is_not_doubled(world: MakeWorld, keys: dict[str, str]) -> None:
    w = await three(world)
    file = await planned_file(w)
    made = w.directory.add(**keys)
    await apply(w, file)
    assert f"account {made} is there by now (matches by " in skipped(w)[mail(4)]
    assert (len(w.directory.accounts), creates(w)) == (3, 3)


async def test_a_person_whom_the_source_has_otherwise_by_now_is_left_to_the_next_run(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    w.write([person(1, phone="6"), person(3)])
    await apply(w, file)
    assert skipped(w).keys() == {mail(1), mail(4)} and names(w) == {mail(1), mail(3)}
    assert skipped(w)[mail(1)] == "this changed since the plan was made: the next run plans it anew"


async def test_a_create_whose_answer_was_lost_meanwhile_is_not_sent_again(world: MakeWorld) -> None:
    """No change has settled, so the plan is not old: the doubt itself must stop it."""
    w = await three(world)
    file = await planned_file(w)
    w.write([*people(1, 2, 3), person(4)])
    w.directory.fail_next("create", InDoubt("lost"))
    report, _ = await w.run()
    assert report.results[1].in_doubt == 1
    w.write([person(1, phone="5"), person(3), person(4)])
    await apply(w, file)
    assert "what became of an earlier request for them is not known yet" in skipped(w)[mail(4)]
    assert mail(4) not in names(w)


async def test_what_a_person_said_no_to_meanwhile_is_not_sent(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1, 2))
    file = await planned_file(w)
    w.reject(mail(1))
    await apply(w, file)
    assert (names(w), skipped(w)) == ({mail(2)}, {mail(1): "nothing is left to be done here, or a person said no to it"})


async def test_an_account_that_gives_no_answer_is_skipped_and_said(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    w.directory.fail_next("find", Retryable("HTTP 503"))
    report = await apply(w, file)
    assert (skipped(w), names(w), report.failed) == ({mail(4): "HTTP 503"}, {mail(1), mail(3)}, True)


async def test_a_target_that_refuses_us_gets_nothing(world: MakeWorld) -> None:
    w = await three(world, concurrency=1)
    file = await planned_file(w)
    for operation in ("find", "fetch"):
        w.directory.fail_next(operation, Quarantined("HTTP 401"))
    report = await apply(w, file)
    assert (len(writes(w)), report.results[1].error) == (3, "HTTP 401")
    assert {*skipped(w).values()} == {"HTTP 401"}


# ---- leavers ----


async def test_who_is_back_is_not_deleted(world: MakeWorld) -> None:
    w = await three(world)
    file = await planned_file(w)
    w.write([person(1, phone="5"), *people(2, 3, 4)])
    await apply(w, file)
    assert skipped(w).keys() == {mail(2)} and names(w) == {mail(1), mail(2), mail(3), mail(4)}


@pytest.mark.parametrize("break_it", ["unlink", "cut"])
async def test_without_the_file_nobody_leaves_and_the_others_go_on(world: MakeWorld, break_it: str) -> None:
    w = await three(world)
    file = await planned_file(w)
    if break_it == "unlink":
        w.people_file.unlink()
    else:
        w.people_file.write_bytes(w.people_file.read_bytes() + b'e9,"half')
    report = await apply(w, file)
    assert names(w) == {mail(1), mail(2), mail(3), mail(4)} and skipped(w).keys() == {mail(2)}
    assert skipped(w)[mail(2)].startswith("evidence of absence could not be taken again (people: ")
    assert report.failed, "a source could not be read completely"


async def test_evidence_is_taken_again_while_a_long_plan_is_sent(world: MakeWorld) -> None:
    """The second leaver is back when it is their turn, long after the first one's."""

    class Slow(MemoryConnector):
        async def perform(self, step: Step) -> Account | None:
            w.clock.pass_time(STALE + timedelta(seconds=1))
            w.write([person(3), *(person(number) for number in (1, 2) if mail(number) != step.change.who)])
            return await super().perform(step)

    w = await established(world, *people(1, 2, 3), lease=LEASE, concurrency=1)
    w.write(people(3))
    file = await planned_file(w)
    w.memory = Slow
    await apply(w, file)
    assert (len(skipped(w)), len(names(w)), listings(w)["app"]) == (1, 2, 2)


async def test_a_plan_that_is_sent_for_longer_than_evidence_lasts_is_sent_to_its_end(world: MakeWorld) -> None:
    class Slow(MemoryConnector):
        async def perform(self, step: Step) -> Account | None:
            w.clock.pass_time(STALE + timedelta(seconds=1))
            return await super().perform(step)

    w = await established(world, *people(1, 2, 3), lease=LEASE, concurrency=1)
    w.write(people(3))
    file = await planned_file(w)
    w.memory = Slow
    await apply(w, file)
    assert (skipped(w), names(w), listings(w)) == ({}, {mail(3)}, {"people": 4, "app": 2})


async def test_a_leaver_who_was_disabled_in_the_plan_is(world: MakeWorld) -> None:
    w = await three(world, target=target("disable"))
    await apply(w, await planned_file(w))
    assert states(w)[mail(2)] == "disabled" and w.account(mail(2))["active"] is False


# ---- held ----


async def test_what_the_plan_holds_stays_held_and_its_release_stays_good(world: MakeWorld) -> None:
    w = await limited(world, 10)
    w.write([person(1, phone="5"), *people(2, 3, 4, 5, 6, 7)])
    file = await planned_file(w)
    waiting = w.pending()
    assert len(waiting) == 3
    w.release()
    report = await apply(w, file)
    assert (len(names(w)), report.results[1].applied["update"], report.results[1].held) == (10, 1, 0)
    await w.run()
    assert len(names(w)) == 7, "let go by the release, not by the plan"


async def test_what_waits_is_counted_and_stays_with_its_run(world: MakeWorld) -> None:
    w = await limited(world, 10)
    w.write([person(1, phone="5"), *people(2, 3, 4, 5, 6, 7)])
    file = await planned_file(w)
    before = [tuple(row) for row in w.store.rows("SELECT change, run, state, hold FROM pending ORDER BY id")]
    report = await apply(w, file)
    assert [tuple(row) for row in w.store.rows("SELECT change, run, state, hold FROM pending ORDER BY id")] == before
    assert (report.results[1].held, report.waiting) == (3, True)


async def test_limits_are_judged_again(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should more have been touched meanwhile than was known."""
    w = await limited(world, 10)
    w.write(people(1, 2, 3, 4, 5, 6, 7, 8, 9))
    file = await planned_file(w)
    assert [change["hold"] for change in file.changes()] == [""]
    monkeypatch.setattr(limits, "affected", lambda *_: (9, 1))
    report = await apply(w, file)
    assert (len(names(w)), report.results[1].held) == (10, 1)


async def test_at_the_first_contact_apply_is_the_yes(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.directory.add("m2", userName=mail(2))
    w.write(people(1, 2))
    file = await planned_file(w)
    assert {change["hold"] for change in file.changes()} == {"first_contact"}
    report = await apply(w, file)
    assert (report.converged, names(w), quiet(w)) == (True, {mail(1), mail(2)}, True)
    w.write(people(1))
    _, plan = await w.run("plan")
    assert planned(plan) == [("delete", mail(2), "")], "a whole cycle has gone by these rules"


async def test_a_plan_for_some_people_agrees_to_no_rules(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.write(people(1, 2))
    await w.run("plan")
    file = await planned_file(w, narrowing=Narrowing(lambda: {identity(w, mail(1))}))
    await apply(w, file)
    assert names(w) == {mail(1)}
    row = connections.row(w.store, "app")
    assert row is not None and row.consented is None


async def test_what_a_crash_left_of_a_first_contact_goes_on_in_the_next_run(world: MakeWorld) -> None:
    w = world(target=target("delete"), concurrency=1)
    w.write(people(1, 2, 3))
    file = await planned_file(w)
    survivor, w.clock = w.clock, Mortal("after_settle", 1)
    w.clock.at = survivor.at
    with pytest.raises(Crash):
        await apply(w, file)
    w.close()
    w.open()
    w.clock = survivor
    w.clock.pass_time(timedelta(minutes=1))
    assert len(names(w)) == 1
    with pytest.raises(Outdated):
        await apply(w, file)
    report, _ = await w.run()
    assert (report.converged, names(w), creates(w)) == (True, {mail(1), mail(2), mail(3)}, 3)


async def test_where_apply_is_never_a_plan_sends_nothing(world: MakeWorld) -> None:
    w = await three(world)
    w.target = replace(target("delete"), apply="never")
    file = await planned_file(w)
    report = await apply(w, file)
    assert (len(writes(w)), report.results[1].held) == (3, 3)
    file = saved((await w.run("plan"))[1], digest="forced")
    forced = [{**change, "hold": ""} for change in file.changes()]
    await apply(w, replace(file, changes=lambda: iter(forced)))
    assert len(writes(w)) == 3, "whatever the plan says"
