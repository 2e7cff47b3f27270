"""What the journal's chain says after runs: every request, every end without one, every move of somebody's account; nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from syncd.engine.narrowing import Narrowing
from syncd.errors import InDoubt, Rejected
from syncd.store import chain
from tests import stores
from tests.engine.worlds import MakeWorld, established, mail, people, target
from tests.world import World, person

pytestmark = pytest.mark.anyio


def told(world: World, after: int = 0) -> list[tuple[str, int, str | None, dict[str, Any]]]:
    """(what, run, userName of the person, body) of each entry behind ``after``, oldest first."""
    rows = world.store.rows(
        "SELECT e.what, e.run, i.attributes ->> 'userName' AS who, p.body FROM entry AS e JOIN payload AS p ON p.entry = e.seq"
        " LEFT JOIN identity AS i ON i.id = p.identity WHERE e.seq > :after ORDER BY e.seq",
        after=after,
    )
    return [(row.what, row.run, row.who, orjson.loads(row.body)) for row in rows]


def holder(world: World, who: str = mail(1)) -> str:
    """The id of this person's account at the target."""
    (found,) = (id for id, account in world.directory.accounts.items() if account["userName"] == who)
    return found


def end(world: World) -> int:
    return chain.end(world.store)[0]


def said(world: World, after: int, what: str) -> list[dict[str, Any]]:
    return [body for kind, _, _, body in told(world, after) if kind == what]


async def test_each_request_is_an_entry_with_what_it_was_and_what_came_of_it(world: MakeWorld) -> None:
    w = world()
    w.write(people(1, 2))
    report, _ = await w.run()
    entries = told(w)
    assert [what for what, *_ in entries] == ["decided", "sent", "sent"]
    assert entries[0][3] == {"command": "yes at first contact", "changes": 2}
    what, run, who, body = entries[1]
    assert (what, run, who) == ("sent", report.run, mail(1))
    change = w.store.one("SELECT * FROM change ORDER BY seq")
    assert change is not None
    assert body == {
        "change": change.id, "object": "user", "kind": "create", "account": holder(w), "who": mail(1),
        "reason": change.reason, "delta": orjson.loads(change.delta), "released": True, "request": body["request"], "n": 1, "of": 1,
        "outcome": "applied", "error": None,
    }  # fmt: skip
    assert list(chain.broken(w.store)) == []


async def test_a_run_in_which_nothing_moved_says_nothing(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3))
    before = end(w)
    for mode in ("full", "delta", "plan"):
        await w.run(mode)
    assert end(w) == before


async def test_a_move_at_a_source_is_told_by_canonical_names_and_where_it_was_read(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    before = end(w)
    w.write([person(1, title="Chief"), person(2)])
    report, _ = await w.run()
    (moved,) = said(w, before, "observed")
    assert moved == {"account": "e1", "page": 1, "source": True, "moved": {"title": [None, "Chief"]}, "gone": False, "back": False}
    read = w.store.rows("SELECT account, run, page FROM account WHERE connection = 'people' ORDER BY account")
    assert [(row.account, row.page) for row in read] == [("e1", 1), ("e2", 1)]
    assert read[0].run == report.run > read[1].run, "who did not move was last read as they are by an earlier run"


async def test_a_first_sight_is_no_event(world: MakeWorld) -> None:
    w = await established(world, person(1))
    before = end(w)
    w.write(people(1, 2))
    w.directory.add(userName="stranger@corp.example")
    await w.run()
    assert [what for what, *_ in told(w, before)] == ["sent"]


async def test_a_move_at_a_target_is_told_by_its_own_paths_and_ours_is_not(world: MakeWorld) -> None:
    w = await established(world, person(1))
    before = end(w)
    w.account(mail(1))["displayName"] = "Somebody Else"
    await w.run()
    entries = told(w, before)
    assert [(what, who) for what, _, who, _ in entries] == [("observed", mail(1)), ("sent", mail(1))]
    assert entries[0][3]["moved"] == {"displayName": ["Person 1", "Somebody Else"]}
    assert (entries[0][3]["source"], entries[0][3]["account"]) == (False, holder(w))
    w.clock.pass_time(timedelta(minutes=1))
    before = end(w)
    await w.run("full")
    assert end(w) == before, "what syncd wrote itself is read again and has not moved"


async def test_a_stranger_at_a_target_moves_unnoticed(world: MakeWorld) -> None:
    w = await established(world, person(1))
    stranger = w.directory.add(userName="stranger@corp.example", displayName="Old Name")
    await w.run()
    before = end(w)
    w.directory.accounts[stranger]["displayName"] = "New Name"
    await w.run()
    assert end(w) == before


async def test_who_is_gone_from_a_source_and_comes_back_is_told_both_times(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3), target=target("keep"))
    before = end(w)
    w.write(people(1, 2))
    await w.run()
    assert said(w, before, "observed") == [
        {"account": "e3", "page": None, "source": True, "moved": {}, "gone": True, "back": False}
    ]  # fmt: skip
    before = end(w)
    w.write([*people(1, 2), person(3, title="Chief")])
    await w.run()
    (back,) = said(w, before, "observed")
    assert (back["back"], back["gone"], back["moved"]) == (True, False, {"title": [None, "Chief"]})


async def test_an_account_that_was_deleted_outside_is_told_and_one_that_syncd_deleted_is_not(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3))
    before = end(w)
    del w.directory.accounts[holder(w)]
    await w.run()
    assert [(what, who, body.get("gone")) for what, _, who, body in told(w, before)] == [
        ("observed", mail(1), True), ("sent", mail(1), None)
    ]  # fmt: skip
    before = end(w)
    w.write(people(1, 2))
    await w.run()
    w.clock.pass_time(timedelta(minutes=1))
    await w.run("full")
    assert [(what, body.get("source"), body.get("kind")) for what, _, _, body in told(w, before)] == [
        ("observed", True, None), ("sent", None, "delete")
    ]  # fmt: skip


async def test_an_adoption_that_writes_nothing_is_told(world: MakeWorld) -> None:
    w = await established(world, person(1), person(2))
    w.close()
    stores.lose(w.root)
    w.open()
    before = end(w)
    await w.run()
    settled = said(w, before, "settled")
    assert [(one["kind"], one["outcome"], one["request"], one["n"]) for one in settled] == [("adopt", "applied", None, 0)] * 2
    assert not said(w, before, "sent")


async def test_a_change_that_the_connector_refuses_to_send_is_told_once(world: MakeWorld) -> None:
    w = await established(world, person(1))
    before = end(w)
    w.directory.fail_next("update", Rejected("no such title"))
    w.write([person(1, title="Chief")])
    await w.run()
    assert [(body["outcome"], body["error"]) for body in said(w, before, "sent")] == [("rejected", "no such title")]
    assert not said(w, before, "settled"), "its request said it already"


async def test_what_is_left_out_is_one_entry_however_much_it_is(world: MakeWorld) -> None:
    w = world()
    w.write(people(*range(1, 6)))
    await w.run(narrowing=Narrowing(None, 2))
    assert [one for one in said(w, 0, "settled")] == [
        {"object": "user", "changes": 3, "outcome": "skipped", "error": "more changes than --max-changes lets this run send"}
    ]  # fmt: skip
    assert len(said(w, 0, "sent")) == 2


async def test_a_request_in_doubt_is_told_once_and_again_when_its_outcome_is_known(world: MakeWorld) -> None:
    w = await established(world, person(1), target=target(settle=timedelta(seconds=90)))
    before = end(w)
    w.directory.fail_next("create", InDoubt("no answer"))
    w.write(people(1, 2))
    runs = []
    for _ in range(3):
        report, _ = await w.run()
        runs.append(report.run)
        w.clock.pass_time(timedelta(minutes=1))
    sent = [(run, body["outcome"]) for what, run, _, body in told(w, before) if what == "sent"]
    assert sent == [(runs[0], "in_doubt"), (runs[2], "retry"), (runs[2], "applied")]


async def test_a_request_that_a_crash_left_open_is_told_by_the_run_that_finds_it(world: MakeWorld) -> None:
    w = await established(world, person(1))
    before = end(w)
    w.directory.fail_next("create", InDoubt("no answer"), after=True)
    w.write(people(1, 2))
    await w.run()
    assert [body["outcome"] for body in said(w, before, "sent")] == ["in_doubt", "applied"]
    assert said(w, before, "sent")[1]["account"] == holder(w, mail(2))
