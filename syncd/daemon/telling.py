"""What came of a cycle: events for the log, with run and connection on each; numbers for the board."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from syncd.daemon.due import ENOUGH, LONGEST
from syncd.engine.report import Result
from syncd.environment import instant
from syncd.health import Board
from syncd.model import Connection
from syncd.store import Store, duty, links, waiting

WAITS = ("held", "in_doubt", "quarantined", "rejected")
log = structlog.get_logger("syncd")


def event(run: int, mode: str, one: Result, before: Mapping[str, float]) -> None:
    """An event a connection: a warning when it failed; when nothing came of it, only who wants to know everything reads it. ``before``:
    how many changes were held."""
    applied = {kind: number for kind, number in one.applied.items() if number}
    waits = {name: getattr(one, name) for name in WAITS}
    read = one.listing.changed if one.listing is not None else 0
    for sentence in one.listing.told if one.listing is not None else ():
        log.info("listing", run=run, connection=one.name, told=sentence)
    told: dict[str, Any] = {"run": run, "connection": one.name, "mode": mode, "changed": read, **applied, **waits}
    told |= {"requests": one.requests, "seconds": round(one.seconds, 3)}
    if one.error:
        log.warning("failed", **told, error=one.error)
    elif applied or read or one.skipped:
        log.info("synced", **told)
    else:
        log.debug("synced", **told)
    if one.held != before.get(one.name, 0) and one.held:
        log.warning("held", run=run, connection=one.name, held=one.held, command="syncd held list")


def count(board: Board, store: Store, run: int, target: str) -> None:
    """What the changes of a run came to."""
    for row in duty.outcomes(store, run, target):
        board.changes[target, row.kind, row.state] += row.n


def standing(board: Board, store: Store, connections: Iterable[Connection], *, moved: bool = True) -> None:
    """How these connections stand, as the store knows it: also after a restart, before any cycle. ``moved``: accounts may have come or gone
    since; there may be very many to count."""
    known = duty.known(store)
    for one in connections:
        waits = waiting.count(store, one.name)
        if moved:
            board.gauge("syncd_accounts", one.name, links.counts(store, one.name)["known"])
        for name in WAITS:
            board.gauge(f"syncd_{name}", one.name, waits.get(name, 0))
        board.gauge("syncd_suspended", one.name, one.name in known and known[one.name].failures >= ENOUGH)
        _success(board, one.name, known.get(one.name))


def _success(board: Board, name: str, row: Any) -> None:
    if row is None:
        return
    if row.last_full is not None:
        board.success[name, "full"] = instant(row.last_full).timestamp()
    if row.last_delta is not None and not row.error and not row.defect:
        board.success[name, "delta"] = instant(row.last_delta).timestamp()


def moved(one: Result) -> bool:
    """Whether accounts may have come or gone: not where changes were asked for, and there were none."""
    return one.listing is None or not one.listing.delta or bool(one.listing.changed) or any(one.applied.values()) or bool(one.error)


def suspension(store: Store, run: int, name: str, *, was: bool) -> None:
    """``was``: it was suspended before."""
    row = duty.known(store)[name]
    if row.failures >= ENOUGH and not was:
        log.warning("suspended", run=run, connection=name, error=row.error, retry=f"every {LONGEST.seconds // 60} min")
    elif was and not row.failures:
        log.info("resumed", run=run, connection=name)
