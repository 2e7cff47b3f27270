"""What the chain says of a change: each request once it is settled, and its end where none was sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from syncd.store import chain, staging
from syncd.store.chain import Event
from syncd.store.database import Store

_SAID = ("change", "object", "kind", "account", "who", "reason")


class Intent(NamedTuple):
    """A request that is written down: the step's id, the change it is part of (a row of the journal), which of its requests it is, in
    words too, ``of`` how many."""

    step: int
    change: Any
    n: int
    summary: str
    of: int = 1


def sent(
    store: Store, intent: Intent, outcome: str, error: str | None, now: datetime, *, account: str | None = None, run: int | None = None
) -> None:  # fmt: skip
    """It was settled. ``account``: the one that answered, where it is not the change's own; ``run``: who found out, if it was not the run
    that sent it."""
    row = intent.change
    body = _body(row, account)
    if row.kind == "delete" and outcome == "applied" and row.account_id is not None:
        body["delta"] = _lost(store, row.account_id)
    request = {"request": intent.summary, "n": intent.n, "of": intent.of, "outcome": outcome, "error": error}
    chain.append(store, [Event(chain.SENT, row.connection, {**body, **request}, row.identity, run or row.run)], now)


def settled(store: Store, row: Any, outcome: str, error: str | None, now: datetime) -> None:
    """``row``: a change that ended without a request."""
    request = {"request": None, "n": 0, "of": row.requests, "outcome": outcome, "error": error}
    chain.append(store, [Event(chain.SETTLED, row.connection, {**_body(row, None), **request}, row.identity, row.run)], now)


def left_out(store: Store, run: int, connection: str, changes: int, why: str, now: datetime) -> None:
    """So many changes of a run were not sent, all for one reason: one entry, however many they are."""
    if changes:
        body = {"object": "user", "changes": changes, "outcome": "skipped", "error": why}
        chain.append(store, [Event(chain.SETTLED, connection, body, None, run)], now)


def owned_again(store: Store, connection: str, identity: str, account: str, run: int, now: datetime) -> None:
    """An account is ours again without a change that says so: it bears our marker."""
    body = {"object": "user", "kind": "adopt", "account": account, "reason": "ours: it bears our marker", "outcome": "applied"}
    chain.append(store, [Event(chain.SETTLED, connection, body, identity, run)], now)


def decided(store: Store, command: str, rows: Iterable[Any], now: datetime) -> None:
    """A person said ``command`` of these held changes (rows of pending)."""
    events = [
        Event(
            chain.DECIDED, row.connection,
            {"command": command, **{name: getattr(row, name) for name in _SAID}}, row.identity,
        )
        for row in rows
    ]  # fmt: skip
    chain.append(store, events, now)


def agreed(store: Store, command: str, connection: str, changes: int, run: int, now: datetime) -> None:
    """A person said yes to so many changes of a run at once: ``command`` says how."""
    if changes:
        chain.append(store, [Event(chain.DECIDED, connection, {"command": command, "changes": changes}, None, run)], now)


def _body(row: Any, account: str | None) -> dict[str, Any]:
    return {
        "change": row.id, "object": row.object, "kind": row.kind, "account": account or row.account, "who": row.who, "reason": row.reason,
        "delta": orjson.Fragment(row.delta), "released": bool(row.released),
    }  # fmt: skip


def _lost(store: Store, account: int) -> dict[str, Any]:
    """What an account held that was deleted: told before the store forgets it, too."""
    document = staging.document(store, account)
    return {} if document is None else {name: [value, None] for name, value in orjson.loads(document).items()}
