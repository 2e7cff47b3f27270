"""The plan as a person reviews it: per connection its counts, verdict, accounts, requests and time; the changes streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from syncd.core.forecast import eta
from syncd.engine.context import Connected, Context
from syncd.engine.reading import Reading
from syncd.model import Kind
from syncd.store import Store, journal, links, pauses, waiting


@dataclass(frozen=True, slots=True)
class ConnectionPlan:
    """One connection's part. ``counts`` are of all planned user changes, held ones included; ``held`` of those that wait. ``kept``: leavers
    who keep their account; ``kept_by_you``: what a person said no to. ``containers``: changes to other objects that pass. ``paused``: why
    nothing of it is sent for now: a person said so."""

    name: str
    counts: Mapping[str, int]
    held: int
    reason: str
    accounts: Mapping[str, int]
    listing: Reading | None
    requests: int
    eta_seconds: float
    kept: int = 0
    kept_by_you: int = 0
    first_contact: bool = False
    containers: int = 0
    paused: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one run decided; ``changes`` streams the journal rows in order of planning. ``notes``: what a person should know of it."""

    run: int
    created: str
    digest: str
    connections: tuple[ConnectionPlan, ...]
    store: Store
    notes: tuple[str, ...] = ()

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


def plan(context: Context, readings: Mapping[str, Reading], first: Mapping[str, bool], created: str) -> Plan:
    """Summarise what this run has in the journal."""
    parts = tuple(
        _part(context, context.connected[name], readings.get(name), first.get(name, False))
        for name in context.connected
        if name in context.selected
    )
    return Plan(context.run, created, _digest(context), parts, context.store, tuple(context.notes))


def _part(context: Context, one: Connected, reading: Reading | None, first: bool) -> ConnectionPlan:
    counts = {kind.value: 0 for kind in Kind} | journal.tally(context.store, context.run, one.name)
    held = journal.tally(context.store, context.run, one.name, "state").get("held", 0)
    sending = journal.requests(context.store, context.run, one.name)
    latency, states = one.connector.meter.seconds, links.states(context.store, one.name)
    kept_by_you = states.get("unlinked", 0) + waiting.kept_by_person(context.store, one.name)
    return ConnectionPlan(
        one.name, counts, held, journal.first_reason(context.store, context.run, one.name), _accounts(context, one), reading,
        sending, eta(sending, one.connection.rate, latency), states.get("kept", 0), kept_by_you, first,
        journal.containers(context.store, context.run, one.name) if one.connector.capability.containers else 0, _paused(context, one),
    )  # fmt: skip


def _paused(context: Context, one: Connected) -> str:
    row = pauses.at(context.store, one.name, context.environment.now()) if one.policy is not None else None
    return "" if row is None else pauses.told(row)


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


def _digest(context: Context) -> str:
    """Over every change in order: two plans with the same digest do the same."""
    digest = blake2b(digest_size=16)
    for row in journal.changes(context.store, context.run):
        digest.update(f"{row.id}:{row.state}\n".encode())
    return digest.hexdigest()
