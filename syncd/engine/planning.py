"""The plan as a person reviews it: per connection its counts, verdict, accounts, requests and time; the changes streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any

from syncd.core.forecast import eta
from syncd.engine.context import Connected, Context
from syncd.engine.reading import Reading
from syncd.model import Kind
from syncd.store import Store, connections, journal, links, pauses, runs, waiting


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """One connection's part. ``counts`` are of all planned user changes, held ones included; ``held`` of those that wait. ``kept``: leavers
    who keep their account; ``kept_by_you``: what a person said no to. ``containers``: changes to other objects that pass. ``paused``: why
    nothing of it is sent for now: a person said so. ``settled``: how many changes had been made there when it was planned. ``count``: tells
    how its accounts stand to syncd; where nothing was decided, only who shows it asks, for it goes through all of them."""

    name: str
    counts: Mapping[str, int]
    held: int
    reason: str
    count: Callable[[], Mapping[str, int]]
    listing: Reading | None
    requests: int
    eta_seconds: float
    kept: int = 0
    kept_by_you: int = 0
    first_contact: bool = False
    containers: int = 0
    paused: str = ""
    settled: int = 0

    @property
    def accounts(self) -> Mapping[str, int]:
        return self.count()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one run decided; ``changes`` streams the journal rows in order of planning. ``notes``: what a person should know of it.

    ``whole``: it is about everybody, and every source was read completely for it.
    """

    run: int
    created: str
    digest: str
    connections: tuple[ConnectionPlan, ...]
    store: Store
    notes: tuple[str, ...] = ()
    whole: bool = False

    def changes(self) -> Iterator[Any]:
        return journal.changes(self.store, self.run)

    @property
    def passed(self) -> int:
        """How many changes can be sent now."""
        return sum(sum(one.counts.values()) - one.held + one.containers for one in self.connections if not one.paused)

    @property
    def first_contacts(self) -> tuple[str, ...]:
        """Targets of which a yes would let something go."""
        return tuple(one.name for one in self.connections if one.first_contact and not one.paused)


class Digest:
    """Over changes in order: two plans with the same digest do the same."""

    def __init__(self) -> None:
        self._made = blake2b(digest_size=16)

    def over(self, rows: Iterable[Any]) -> Iterator[Any]:
        """The same rows on their way through."""
        for row in rows:
            self._made.update(f"{row.id}:{row.state}\n".encode())
            yield row

    @property
    def text(self) -> str:
        return self._made.hexdigest()


def plan(context: Context, readings: Mapping[str, Reading], first: Mapping[str, bool], created: str, whole: bool = True) -> Plan:
    """Summarise what this run has in the journal. ``whole``: nothing is known yet that speaks against it."""
    decided = runs.decided(context.store, context.run)
    parts = tuple(
        _part(context, context.connected[name], readings.get(name), first.get(name, False), decided)
        for name in context.connected
        if name in context.selected
    )
    digest = Digest()
    for _ in digest.over(journal.changes(context.store, context.run)):
        pass
    notes = (*context.notes, *(f"{name}: {told}" for name, reading in readings.items() for told in reading.told), *_doubts(context))
    return Plan(context.run, created, digest.text, parts, context.store, notes, whole and _whole(context, readings))


def _doubts(context: Context) -> Iterator[str]:
    """What is not planned, because nobody knows yet whether it was done."""
    for one in context.chosen(context.targets):
        if many := len(journal.open_steps(context.store, one.name)):
            told = "1 request is" if many == 1 else f"{many:,} requests are"
            yield f"{one.name}: {told} in doubt, sent without an answer: each run looks for what became of them (syncd pending)"


def _part(context: Context, one: Connected, reading: Reading | None, first: bool, decided: bool) -> ConnectionPlan:
    """``decided``: the run has changes, there or elsewhere; else nothing will move what there is to count."""
    counts = {kind.value: 0 for kind in Kind} | (journal.tally(context.store, context.run, one.name) if decided else {})
    held = journal.tally(context.store, context.run, one.name, "state").get("held", 0) if decided else 0
    sending = journal.requests(context.store, context.run, one.name) if decided else 0
    accounts = partial(_accounts, context, one)
    reason = journal.first_reason(context.store, context.run, one.name) if decided else ""
    latency, states = one.connector.meter.seconds, links.states(context.store, one.name)
    kept_by_you = states.get("unlinked", 0) + waiting.kept_by_person(context.store, one.name)
    known = connections.row(context.store, one.name)
    return ConnectionPlan(
        one.name, counts, held, reason, _once(accounts()) if decided else accounts, reading,
        sending, eta(sending, one.connection.rate, latency), states.get("kept", 0), kept_by_you, first,
        journal.containers(context.store, context.run, one.name) if one.connector.capability.containers else 0, _paused(context, one),
        0 if known is None else known.settled,
    )  # fmt: skip


def _once(counted: Mapping[str, int]) -> Callable[[], Mapping[str, int]]:
    return lambda: counted


def _paused(context: Context, one: Connected) -> str:
    row = pauses.at(context.store, one.name, context.environment.now()) if one.policy is not None else None
    return "" if row is None else pauses.told(row)


def _whole(context: Context, readings: Mapping[str, Reading]) -> bool:
    """A saved plan has read its sources before; what it read again must be complete too."""
    read = readings if context.saved else context.authoritative
    return not context.narrowed and all(name in readings and readings[name].complete for name in read)


def _accounts(context: Context, one: Connected) -> dict[str, int]:
    """How the accounts of a connection stand to syncd; at a source all that exist are linked to their identity."""
    found = links.counts(context.store, one.name)
    rejected = waiting.count(context.store, one.name).get("rejected", 0)
    if one.policy is None:
        linked = found["known"] - found["ignored"]
        return {"linked": linked, "adoptable": 0, "ambiguous": 0, "unmanaged": 0, "ignored": found["ignored"], "rejected": rejected}
    adoptable, ambiguous = journal.adoptions(context.store, context.run, one.name)
    unmanaged = max(0, found["unlinked"] - adoptable - ambiguous)
    return {
        "linked": found["linked"], "adoptable": adoptable, "ambiguous": ambiguous, "unmanaged": unmanaged,
        "ignored": found["ignored"], "rejected": rejected,
    }  # fmt: skip
