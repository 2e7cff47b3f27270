"""What accounts tell of their directory, and what a create that is marked late leaves behind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.engine import rules
from syncd.engine.context import Context
from syncd.errors import Fatal, InDoubt, Retryable
from syncd.model import Account, Connection, Rate, Step
from tests.engine.worlds import MakeWorld, established, mail, people, target
from tests.world import planned

pytestmark = pytest.mark.anyio


class Telling(MemoryConnector):
    """Every account says of which site it is."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.capability = replace(self.capability, directory={"site": "organization"})


async def test_a_site_is_learned_once_and_another_is_not_believed(world: MakeWorld) -> None:
    w = world(memory=Telling)
    w.directory.add("s1", userName="stranger", organization="north")
    w.write(people(1))
    report, _ = await w.run()
    assert report.converged
    w.directory.accounts["s1"]["organization"] = "south"
    w.write(people(1, 2))
    report, plan = await w.run()
    assert planned(plan) == []
    assert "app shows accounts of site south, but it is bound to site north" in report.results[1].error


async def test_two_targets_that_turn_out_to_be_one_directory_are_refused(world: MakeWorld, tmp_path: Path) -> None:
    """One is bound to a site, the other hears from its accounts that it is there too: nothing is written from then on."""
    other = MemoryOptions(directory=f"{tmp_path}/other", switch=True, delta=False)
    w = world(memory=Telling)
    w.directory.add("s1", userName="stranger", organization="north")
    app = w.landscape().connection("app")
    twin = Connection("twin", "memory", {**app.binding, "site": "north"}, "twin", read=app.read, write=app.write)
    w.extra = [(twin, Telling(other, environment=w.clock, rate=Rate(), writable=True))]
    w.write(people(1))
    report, _ = await w.run()
    assert "app turns out to be the directory that twin writes to (memory" in report.results[1].error
    assert len(w.directory.accounts) == 1
    with pytest.raises(Fatal, match="app and twin both write to the same directory"):
        await w.run()


class Late(MemoryConnector):
    """A create cannot carry the marker: the account is there without it before it is written."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.capability = replace(self.capability, marked_late=True)

    def _create(self, step: Step) -> Account:
        account = super()._create(step)
        self.directory.accounts[account.id].pop("meta")
        raise InDoubt("lost")


class Marking(Late):
    """The same, whose later requests carry it."""

    _create = MemoryConnector._create


@pytest.mark.parametrize(("name", "took"), [("Person 1", "create"), ("Somebody else", "adopt")])
async def test_an_account_that_is_not_marked_yet_is_ours_when_all_else_is_as_it_was_asked(world: MakeWorld, name: str, took: str) -> None:
    """Else it is a stranger's, taken over only because its key is one that administrators alone write."""
    w = world(memory=Late, target=target(settle=timedelta(0)))
    w.write(people(1))
    w.directory.fail_next("find", Retryable("no answer"))
    report, _ = await w.run()
    assert report.results[1].in_doubt == 1
    w.account(mail(1))["displayName"] = name
    w.memory = Marking
    applied: Counter[str] = Counter()
    for _ in range(3):
        w.clock.pass_time(timedelta(minutes=1))
        report, _ = await w.run()
        applied.update(report.results[1].applied)
    assert (applied[took], applied["create"] + applied["adopt"]) == (1, 1)
    assert (len(w.directory.accounts), w.account(mail(1))["displayName"]) == (1, "Person 1")


async def test_a_target_is_unseen_under_rules_that_it_was_not_projected_under(world: MakeWorld) -> None:
    w = await established(world, *people(1))

    def unseen() -> list[str]:
        landscape = w.landscape()
        names = [one.name for one in landscape.connections]
        return rules.unseen(Context(w.clock, w.store, landscape, w.connected(landscape, writable=False), names))

    assert unseen() == []
    w.target = target(scope='department == "B"')
    assert unseen() == ["app"]
