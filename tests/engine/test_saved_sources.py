"""A saved plan whose people come from a provider: each is asked for there by themselves, and nothing is listed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.core.evidence import STALE
from syncd.errors import Quarantined, Rejected, Retryable, SyncdError
from syncd.model import Account, Connection, Gone, Rate, Ref, Unknown
from tests.engine.files import apply, listings, planned_file, skipped
from tests.engine.worlds import MakeWorld, mail, people, settle, target, writes
from tests.world import World, entries, planned

pytestmark = pytest.mark.anyio
OLD = STALE + timedelta(hours=1)


class Vague(MemoryConnector):
    """Proves presence alone."""

    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        answer = await super().fetch(ref)
        return Unknown("who knows") if isinstance(answer, Gone) else answer


def office(w: World, memory: type[MemoryConnector] = MemoryConnector) -> MemoryConnector:
    """A provider as a second source of people."""
    options = MemoryOptions(directory=f"{w.root}-office")
    read = entries(options.capability().read_defaults)
    one = Connection("office", "memory", options.binding(), "office", authoritative=True, read=read)
    connector = memory(options, environment=w.clock, rate=Rate(), writable=False)
    w.extra = [(one, connector)]
    return connector


async def staffed(
    world: MakeWorld, *ids: str, memory: type[MemoryConnector] = MemoryConnector
) -> tuple[World, dict[str, Mapping[str, object]]]:
    """People of the office, in step; and the office's accounts."""
    w = world(target=target("delete"), lease=timedelta(days=3))
    accounts = office(w, memory).directory.accounts
    for id in ids:
        accounts[id] = {"userName": f"{id}@office", "displayName": id}
    await settle(w)
    return w, accounts  # type: ignore[return-value]


def there(w: World) -> set[object]:
    return {account["userName"] for account in w.directory.accounts.values()}


async def test_who_left_a_provider_is_asked_for_there_and_deleted_when_still_gone(world: MakeWorld) -> None:
    w, accounts = await staffed(world, "a", "b")
    del accounts["b"]
    file = await planned_file(w)
    before = listings(w)
    w.clock.pass_time(OLD)
    report = await apply(w, file)
    assert (there(w), report.converged) == ({"a@office"}, True)
    assert listings(w) == {**before, "people": before["people"] + 1}


async def test_who_is_back_at_the_provider_is_not_deleted(world: MakeWorld) -> None:
    w, accounts = await staffed(world, "a", "b")
    left = accounts.pop("b")
    file = await planned_file(w)
    accounts["b"] = left
    await apply(w, file)
    assert (there(w), skipped(w).keys()) == ({"a@office", "b@office"}, {"b@office"})
    _, plan = await w.run()
    assert planned(plan) == []


@pytest.mark.parametrize("error", [Retryable("HTTP 503"), Quarantined("HTTP 401"), Rejected("HTTP 400")])
async def test_a_provider_that_gives_no_answer_renews_no_evidence(world: MakeWorld, error: SyncdError) -> None:
    w, accounts = await staffed(world, "a", "b")
    del accounts["b"]
    file = await planned_file(w)
    w.extra[0][1].directory.fail_next("fetch", error)  # type: ignore[attr-defined]
    report = await apply(w, file)
    assert (there(w), report.results[1].skipped) == ({"a@office", "b@office"}, 1)
    assert skipped(w) == {"b@office": f"office gives no answer about account b: {error}"}


async def test_nor_one_that_proves_presence_alone(world: MakeWorld) -> None:
    w, accounts = await staffed(world, "a", "b")
    del accounts["b"]
    file = await planned_file(w)
    office(w, Vague)
    await apply(w, file)
    assert there(w) == {"a@office", "b@office"}
    assert skipped(w) == {"b@office": "office cannot say by itself whether account b is gone: who knows"}


async def test_whoever_else_left_since_is_not_made(world: MakeWorld) -> None:
    w, accounts = await staffed(world, "a")
    accounts["c"] = {"userName": "c@office", "displayName": "c"}
    accounts["d"] = {"userName": "d@office", "displayName": "d"}
    file = await planned_file(w)
    del accounts["c"]
    await apply(w, file)
    assert (there(w), skipped(w)) == ({"a@office", "d@office"}, {"c@office": "account c of office is not there any more"})


async def test_nor_anybody_updated_to_what_is_past(world: MakeWorld) -> None:
    w, accounts = await staffed(world, "a")
    accounts["a"] = {"userName": "a@office", "displayName": "Ann"}
    file = await planned_file(w)
    accounts["a"] = {"userName": "a@office", "displayName": "Anna"}
    await apply(w, file)
    assert skipped(w) == {"a@office": "this changed since the plan was made: the next run plans it anew"}
    await w.run()
    assert [account["displayName"] for account in w.directory.accounts.values()] == ["Anna"]


async def test_a_leaver_whom_a_second_provider_never_knew_is_deleted_while_its_listing_is_young(world: MakeWorld) -> None:
    """Older, nothing but a listing tells that they have not arrived there meanwhile."""
    w, _ = await staffed(world, "a")
    await settle(w, *people(1, 2, 3))
    w.write(people(2, 3))
    file = await planned_file(w)
    await apply(w, file)
    assert mail(1) not in there(w)
    w.write(people(3))
    file = await planned_file(w)
    w.clock.pass_time(OLD)
    await apply(w, file)
    assert mail(2) in there(w)
    assert skipped(w)[mail(2)] == (
        "evidence of absence could not be taken again (office knows no account of theirs to ask for: only a listing tells who is not in it)"
    )
    await w.run()
    assert writes(w)[-1] == ("delete", mail(2))
