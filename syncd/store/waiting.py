"""What waits for a person: held, in doubt, quarantined, rejected; releasing it and saying no to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store.conditions import out_of_step
from syncd.store.database import Store
from syncd.store.outcomes import PATIENCE

RELEASE_LASTS = timedelta(hours=24)
"""A release that no run used within this time is void (contract: "unused after 24 h they are held again")."""

_UPSERT = (
    "INSERT INTO pending (change, connection, object, kind, identity, link_id, account, who, state, hold, reason, run, seen, since,"
    " choices) {rows} ON CONFLICT (connection, change) DO UPDATE SET seen = excluded.seen, reason = excluded.reason,"
    " hold = CASE WHEN excluded.hold = '' AND pending.released_at IS NOT NULL THEN pending.hold ELSE excluded.hold END,"
    " state = excluded.state, account = excluded.account, who = excluded.who, choices = excluded.choices"
)
_OF_CONTAINER = ("id", "connection", "object", "kind", "identity", "account", "who", "reason", "run")
_HELD = _UPSERT.format(
    rows="SELECT id, connection, object, kind, identity, link_id, account, who,"
    " CASE WHEN state = 'in_doubt' THEN state ELSE 'held' END, hold, COALESCE(held, error, reason), run, run, :now, choices"
    " FROM change WHERE run = :run AND connection = :connection"
    " AND (state IN ('held', 'in_doubt') OR (released AND state NOT IN ('applied', 'rejected'))) ORDER BY seq"
)
_REFUSED = _UPSERT.format(
    rows="SELECT COALESCE(c.id, 'link:' || l.id), l.connection, 'user', COALESCE(c.kind, ''), l.identity, l.id, a.account,"
    f" COALESCE(c.who, k.key, l.identity), CASE WHEN l.failures >= {PATIENCE} THEN 'quarantined' ELSE 'rejected' END, '',"
    " COALESCE(c.error, l.reason), :run, :run, :now, NULL"
    " FROM link AS l LEFT JOIN account AS a ON a.id = l.account_id"
    " LEFT JOIN identity_key AS k ON k.identity = l.identity AND k.attribute = 'userName'"
    " LEFT JOIN change AS c ON l.failures > 0 AND c.seq = (SELECT MAX(x.seq) FROM change AS x"
    " WHERE x.identity = l.identity AND x.connection = l.connection AND x.state = 'rejected')"
    " WHERE l.connection = :connection AND (l.state = 'rejected' OR l.failures > 0) AND NOT EXISTS (SELECT 1 FROM change AS h"
    " WHERE h.identity = l.identity AND h.connection = l.connection AND h.run = :run AND h.state = 'held')"
    " AND NOT EXISTS (SELECT 1 FROM pending AS p WHERE p.connection = l.connection AND p.link_id = l.id AND p.state = 'held'"
    " AND l.identity NOT IN (SELECT identity FROM change WHERE run = :run AND connection = :connection))"
)
"""Who was refused once and is held now, or was when a run last judged them, waits for a release, and is shown as held: as a refusal nobody
could let it go."""
_REFUSED_CONTAINERS = _UPSERT.format(
    rows="SELECT id, connection, object, kind, identity, link_id, account, who, 'rejected', '', error, run, run, :now, NULL"
    " FROM change WHERE run = :run AND connection = :connection AND object <> 'user' AND state = 'rejected'"
)
_DOUBT = _UPSERT.format(
    rows="SELECT c.id, c.connection, c.object, c.kind, c.identity, c.link_id, c.account, c.who, 'in_doubt', '',"
    " COALESCE(s.error, 'no answer came'), c.run, :run, :now, NULL"
    " FROM step AS s JOIN change AS c ON c.seq = s.change WHERE s.connection = :connection"
    " AND s.state IN ('sent', 'in_doubt') AND s.state = 'in_doubt'"  # the first half names the condition of the partial index
)


_SETTLED = (
    "DELETE FROM pending WHERE connection = :connection AND seen <> :run AND NOT (state = 'held'"
    f" AND EXISTS (SELECT 1 FROM link AS l WHERE l.id = pending.link_id AND {out_of_step('l.')})"
    " AND identity NOT IN (SELECT identity FROM change WHERE run = :run AND connection = :connection))"
    " AND (:whole OR (change NOT LIKE 'record:%' AND object = 'user'))"
    " AND NOT (state = 'kept' AND EXISTS (SELECT 1 FROM link AS l WHERE l.id = pending.link_id"
    " AND (l.refused_desired IS NOT NULL OR l.refused_actual IS NOT NULL)))"
)


_ANYTHING = (
    "SELECT EXISTS (SELECT 1 FROM change WHERE run = :run AND connection = :connection)"
    " OR EXISTS (SELECT 1 FROM pending WHERE connection = :connection)"
    " OR EXISTS (SELECT 1 FROM link WHERE connection = :connection AND (state = 'rejected' OR failures > 0))"
    " OR EXISTS (SELECT 1 FROM step WHERE connection = :connection AND state IN ('sent', 'in_doubt'))"
)
"""Whether there is anything at all from which what waits could be told."""
_VOID = (
    "UPDATE pending SET released_at = NULL WHERE connection = :connection AND released_at IS NOT NULL AND (released_at <= :since"
    " OR (released_at <= (SELECT started FROM run WHERE id = :run)"
    " AND change IN (SELECT id FROM change WHERE run = :run AND connection = :connection AND state = 'held')))"
)


def refresh(store: Store, run: int, connection: str, now: datetime, *, whole: bool = True) -> None:
    """After a cycle: what still waits stays with the run that first found it, what does not wait any more goes.

    What this run could not judge (no evidence, a target that refuses; a record that was not listed again, unless the ``whole`` of the
    directory was) stays as it was. A release is void when nobody used it in time, or when it could not help.
    """
    values = {"run": run, "connection": connection, "now": stamp(now)}
    if not store.value(_ANYTHING, run=run, connection=connection):
        return
    with store.transaction(durable=False):
        store.run(_HELD, **values)
        store.run(_REFUSED, **values)
        store.run(_REFUSED_CONTAINERS, **values)
        store.run(_DOUBT, **values)
        store.run(_SETTLED, connection=connection, run=run, whole=whole)
        store.run(_VOID, connection=connection, run=run, since=stamp(now - RELEASE_LASTS))


def flaw(store: Store, run: int, connection: str, flaws: Sequence[Mapping[str, str | None]], now: datetime) -> None:
    """Records that could not be read: {where, reason, id}; of several of one account the last tells why."""
    changes = {f"record:{one['id'] or one['where']}": one for one in flaws}
    store.many(
        "INSERT INTO pending (change, connection, object, kind, account, who, state, hold, reason, run, seen, since)"
        " VALUES (:change, :connection, 'user', '', :account, :who, 'rejected', '', :reason, :run, :run, :now)"
        " ON CONFLICT (connection, change) DO UPDATE SET seen = excluded.seen, reason = excluded.reason",
        [
            {
                "change": change, "connection": connection, "account": one["id"],
                "who": one["id"] or str(one["where"]), "reason": f"{one['where']}: {one['reason']}", "run": run, "now": stamp(now),
            }
            for change, one in changes.items()
        ],
    )  # fmt: skip


def unreadable(store: Store, connection: str) -> dict[str, str | None]:
    """Records that could not be read when they were last listed: what each is called -> its account, where that is known."""
    text = "SELECT who, account FROM pending WHERE connection = :connection AND change LIKE 'record:%' ORDER BY id"
    return {row.who: row.account for row in store.rows(text, connection=connection)}


def mended(store: Store, connection: str, accounts: Sequence[str]) -> None:
    """The records of these accounts can be read (again)."""
    store.run(
        "DELETE FROM pending WHERE connection = :connection AND change IN :changes",
        connection=connection, changes=[f"record:{account}" for account in accounts],
    )  # fmt: skip


def released(store: Store, connection: str, changes: Sequence[str], now: datetime) -> dict[str, str]:
    """Those of these change ids that a person let go within `RELEASE_LASTS`, each with the hold from which it was."""
    rows = store.rows(
        "SELECT change, hold FROM pending WHERE connection = :connection AND change IN :changes AND released_at > :since",
        connection=connection, changes=list(changes), since=stamp(now - RELEASE_LASTS),
    )  # fmt: skip
    return {row.change: str(row.hold) for row in rows}


def listing(store: Store, connections: Sequence[str] | None = None, state: str | None = None) -> Sequence[Row[Any]]:
    """All that waits, oldest first, with the ``retry_at`` of its link; what a person keeps as it is does not."""
    where = ["p.state <> 'kept'"]
    values: dict[str, Any] = {}
    if connections is not None:
        where.append("p.connection IN :connections")
        values["connections"] = list(connections)
    if state is not None:
        where.append("p.state = :state")
        values["state"] = state
    text = "SELECT p.*, l.retry_at FROM pending AS p LEFT JOIN link AS l ON l.id = p.link_id"
    return store.rows(f"{text} WHERE {' AND '.join(where)} ORDER BY p.run, p.connection, p.id", **values)


def count(store: Store, connection: str) -> dict[str, int]:
    """How many wait in each state; what was released and is only waiting for its run is not counted as held."""
    rows = store.rows(
        "SELECT state, COUNT(*) AS n FROM pending WHERE connection = :connection AND state <> 'kept'"
        " AND (state <> 'held' OR released_at IS NULL) GROUP BY state ORDER BY state",
        connection=connection,
    )
    return {row.state: row.n for row in rows}


def of_run(store: Store, run: int, *, kept: bool = False) -> Sequence[Row[Any]]:
    """What this run was the first to hold, that to which a person said no included or not."""
    states = ["held", "kept"] if kept else ["held"]
    return store.rows("SELECT * FROM pending WHERE run = :run AND state IN :states ORDER BY id", run=run, states=states)


def release(store: Store, ids: Sequence[int], now: datetime) -> None:
    """A person lets these pending rows go; the next run sends them."""
    with store.transaction():
        take_back(store, ids)
        store.run("UPDATE pending SET released_at = :now WHERE id IN :ids", ids=list(ids), now=stamp(now))


def let_go(store: Store, run: int, connection: str, hold: str, kinds: Sequence[str], now: datetime) -> int:
    """A person agreed to what a run holds for this one reason: its changes of these kinds pass, uncounted, and stay released until they
    have settled. How many."""
    values = {"run": run, "connection": connection, "hold": hold, "kinds": list(kinds)}
    store.run(
        "INSERT INTO pending (change, connection, object, kind, identity, link_id, account, who, state, hold, reason, run, seen, since,"
        " released_at) SELECT id, connection, object, kind, identity, link_id, account, who, 'held', hold, reason, run, 0, :now, :now"
        " FROM change WHERE run = :run AND connection = :connection AND kind IN :kinds AND state = 'held' AND hold = :hold"
        " ON CONFLICT (connection, change) DO UPDATE SET released_at = :now, hold = excluded.hold",
        **values, now=stamp(now),
    )  # fmt: skip
    return store.run(
        "UPDATE change SET state = 'passed', released = TRUE, hold = '', held = NULL"
        " WHERE run = :run AND connection = :connection AND kind IN :kinds AND state = 'held' AND hold = :hold",
        **values,
    )


def refuse(store: Store, ids: Sequence[int]) -> None:
    """A person's no to held changes, remembered with the pair (desired, actual) until either side moves or it is taken back.

    A deletion that waits for the answer about a rehire is not what was asked: with a no it goes its way.
    """
    asked = "id IN :ids AND state = 'held' AND NOT (kind = 'delete' AND hold = 'rehire')"
    of_these = f"IN (SELECT link_id FROM pending WHERE {asked})"
    with store.transaction():
        store.run(f"UPDATE link SET refused_desired = desired, refused_actual = actual, failures = 0 WHERE id {of_these}", ids=list(ids))
        store.run(f"UPDATE pending SET state = 'kept', released_at = NULL WHERE {asked}", ids=list(ids))


def settled(store: Store, ids: Sequence[int]) -> None:
    """These wait no more: a person said what came of them."""
    store.run("DELETE FROM pending WHERE id IN :ids", ids=list(ids))


def in_vain(store: Store, change: Mapping[str, Any], now: datetime) -> None:
    """A change to a container that would be planned again, but was just answered with success and did not take."""
    store.run(
        "INSERT INTO pending (change, connection, object, kind, identity, link_id, account, who, state, hold, reason, run, seen, since)"
        " VALUES (:id, :connection, :object, :kind, :identity, 0, :account, :who, 'rejected', 'vain', :reason, :run, :run, :now)"
        " ON CONFLICT (connection, change) DO UPDATE SET state = 'rejected', hold = 'vain', reason = excluded.reason, seen = excluded.seen",
        now=stamp(now), **{name: change[name] for name in _OF_CONTAINER},
    )  # fmt: skip


def answered(store: Store, run: int, connection: str, changes: Sequence[str]) -> set[str]:
    """Those of these changes to containers to which a person said no, or that were tried in vain: they stay so."""
    rows = store.rows(
        "UPDATE pending SET seen = :run WHERE connection = :connection AND change IN :changes AND (state = 'kept' OR hold = 'vain')"
        " RETURNING change",
        run=run, connection=connection, changes=list(changes),
    )  # fmt: skip
    return {row.change for row in rows}


def take_back(store: Store, ids: Sequence[int]) -> None:
    """The no to these changes does not hold any more: they wait again."""
    of_these = "IN (SELECT link_id FROM pending WHERE id IN :ids AND state = 'kept')"
    with store.transaction():
        store.run(f"UPDATE link SET refused_desired = NULL, refused_actual = NULL WHERE id {of_these}", ids=list(ids))
        store.run("UPDATE pending SET state = 'held' WHERE id IN :ids AND state = 'kept'", ids=list(ids))


def kept_by_person(store: Store, connection: str) -> int:
    """Links that a person's no keeps as they are."""
    return int(
        store.value(
            "SELECT COUNT(*) FROM link WHERE connection = :connection AND (refused_desired IS NOT NULL OR refused_actual IS NOT NULL)"
            " AND desired IS NOT DISTINCT FROM refused_desired AND actual IS NOT DISTINCT FROM refused_actual",
            connection=connection,
        )
    )
