"""Random edits on every side: at rest nothing is written within two runs, everybody holds the value that precedence says, nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.connectors.memory import MemoryConnector
from syncd.errors import InDoubt, Rejected
from tests.engine.contributing import other
from tests.engine.test_reowning import lose
from tests.engine.worlds import Template, mail, target
from tests.world import World, person, planned

NUMBERS = (1, 2)
SIDES = ("people", "app", "second")
orders = st.permutations(SIDES).flatmap(lambda order: st.integers(1, 3).map(lambda n: tuple(order[:n])))
values = st.sampled_from(["", "1", "2", "3", " 4 "])
faults = st.sampled_from([(Rejected("422"), False), (InDoubt("lost"), False), (InDoubt("lost after all"), True)])
edits = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(SIDES), st.sampled_from(NUMBERS), values),
    st.tuples(st.just("fail"), st.sampled_from(SIDES[1:]), st.sampled_from(["create", "update"]), faults),
    st.tuples(st.just("title"), st.just("people"), st.sampled_from(NUMBERS), values),
    st.tuples(st.just("destroy"), st.sampled_from(SIDES[1:]), st.sampled_from(NUMBERS), st.just("")),
    st.tuples(st.just("lose"), st.just(""), st.just(0), st.just("")),
)
scripts = st.lists(st.lists(edits, max_size=3), min_size=1, max_size=5)
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@dataclass
class Story:
    """Two people, a file and two targets. ``said``: side -> number -> what its holder last said there, None once syncd wrote over it."""

    world: World
    rows: dict[int, dict[str, str]] = field(default_factory=lambda: {n: person(n, phone="1") for n in NUMBERS})

    def directory(self, side: str) -> Any:
        (connector,) = (one for connection, one in self.world.extra if connection.name == side) if side != "app" else (None,)
        return connector.directory if isinstance(connector, MemoryConnector) else self.world.directory

    def accounts(self, side: str, number: int) -> list[dict[str, Any]]:
        return [one for one in self.directory(side).accounts.values() if one["userName"] == mail(number)]

    def edit(self, what: str, side: str, which: Any, value: Any) -> None:
        match what, side:
            case "set", "people":
                self.rows[which]["phone"] = value
            case "set", _:
                for account in self.accounts(side, which):
                    account["phone"] = value
            case "title", _:
                self.rows[which]["title"] = value
            case "fail", _:
                self.directory(side).fail_next(which, value[0], after=value[1])
            case "destroy", _:
                accounts = self.directory(side).accounts
                for id in [id for id, one in accounts.items() if one["userName"] == mail(which)]:
                    del accounts[id]
            case "lose", _:
                lose(self.world)

    async def run(self) -> Any:
        self.world.write(list(self.rows.values()))
        self.world.clock.pass_time(timedelta(minutes=1))
        return await self.world.run()

    async def rest(self) -> None:
        for side in SIDES[1:]:
            self.directory(side).calm()
        self.world.clock.pass_time(timedelta(days=2))
        for _ in range(3):
            await self.run()

    def log(self) -> int:
        return sum(len(self.directory(side).log) for side in SIDES[1:])

    def phones(self, side: str) -> list[str]:
        return [one.get("phone") or "" for number in NUMBERS for one in self.accounts(side, number)]


def tell(template: Template, order: tuple[str, ...], script: Sequence[Sequence[Any]], after: Any) -> None:
    async def story(w: World) -> None:
        w.extra = [other(w)]
        told = Story(w)
        await told.run()
        for scene in script:
            for edit in scene:
                told.edit(*edit)
            await told.run()
        await told.rest()
        await after(told)

    with template.temporary(target=target("delete"), precedence={"phone": order}) as w:
        asyncio.run(story(w))


@some
@given(orders, scripts)
def test_at_rest_nothing_is_written_and_all_targets_agree(template: Template, order: tuple[str, ...], script: Any) -> None:
    async def after(told: Story) -> None:
        sent = told.log()
        report, plan = await told.run()
        assert (planned(plan), told.log(), report.failed, told.world.verify()) == ([], sent, False, [])
        assert told.phones("app") == told.phones("second")
        assert len(told.phones("app")) == len(NUMBERS)

    tell(template, order, script, after)


@some
@given(orders, scripts, st.sampled_from(["5", "6"]), st.sampled_from(["7", "8"]), st.sampled_from(["9", "10"]))
def test_the_winner_is_who_precedence_names_first(
    template: Template, order: tuple[str, ...], script: Any, source: str, first: str, second: str
) -> None:
    """Everybody says something that nobody ever said before: whatever happened until then, the first in the order is heard."""

    async def after(told: Story) -> None:
        says = {"people": source, "app": first, "second": second}
        for side, value in says.items():
            told.edit("set", side, 1, value)
        for _ in range(2):
            await told.run()
        assert {told.phones(side)[0] for side in SIDES[1:]} == {says[order[0]]}
        sent = told.log()
        await told.run()
        assert told.log() == sent and told.world.verify() == []

    tell(template, order, script, after)


@some
@given(orders, scripts)
def test_the_source_is_followed_where_nobody_else_said_anything(template: Template, order: tuple[str, ...], script: Any) -> None:
    """Whatever went wrong on the way, what syncd wrote is never taken for an opinion, as long as the store lasts."""
    quiet = [[edit for edit in scene if edit[0] in ("fail", "title") or edit[1] == "people"] for scene in script]
    if "people" not in order:
        return

    async def after(told: Story) -> None:
        for number in NUMBERS:
            told.edit("set", "people", number, "5")
        for _ in range(2):
            await told.run()
        assert {*told.phones("app"), *told.phones("second")} == {"5"}

    tell(template, order, quiet, after)
