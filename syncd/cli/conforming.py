"""`syncd connector test`: does a connector keep its obligations, on its bench; each clause quoted that it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from syncd.cli.app import command
from syncd.cli.configuring import Name, connector
from syncd.cli.exits import DONE, FAILED, Failed, Misused
from syncd.cli.invocation import HIDDEN, Invocation
from syncd.cli.printer import GREEN, RED, Styled
from syncd.cli.text import count, did_you_mean

if TYPE_CHECKING:
    from syncd.connectors.conformance import Open, Outcome, State


@command(connector, "test")
def test(invocation: Invocation, name: Name) -> int:
    """Try every obligation of a connector.

    Speaks to an emulated provider on this machine alone, and needs no configuration.
    """
    from syncd.cli.documents import document
    from syncd.connectors.conformance import State

    found = _kept(asyncio.run(_outcomes(_bench(name))))
    ok = all(one.state is not State.FAILED for one in found)
    shown = document("conformance", connector=name, ok=ok, obligations=[one.document() for one in found])
    invocation.printer.show(shown, lambda: _lines(name, found))
    return DONE if ok else FAILED


def _bench(name: str) -> Open:
    from syncd import benches, connectors

    if name not in connectors.names():
        raise Misused(f"no connector is called {name!r}{did_you_mean(name, {*connectors.names()} - HIDDEN)}")
    if name not in benches.names():
        raise Failed(f"{name} has no bench to be tried on: register one among the entry points {benches.GROUP!r}")
    return benches.get(name)


async def _outcomes(bench: Open) -> list[Outcome]:
    from syncd.connectors.conformance import run_all

    return [one async for one in run_all(bench)]


class _Kept(NamedTuple):
    """One obligation and what came of all its checks."""

    number: int
    name: str
    clause: str
    outcomes: Sequence[Outcome]

    @property
    def state(self) -> State:
        """Failed if any check did; not applicable if there was nothing to try at all."""
        from syncd.connectors.conformance import State

        states = [one.state for one in self.outcomes]
        return next(state for state in (State.FAILED, State.OK, State.INAPPLICABLE) if state in states)

    def document(self) -> dict[str, Any]:
        checks = [{"name": one.check.name, "state": str(one.state), "found": one.found or None} for one in self.outcomes]
        return {"number": self.number, "name": self.name, "clause": self.clause, "state": str(self.state), "checks": checks}


def _kept(outcomes: Sequence[Outcome]) -> list[_Kept]:
    """``outcomes`` in the order of their clauses."""
    grouped = groupby(outcomes, lambda one: (one.number, one.check.obligation, one.clause))
    return [_Kept(*obligation, [*some]) for obligation, some in grouped]


def _lines(name: str, found: Sequence[_Kept]) -> Iterator[str | Styled]:
    for one in found:
        yield from _clause(one)
    states = [str(one.state) for one in found]
    kept, idle, broken = (states.count(state) for state in ("ok", "not applicable", "failed"))
    rest = f", {count(idle, 'does', 'do')} not apply" if idle else ""
    if broken:
        yield f"{name}: {count(broken, 'obligation is', 'obligations are')} broken, {count(kept, 'holds', 'hold')}{rest}.", RED
    else:
        yield f"{name}: {count(kept, 'obligation holds', 'obligations hold')}{rest}.", GREEN


def _clause(one: _Kept) -> Iterator[str | Styled]:
    """A line; of a broken obligation its text too, and what was found."""
    place, tried = f"{one.number:2} {one.name:18}", "; ".join(check.check.name for check in one.outcomes)
    match str(one.state):
        case "ok":
            yield f"ok              {place} {tried}"
        case "failed":
            yield f"FAILED          {place} {tried}", RED
            yield f"    {one.clause}"
            yield from (f"    - {check.check.name}: {check.found}" for check in one.outcomes if str(check.state) == "failed")
        case _:
            yield f"not applicable  {place} {one.outcomes[0].found}"
