"""Plan files that were applied, and what their changes are called in this store now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store import chain
from syncd.store.chain import Event
from syncd.store.database import Store


def applied(store: Store, digest: str) -> Row[Any] | None:
    """The run that applied this plan, and when: (run, at)."""
    return store.one("SELECT run, at FROM applied WHERE digest = :digest", digest=digest)


def apply(store: Store, digest: str, run: int, now: datetime) -> None:
    """In the transaction that starts ``run``: this plan is never applied again."""
    store.run("INSERT INTO applied (digest, run, at) VALUES (:digest, :run, :now)", digest=digest, run=run, now=stamp(now))
    chain.append(store, [Event(chain.DECIDED, "", {"command": "apply", "plan": digest}, None, run)], now)


def link_ids(store: Store, connection: str, identities: Sequence[str]) -> dict[str, int]:
    """Identity -> its link there, for those that have one."""
    rows = store.rows(
        "SELECT identity, id FROM link WHERE connection = :connection AND identity IN :ids", connection=connection, ids=list(identities)
    )
    return {row.identity: row.id for row in rows}
