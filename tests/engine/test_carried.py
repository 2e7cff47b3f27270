"""What an answer does not carry keeps the last known value; what was never carried is not read, which is not the same as no value."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.model import Account, Connection, Rate, Ref, Step
from tests.engine.worlds import MakeWorld, established, mail, people, quiet, settle, states, target, writes
from tests.world import World, entries, person, planned

pytestmark = pytest.mark.anyio


def without(account: Any, name: str) -> Any:
    if not isinstance(account, Account):
        return account
    return replace(account, attributes={key: value for key, value in account.attributes.items() if key != name})


class BriefAnswers(MemoryConnector):
    """Answers to writes lack ``title``."""

    async def perform(self, step: Step) -> Account | None:
        answer: Account | None = without(await super().perform(step), "title")
        return answer


class BriefFetches(MemoryConnector):
    """Point reads lack ``meta``."""

    async def fetch(self, ref: Ref) -> Any:
        return without(await super().fetch(ref), "meta")


async def test_a_listing_that_leaves_attributes_out_changes_nothing(world: MakeWorld) -> None:
    w = await established(world, person(1, title="Chef"), person(2))
    before = copy.deepcopy(w.directory.accounts)
    w.directory.uncarried = {"meta", "title", "active"}
    for _ in range(2):
        report, plan = await w.run()
        assert (planned(plan), report.converged, w.directory.accounts, w.verify()) == ([], True, before, [])
    w.account(mail(1))["displayName"] = "Edited"
    _, plan = await w.run()
    assert [(row.kind, row.who, row.delta) for row in plan.changes()] == [
        ("update", mail(1), '{"displayName":["Edited","Person 1"]}')
    ]  # fmt: skip
    assert w.directory.accounts == before


async def test_null_is_no_value(world: MakeWorld) -> None:
    w = await established(world, person(1, title="Chef"))
    del w.account(mail(1))["title"]
    _, plan = await w.run()
    assert [row.delta for row in plan.changes()] == ['{"title":[null,"Chef"]}']


async def test_what_a_listing_never_carried_is_asked_for_before_an_account_is_adopted(world: MakeWorld) -> None:
    w = world()
    w.directory.add(userName=mail(1), displayName="Old", meta={"theirs": 7})
    w.directory.uncarried = {"meta"}
    w.write(people(1))
    report, plan = await w.run()
    assert ([row.kind for row in plan.changes()], report.converged) == (["adopt"], True)
    assert w.account(mail(1))["meta"].keys() == {"theirs", "syncd", "externalId"}
    _, plan = await w.run()
    assert planned(plan) == []


async def test_who_cannot_be_read_whole_is_not_adopted(world: MakeWorld) -> None:
    w = world(memory=BriefFetches)
    w.directory.add(userName=mail(1), displayName="Old")
    w.directory.uncarried = {"meta"}
    w.write(people(1))
    _, plan = await w.run()
    (row,) = plan.changes()
    assert (row.hold, row.held) == (
        "unread",
        f"account m1 matches by the provider's key and could not be read: {'its answer does not carry meta'}",
    )
    w.directory.uncarried.clear()
    report, _ = await w.run()
    assert report.converged


async def test_an_account_that_came_back_unread_is_left_alone_until_it_is_read(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), target=target("delete", drift="report"))
    (id,) = (id for id, one in w.directory.accounts.items() if one["userName"] == mail(1))
    account = w.directory.accounts.pop(id)
    await w.run()
    w.directory.accounts[id] = {**account, "displayName": "Edited"}
    w.directory.uncarried = {"title"}
    _, plan = await w.run()
    assert (planned(plan), states(w)[mail(1)]) == ([], "frozen")
    w.directory.uncarried.clear()
    w.target = target("delete")
    _, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "")]


async def test_an_answer_to_an_update_that_leaves_out_what_was_written_is_completed(world: MakeWorld) -> None:
    w = await established(world, person(1, title="Chef"), memory=BriefAnswers)
    await settle(w, person(1, title="Cook"))
    assert (w.account(mail(1))["title"], quiet(w)) == ("Cook", True)


async def test_an_answer_to_a_create_that_leaves_something_out_is_completed(world: MakeWorld) -> None:
    w = world(memory=BriefAnswers)
    await settle(w, person(1, title="Chef"))
    assert (states(w), quiet(w), len(writes(w))) == ({mail(1): "live"}, True, 1)


def office(w: World) -> tuple[Connection, MemoryConnector]:
    """A provider as a second source."""
    options = MemoryOptions(directory=f"{w.root}-office")
    read = entries(options.capability().read_defaults)
    one = Connection("office", "memory", options.binding(), "office", authoritative=True, read=read)
    return one, MemoryConnector(options, environment=w.clock, rate=Rate(), writable=False)


async def test_a_source_that_leaves_an_attribute_out_says_nothing_of_it(world: MakeWorld) -> None:
    """Its inactive people stay disabled, its active ones keep their title."""
    w = world(target=target("disable"))
    await settle(w, *people(1))
    w.extra = [office(w)]
    directory = w.extra[0][1].directory  # type: ignore[attr-defined]
    directory.add("o7", userName=mail(7), active=True, title="Chef")
    directory.add("o8", userName=mail(8), active=True)
    await w.run()
    directory.accounts["o8"]["active"] = False
    await w.run()
    assert states(w)[mail(8)] == "disabled"
    directory.uncarried = {"active", "title"}
    directory.accounts["o7"]["phone"] = "5"
    _, plan = await w.run()
    assert [(row.who, row.delta) for row in plan.changes()] == [(mail(7), '{"phone":[null,"5"]}')]
    assert (w.account(mail(8))["active"], w.account(mail(7))["title"]) == (False, "Chef")
