"""The journal as it is told: entries with what they say, oldest first, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store.database import Store
from syncd.store.identities import journalled

BLOCK = 500


@dataclass(frozen=True, slots=True)
class Part:
    """Which entries: of a person, of a run, since an instant; all that are given hold."""

    identity: str | None = None
    run: int | None = None
    since: datetime | None = None


_NAME = "(SELECT MIN(k.key) FROM identity_key AS k WHERE k.identity = p.identity AND k.attribute = 'userName')"
_COLUMNS = (
    f"SELECT e.seq, e.at, e.run, e.connection, e.what, p.identity, p.body, COALESCE({_NAME}, p.identity) AS name"
    " FROM {source} WHERE {which} ORDER BY {seq} LIMIT :block"
)
_OF_A_PERSON = "payload AS p JOIN entry AS e ON e.seq = p.entry"
_OF_ALL = "entry AS e LEFT JOIN payload AS p ON p.entry = e.seq"


def entries(store: Store, part: Part) -> Iterator[Row[Any]]:
    """Rows of (seq, at, run, connection, what, identity, ``name``: the person's userName, body: None where it was erased)."""
    seq = "e.seq" if part.identity is None else "p.entry"
    after, which = 0, [f"{seq} > :after"]
    values: dict[str, Any] = {"block": BLOCK}
    if part.identity is not None:
        which.append("p.identity IN :identities")
        values["identities"] = journalled(store, part.identity)
    if part.run is not None:
        which.append("e.run = :run")
        values["run"] = part.run
    if part.since is not None:
        values["since"] = stamp(part.since)
        first = store.value("SELECT MIN(seq) FROM entry WHERE at >= :since", since=values["since"])
        if first is None:
            return
        after = int(first) - 1
        which.append("(e.at || '') >= :since")  # by number, not by time: the order is that in which it happened, whatever the clock said
    statement = _COLUMNS.format(source=_OF_ALL if part.identity is None else _OF_A_PERSON, which=" AND ".join(which), seq=seq)
    while rows := store.rows(statement, after=after, **values):
        yield from rows
        after = rows[-1].seq


def run(store: Store, run: int) -> Row[Any] | None:
    """One run: (id, mode, started, finished)."""
    return store.one("SELECT id, mode, started, finished FROM run WHERE id = :run", run=run)


def last_run(store: Store) -> int | None:
    found: int | None = store.value("SELECT MAX(id) FROM run")
    return found
