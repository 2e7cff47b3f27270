"""A plan as text, the way Terraform prints one: what was read, what will change and why, what is held, and one last line of counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import orjson

from syncd.cli.held_groups import Group, agreeable, groups
from syncd.cli.printer import BOLD, CYAN, GREEN, RED, YELLOW, Styled
from syncd.cli.text import called, count, duration, listed, value
from syncd.engine.guarding import CONSENTED
from syncd.engine.planning import ConnectionPlan, Plan
from syncd.engine.reading import Reading
from syncd.model import Hold, Kind
from syncd.store import answers, journal

SIGNS = {
    Kind.CREATE: ("+", GREEN), Kind.ADOPT: ("~", YELLOW), Kind.UPDATE: ("~", YELLOW), Kind.DISABLE: ("-", RED), Kind.DELETE: ("-", RED),
}  # fmt: skip
MOST = 200
"""Changes of one connection that are shown one by one."""
FIRST = 3
"""Held changes that are shown of each reason and kind; in full where that is due, fewer when several connections hold some."""
Line = str | Styled


@dataclass(frozen=True)
class PlanView:
    """``agreed``: a yes sends it, so a first contact is shown as what it will do. ``whole``: without shortening.

    ``most``: with more changes than this to send, only their numbers are shown.
    """

    plan: Plan
    notices: Sequence[str] = ()
    agreed: bool = False
    whole: bool = False
    most: int | None = None

    def lines(self) -> Iterator[Line]:
        yield f"Plan of run {self.plan.run}", BOLD
        yield from (self._listing(part) for part in self.plan.connections)
        yield from (f"note: {notice}" for notice in (*self.notices, *self.plan.notes))
        yield from ((f"{part.name}: {part.paused}", YELLOW) for part in self.plan.connections if part.paused)
        counted = self.most is not None and sum(self.tally()[0].values()) > self.most
        yield from self._numbers() if counted else []
        for part in self.plan.connections:
            body = chain(() if counted else self._changes(part.name), self._held(part), self._kept(part))
            for line in islice(body, 1):
                yield from ("", (f"{part.name}:", BOLD), line)
            yield from body
        yield ""
        yield self.summary(), BOLD

    def summary(self) -> str:
        """``Plan: 3 to create, 1 to adopt, 2 to update, 1 to disable, 0 to delete; 4 held.``; what is held is not counted before."""
        sent, held = self.tally()
        return f"Plan: {', '.join(f'{sent[kind.value]:,} to {kind}' for kind in Kind)}; {held:,} held."

    def tally(self) -> tuple[Counter[str], int]:
        """How many of each kind will be sent, and how many are held."""
        sent: Counter[str] = Counter()
        held = 0
        for row in answers.shape(self.plan.store, self.plan.run):
            if row.state != "held" or self._goes(row):
                sent[row.kind] += row.n
            else:
                held += row.n
        return sent, held

    def _goes(self, row: Any) -> bool:
        return self.agreed and row.hold == Hold.FIRST_CONTACT and row.kind in CONSENTED

    def _listing(self, part: ConnectionPlan) -> Line:
        return listing_line(part) if part.listing is not None and part.listing.complete else (listing_line(part), RED)

    def _numbers(self) -> Iterator[Line]:
        """How many changes will be sent to each connection."""
        sent = Counter[str]()
        for row in answers.shape(self.plan.store, self.plan.run):
            sent[row.connection] += row.n if row.state != "held" or self._goes(row) else 0
        yield ""
        names = [part.name for part in self.plan.connections if sent[part.name]]
        yield from (f"{name}: {count(sent[name], 'change')} to send (-v shows them)" for name in names)

    def _changes(self, connection: str) -> Iterator[Line]:
        """What will be sent, one by one."""
        for shown, row in enumerate(self.sendable(connection)):
            if shown == MOST and not self.whole:
                yield f"  ... and more of {connection}: `syncd plan -v` shows all, `syncd plan --json` has them as data"
                return
            yield from change_lines(row)

    def sendable(self, connection: str) -> Iterator[Any]:
        """The changes that will be sent, one kind after the other."""
        for kind in Kind:
            for row in journal.changes(self.plan.store, self.plan.run, connection, kind.value):
                if row.state != "held" or self._goes(row):
                    yield row

    def held(self, part: ConnectionPlan) -> Iterator[Group]:
        return groups(self.plan, part.name, self._goes)

    def _held(self, part: ConnectionPlan) -> Iterator[Line]:
        """Each reason once, with how many it holds, the first few of them, and what to do."""
        for group in self.held(part):
            yield f"  ! {group.told}", CYAN
            for row in group.rows:
                yield from self._members(row) if group.reason is not None else self._each(row)
            yield f"    {group.advice}"

    def _each(self, row: Any) -> Iterator[Line]:
        """Changes that are held for reasons of their own."""
        most = row.n if self.whole else FIRST
        for one in answers.held_for(self.plan.store, self.plan.run, row, most):
            yield f"    {row.kind} {called(one)}: {one.held}"
        yield from [f"    ... and {row.n - most:,} more"] if row.n > most else []

    def _members(self, row: Any) -> Iterator[Line]:
        """The first changes of one kind that are held for one reason; in full where only a yes is lacking, and with -v."""
        in_full = agreeable(row) or self.whole
        holding = sum(bool(part.held) for part in self.plan.connections) if agreeable(row) else 1
        few = MOST if row.hold == Hold.REVIEW and self.most is None else max(1, FIRST // holding)
        most = row.n if self.whole else few
        ones, more = answers.held_for(self.plan.store, self.plan.run, row, most), max(0, row.n - most)
        if in_full:
            for one in ones:
                yield from change_lines(one, "    ")
            yield from [f"    ... and {more:,} more to {row.kind}"] if more else []
        else:
            yield f"    {row.kind} {listed([called(one) for one in ones], more)}"

    def _kept(self, part: ConnectionPlan) -> Iterator[Line]:
        if part.kept:
            yield f"  {count(part.kept, 'leaver')} kept"
        if part.kept_by_you:
            yield f"  {part.kept_by_you:,} kept by you"


def change_lines(row: Any, indent: str = "  ") -> Iterator[Line]:
    """Kind, who (or which tenant, which organization), account and reason; then each attribute, before -> after."""
    sign, style = SIGNS[Kind(row.kind)]
    account = f" ({row.account})" if row.account and row.account != row.who else ""
    who = called(row)
    yield f"{indent}{sign} {row.kind} {who}{account}: {row.reason}", style
    delta = orjson.loads(row.delta)
    width = max(map(len, delta), default=0)
    for name, (before, after) in delta.items():
        told = value(after) if row.kind == Kind.CREATE else f"{value(before)} -> {value(after)}"
        yield f"{indent}    {name.ljust(width)}  {told}"


def listing_line(part: ConnectionPlan) -> str:
    """What was read of one connection, how its accounts stand, and what sending will cost."""
    accounts = [f"{number:,} {name}" for name, number in part.accounts.items() if number or name == "linked"]
    told = f"{part.name}: {_read(part.listing)}; {', '.join(accounts)}"
    return told + (f"; {count(part.requests, 'request')} to send, {_eta(part.eta_seconds)}" if part.requests else "")


def _read(reading: Reading | None) -> str:
    if reading is None:
        return "not read"
    what = count(reading.changed, "changed account") if reading.delta else count(reading.accounts, "account")
    told = f"{what} in {count(reading.pages, 'page')}"
    return f"{told}, complete" if reading.complete else f"{told}, INCOMPLETE ({reading.defect}): no leaver is planned"


def _eta(seconds: float) -> str:
    return f"about {duration(seconds)}" if seconds >= 1 else "under a second"
