"""The tables of a queue that lives beside the store's own: brought up to date in one transaction, by whoever comes first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import psycopg

from syncd.errors import Away, Fatal
from syncd.store.database import Store
from syncd.store.postgresql import Postgresql
from syncd.store.postgresql_errors import failure

_KNOWN = (
    "SELECT COALESCE(obj_description(pg_class.oid, 'pg_class'), :newest) FROM pg_class"
    " JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = current_schema() AND relname = :table"
)


def bring(store: Store, table: str, whole: Callable[[], str], steps: Sequence[str], step: Callable[[str], str]) -> None:
    """``table``: there is a queue where there is one; its comment names the last of ``steps``, ascending, that it has seen, each of which
    ``step`` gives as SQL. ``whole``: all of them at once. Raises Fatal for a store that is not in PostgreSQL."""
    backend = store.backend
    if not isinstance(backend, Postgresql):
        raise Fatal(f"the store {backend.name} is not in PostgreSQL: there can be no queue beside it")
    newest = max(steps)
    with store.transaction():
        known = store.value(_KNOWN, table=table, newest=newest)
        if known is not None and known >= newest:
            return
        for text in [whole()] if known is None else [step(one) for one in steps if one > known]:
            backend.script(text)
        backend.script(f"COMMENT ON TABLE \"{table}\" IS '{newest}'")


def failed(store: Store, error: BaseException | None) -> Exception:
    """What a person is told of a question to the queue that failed."""
    known = failure(error, store.backend.name) if isinstance(error, psycopg.Error) else None
    return known or Away(f"the queue beside the store {store.backend.name} does not answer: {error}\n  it is asked again, as a new worker")
