"""What the tests of the store put into it, and how they look at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event

from syncd.environment import stamp
from syncd.store import Store, connections, identities, journal, links, staging
from syncd.store.entries import Intent
from syncd.store.identities import Person
from syncd.store.links import Standing
from syncd.store.staging import Staged

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
PUT = "INSERT INTO setting (name, value) VALUES (:name, 'x')"


def register(store: Store, *names: str, authoritative: bool = False, target: bool = True) -> None:
    for name in names:
        connections.register(store, name, "memory", {"root": name}, name, authoritative=authoritative, target=target)


def staged(name: str, ordinal: int | None = 0, *keys: tuple[str, str, bool], **more: Any) -> Staged:
    """An account; its bytes are its name, its document says so."""
    values: dict[str, Any] = {
        "digest": name.encode(),
        "document": f'{{"name":"{name}"}}',
        "reading": None,
        "version": None,
        "ignored": False,
    }
    return Staged(account=name, ordinal=ordinal, keys=keys, **values | more)


def stage(store: Store, connection: str, *names: str, **more: Any) -> dict[str, int]:
    return staging.upsert(store, connection, [staged(name, place, **more) for place, name in enumerate(names)])


def claim(store: Store, owned: Mapping[int, str]) -> None:
    """These accounts make these people."""
    store.many("UPDATE account SET identity = :identity WHERE id = :id", [{"id": row, "identity": who} for row, who in owned.items()])


def person(id: str, *keys: tuple[str, str], **more: Any) -> Person:
    values: dict[str, Any] = {"attributes": "{}", "live": "live", "ignored": False, "departed_at": None, "starts": None, "ends": None}
    return Person(id=id, keys=keys, **values | {"due": None} | more)


def people(store: Store, *ids: str, targets: Sequence[str] = (), **more: Any) -> None:
    identities.save(store, [person(id, **more) for id in ids], targets)


def standing(identity: str, desired: bytes | None, actual: bytes | None, **more: Any) -> Standing:
    values: dict[str, Any] = {
        "state": "live", "reason": "", "key": None, "leaving_since": None, "counted": False, "due_at": None, "hold": "", "account_id": None,
    }  # fmt: skip
    return Standing(identity=identity, desired=desired, actual=actual, **values | more)


def link(store: Store, connection: str, identity: str, desired: bytes | None, actual: bytes | None, **more: Any) -> int:
    """Save the person's link as projection found it; its id."""
    links.save(store, connection, [standing(identity, desired, actual, **more)])
    return int(store.value("SELECT id FROM link WHERE connection = :one AND identity = :who", one=connection, who=identity))


def column(store: Store, table: str, name: str, **where: Any) -> list[Any]:
    """One column of the rows that answer, in order of their making; sorted where a table does not keep that order."""
    order = {"change": "seq", "entry": "seq", "account": "id", "link": "id", "pending": "id", "step": "id", "run": "id"}.get(table, "1")
    condition = " AND ".join(f"{key} IS NOT DISTINCT FROM :{key}" for key in where) or "TRUE"
    return [row[0] for row in store.rows(f"SELECT {name} FROM {table} WHERE {condition} ORDER BY {order}", **where)]


def change(run: int, id: str, identity: str, **more: Any) -> dict[str, Any]:
    """A planned update of the link 1 at app."""
    return {
        "run": run, "id": id, "connection": "app", "object": "user", "kind": "update", "identity": identity, "link_id": 1,
        "account_id": None, "account": None, "who": identity, "delta": "{}", "expects": None, "reason": "changed", "hold": "", "held": None,
        "state": "planned", "counted": True, "released": False, "cleared": None, "requests": 1, "revoke": False,
        "replaces": None, "evidence_at": None,
    } | more  # fmt: skip


def record(store: Store, *changes: Mapping[str, Any]) -> list[Any]:
    """Journal these changes; their rows."""
    journal.record(store, changes)
    rows = store.rows("SELECT * FROM change ORDER BY seq DESC LIMIT :n", n=len(changes))
    return list(reversed(rows))


def applied(store: Store, row: Any, at: datetime = NOW) -> None:
    """One request of this change was sent and took."""
    journal.settle_step(store, intended(store, row, at), "applied", None, at)
    journal.settle_change(store, row, "applied", None, at)


def intended(store: Store, row: Any, at: datetime = NOW) -> Intent:
    """One request of this change was sent; its step."""
    store.run(
        "INSERT INTO lease (connection, token, holder, until) VALUES (:name, 1, '', :until)"
        " ON CONFLICT (connection) DO UPDATE SET until = :until",
        name=row.connection, until=stamp(at + HOUR),
    )  # fmt: skip
    return journal.intend(store, row, 1, False, "POST /x", 1, at)


def plans(store: Store, ask: Callable[[], object]) -> list[str]:
    """How the database goes about every statement that ``ask`` sends."""
    sent: list[tuple[str, Any]] = []

    def remember(_connection: object, _cursor: object, statement: str, parameters: Any, _context: object, many: bool) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "EXPLAIN")):
            sent.append((statement, parameters[0] if many else parameters))

    event.listen(store.sql, "before_cursor_execute", remember)
    ask()
    event.remove(store.sql, "before_cursor_execute", remember)
    assert sent
    explained = [store.sql.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all() for statement, parameters in sent]
    return [row.detail for rows in explained for row in rows]


def states(store: Store) -> dict[str, str]:
    return {row.id: row.state for row in store.rows("SELECT id, state FROM change")}


def found(store: Store, connection: str = "app") -> list[str]:
    """Whose links are out of step."""
    return [row.identity for row in links.out_of_step(store, connection, 0)]


def put(store: Store, identity: str, **columns: Any) -> None:
    """Set columns of a person's link by hand."""
    names = ", ".join(f"{name} = :{name}" for name in columns)
    store.run(f"UPDATE link SET {names} WHERE identity = :who", who=identity, **columns)
