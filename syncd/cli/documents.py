"""The JSON documents: stable, `version: 1` in each, every field always there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from syncd.cli import cures
from syncd.daemon.due import ENOUGH, Turn
from syncd.engine.planning import ConnectionPlan, Plan
from syncd.engine.reading import Reading
from syncd.engine.report import Report, Result
from syncd.environment import stamp
from syncd.model import Connection
from syncd.store import Store, connections, links, pauses, waiting


def document(kind: str, **members: Any) -> dict[str, Any]:
    return {"version": 1, "kind": kind, **members}


def plan(made: Plan, config: str) -> dict[str, Any]:
    """``changes`` is an iterator: a large plan is never in memory. ``config``: the fingerprint of the configuration."""
    return document(
        "plan", id=made.run, digest=made.digest, config=config, created=made.created,
        connections=[_planned(part) for part in made.connections], changes=map(change, made.changes()),
    )  # fmt: skip


def _planned(part: ConnectionPlan) -> dict[str, Any]:
    return {
        "name": part.name, "counts": dict(part.counts), "verdict": "held" if part.reason else "passed", "reason": part.reason or None,
        "accounts": dict(part.accounts), "listing": _listing(part.listing), "requests": part.requests, "eta_seconds": part.eta_seconds,
    }  # fmt: skip


def change(row: Any) -> dict[str, Any]:
    """``row``: of the journal."""
    return {
        "id": row.id, "connection": row.connection, "object": row.object, "kind": row.kind, "identity": row.identity,
        "account": row.account, "who": row.who, "attributes": orjson.loads(row.delta), "reason": row.reason, "held": row.held,
        "replaces": row.replaces,
    }  # fmt: skip


def _listing(reading: Reading | None) -> dict[str, Any]:
    if reading is None:
        return {"complete": False, "accounts": 0, "pages": 0}
    return {"complete": reading.complete, "accounts": reading.accounts, "pages": reading.pages}


def report(made: Report) -> dict[str, Any]:
    return document("report", run=made.run, mode=made.mode, converged=made.converged, connections=[_done(one) for one in made.results])


def _done(one: Result) -> dict[str, Any]:
    changed = one.listing.changed if one.listing is not None else 0
    return {
        "name": one.name, "listing": {**_listing(one.listing), "changed": changed}, "applied": dict(one.applied), "held": one.held,
        "in_doubt": one.in_doubt, "quarantined": one.quarantined, "rejected": one.rejected, "skipped": one.skipped, "kept": one.kept,
        "requests": one.requests, "throttled": one.throttled, "seconds": round(one.seconds, 3), "error": one.error or None,
    }  # fmt: skip


def status(summary: str, identities: int, states: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return document("status", summary=summary, identities=identities, connections=[dict(one) for one in states])


def state(store: Store, one: Connection, now: datetime, next: Turn | None) -> dict[str, Any]:
    """What the store knows of one configured connection. ``next``: when a daemon reads it; None where none is at work."""
    known, waits, counts = connections.row(store, one.name), waiting.count(store, one.name), links.counts(store, one.name)
    return {
        "name": one.name, "last_delta": known.last_delta if known else None, "last_full": known.last_full if known else None,
        "accounts": counts["known"], "links": counts["linked"] if one.write else counts["known"] - counts["ignored"],
        **{name: waits.get(name, 0) for name in ("held", "in_doubt", "quarantined", "rejected")},
        "paused": one.write is not None and pauses.at(store, one.name, now) is not None,
        "suspended": known is not None and (known.failures or 0) >= ENOUGH, "next_run": stamp(next.at) if next is not None else None,
    }  # fmt: skip


def pending(rows: Iterable[Any], now: datetime, names: cures.Names) -> dict[str, Any]:
    """``command``: where a person chooses between accounts, that of the first; ``reason`` names all."""
    return document(
        "pending",
        items=[
            {
                "id": row.id, "run": row.run, "connection": row.connection, "state": row.state, "change": row.change, "who": row.who,
                "reason": row.reason, "since": row.since, "command": cures.commands(row, now, names)[0],
            }
            for row in rows
        ],
    )  # fmt: skip
