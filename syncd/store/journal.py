"""Plans and their outcomes: what was decided, what left, what came of it (planned -> sent -> settled)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store import entries
from syncd.store.database import Store
from syncd.store.entries import Intent
from syncd.store.lease import fence
from syncd.store.outcomes import doubt

_PLANNED = (
    "run", "id", "connection", "object", "kind", "identity", "link_id", "account_id", "account", "who", "delta", "expects", "reason",
    "hold", "held", "state", "counted", "released", "cleared", "requests", "revoke", "replaces", "evidence_at", "choices", "reverts",
    "wants",
)  # fmt: skip
_INSERT = f"INSERT INTO change ({', '.join(_PLANNED)}) VALUES ({', '.join(':' + name for name in _PLANNED)})"


def start_run(store: Store, mode: str, now: datetime) -> int:
    with store.transaction():
        store.run("INSERT INTO run (mode, started) VALUES (:mode, :now)", mode=mode, now=stamp(now))
        return int(store.value("SELECT MAX(id) FROM run"))


def reserve_run(store: Store, last: int, mode: str, now: datetime) -> int:
    """A run that is none, numbered behind ``last`` and all that are known: no number of an earlier run is given again."""
    run = max(last, int(store.value("SELECT COALESCE(MAX(id), 0) FROM run"))) + 1
    store.run("INSERT INTO run (id, mode, started, finished) VALUES (:run, :mode, :now, :now)", run=run, mode=mode, now=stamp(now))
    store.backend.behind("run", "id", run)
    return run


def record(store: Store, changes: Sequence[Mapping[str, Any]]) -> None:
    """Write planned changes: one mapping of the columns of `Change` each; ``choices``, ``reverts`` and ``wants`` may be missing."""
    store.many(_INSERT, [{"choices": None, "reverts": None, "wants": None, **change} for change in changes])


def in_state(
    store: Store, run: int, connection: str, state: str, after: int, limit: int = 500, *, object: str = "user"
) -> Sequence[Row[Any]]:  # fmt: skip
    """Changes of a run to objects of one kind in one state, in order of planning."""
    return store.rows(
        "SELECT * FROM change WHERE run = :run AND connection = :connection AND state = :state AND object = :object AND seq > :after"
        " ORDER BY seq LIMIT :limit",
        run=run, connection=connection, state=state, object=object, after=after, limit=limit,
    )  # fmt: skip


def ended(store: Store, run: int, connection: str, state: str, limit: int) -> Sequence[Row[Any]]:
    """The first ``limit`` changes of a run that ended in this state, containers too: (object, kind, who, error)."""
    return store.rows(
        "SELECT object, kind, who, error FROM change WHERE run = :run AND connection = :connection AND state = :state"
        " ORDER BY seq LIMIT :limit",
        run=run, connection=connection, state=state, limit=limit,
    )  # fmt: skip


def changes(store: Store, run: int, connection: str | None = None, kind: str | None = None) -> Iterator[Row[Any]]:
    """Every change of a plan, or those of one connection, or of one kind, in order of planning, streamed."""
    after = 0
    text = "SELECT * FROM change WHERE run = :run AND seq > :after"
    text += " AND connection = :connection" * (connection is not None) + " AND kind = :kind" * (kind is not None)
    while rows := store.rows(f"{text} ORDER BY seq LIMIT 1000", run=run, after=after, connection=connection, kind=kind):
        yield from rows
        after = rows[-1].seq


def tally(store: Store, run: int, connection: str, column: str = "kind") -> dict[str, int]:
    """How many user changes of a plan there are of each kind (or in each ``state``)."""
    rows = store.rows(
        f"SELECT {column} AS name, COUNT(*) AS n FROM change"
        f" WHERE run = :run AND connection = :connection AND object = 'user' GROUP BY {column} ORDER BY {column}",
        run=run, connection=connection,
    )  # fmt: skip
    return {row.name: row.n for row in rows}


def containers(store: Store, run: int, connection: str) -> int:
    """How many changes to containers of a plan passed."""
    return int(
        store.value(
            "SELECT COUNT(*) FROM change WHERE run = :run AND connection = :connection AND object <> 'user' AND state = 'passed'",
            run=run,
            connection=connection,
        )
    )


def applied(store: Store, run: int, connection: str) -> dict[str, int]:
    """How many user changes of each kind took: those of the run, and those of earlier runs of which it found out."""
    took = "connection = :connection AND state = 'applied' AND object = 'user'"
    rows = store.rows(
        f"SELECT kind, COUNT(*) AS n FROM (SELECT kind FROM change WHERE run = :run AND {took} AND recovered_by IS NULL"
        f" UNION ALL SELECT kind FROM change WHERE recovered_by = :run AND {took}) AS touched GROUP BY kind ORDER BY kind",
        run=run, connection=connection,
    )  # fmt: skip
    return {row.kind: row.n for row in rows}


def intend(
    store: Store, change: Row[Any], n: int, creates: bool, summary: str, token: int, now: datetime, of: int = 1
) -> Intent:  # fmt: skip
    """Before the request leaves: fence, step row, ledger entry cleared, in one transaction, which is a durable one."""
    with store.transaction():
        store.insist()
        fence(store, change.connection, token, now)
        store.run("UPDATE change SET state = 'sent' WHERE seq = :seq", seq=change.seq)
        if change.account_id is not None:
            store.run("UPDATE account SET digest = NULL, touched_at = :now WHERE id = :id", id=change.account_id, now=stamp(now))
        rows = store.rows(
            "INSERT INTO step (change, connection, n, creates, summary, token, sent_at, state)"
            " VALUES (:change, :connection, :n, :creates, :summary, :token, :now, 'sent') RETURNING id",
            change=change.seq, connection=change.connection, n=n, creates=creates, summary=summary, token=token, now=stamp(now),
        )  # fmt: skip
        if creates:
            doubt(store, change.connection, change.identity, int(rows[0].id))
    return Intent(int(rows[0].id), change, n, summary, of)


def settle_step(
    store: Store, intent: Intent, state: str, error: str | None, now: datetime, *, account: str | None = None, run: int | None = None
) -> None:  # fmt: skip
    """One that wrote something ends the first contact. ``account``: the one it made; ``run``: the one that found out, if it was not its
    own."""
    store.run(
        "UPDATE step SET state = :state, error = :error, settled_at = :now WHERE id = :id",
        id=intent.step,
        state=state,
        error=error,
        now=stamp(now),
    )
    if state == "applied":
        store.run("UPDATE connection SET settled = settled + 1 WHERE name = :name", name=intent.change.connection)
    entries.sent(store, intent, state, error, now, account=account, run=run)


def settle_change(store: Store, row: Row[Any], state: str, error: str | None, now: datetime) -> None:
    """The last word on a change: its ``state`` (see `Change`)."""
    asked = store.value(
        "UPDATE change SET state = :state, error = :error, settled_at = :now WHERE seq = :seq"
        " RETURNING EXISTS (SELECT 1 FROM step WHERE step.change = :seq)",
        seq=row.seq, state=state, error=error, now=stamp(now),
    )  # fmt: skip
    if not asked:
        entries.settled(store, row, state, error, now)


def recovered(store: Store, seq: int, run: int) -> None:
    """It was ``run`` that found this change of an earlier one done."""
    store.run("UPDATE change SET recovered_by = :run WHERE seq = :seq", seq=seq, run=run)


def open_steps(store: Store, connection: str) -> Sequence[Row[Any]]:
    """Changes with a step whose outcome is not known: left ``sent`` by a crash, or ``in_doubt``."""
    return store.rows(
        "SELECT s.id AS step, s.state AS step_state, s.creates, s.sent_at, s.settled_at AS doubted_at, s.n, s.summary, c.*"
        " FROM step AS s JOIN change AS c ON c.seq = s.change"
        " WHERE s.connection = :connection AND s.state IN ('sent', 'in_doubt') ORDER BY s.id",
        connection=connection,
    )  # fmt: skip


def lost_since(store: Store, connection: str, since: datetime) -> bool:
    """Whether the answer to an update or a deletion was lost after ``since``: what became of it the next listings show."""
    text = "SELECT 1 FROM step WHERE connection = :connection AND state = 'lost' AND settled_at > :since LIMIT 1"
    return store.one(text, connection=connection, since=stamp(since)) is not None


def passed(store: Store, run: int, connection: str) -> int:
    """How many changes of a plan, containers included, are to be sent."""
    of_these = "run = :run AND connection = :connection AND state = 'passed'"
    return int(store.value(f"SELECT COUNT(*) FROM change WHERE {of_these}", run=run, connection=connection))


def requests(store: Store, run: int, connection: str) -> int:
    """How many requests the passed changes of a plan will send."""
    return int(
        store.value(
            "SELECT COALESCE(SUM(requests), 0) FROM change WHERE run = :run AND connection = :connection AND state = 'passed'",
            run=run,
            connection=connection,
        )
    )


def mark_doubt(store: Store, intent: Intent, why: str, since: datetime, now: datetime, run: int | None = None) -> None:
    """The outcome of a step is unknown since its answer was lost. ``run``: the one that found out, if it was not its own."""
    known = store.value("SELECT state FROM step WHERE id = :id", id=intent.step) == "in_doubt"
    text = "UPDATE step SET state = 'in_doubt', error = :why, settled_at = :since WHERE id = :id"
    store.run(text, id=intent.step, why=why, since=stamp(since))
    if not known:
        entries.sent(store, intent, "in_doubt", why, now, run=run)


def state_of(store: Store, run: int, change: str) -> str | None:
    """The state of one change of a run."""
    state: str | None = store.value("SELECT state FROM change WHERE run = :run AND id = :id", run=run, id=change)
    return state


def first_reason(store: Store, run: int, connection: str) -> str:
    """The commonest reason why changes of a plan are held, or nothing."""
    row = store.one(
        "SELECT held, COUNT(*) AS n FROM change WHERE run = :run AND connection = :connection AND state = 'held'"
        " GROUP BY held ORDER BY n DESC, held LIMIT 1",
        run=run, connection=connection,
    )  # fmt: skip
    return str(row.held) if row is not None else ""


_MATCHED = (
    "SELECT c.account_id AS id, CASE WHEN c.hold IN ('untrusted', 'contradicted') THEN 0 ELSE 1 END AS sure"
    " FROM change AS c WHERE c.run = :run"
    " AND c.connection = :connection AND c.object = 'user' AND c.kind = 'adopt' AND c.hold NOT IN ('rehire', 'never')"
    " UNION ALL SELECT a.id, 0 FROM change AS c CROSS JOIN json_each(c.choices) AS choice CROSS JOIN account AS a"
    " WHERE c.run = :run AND c.connection = :connection AND c.hold = 'ambiguous'"
    " AND a.connection = c.connection AND a.account = choice.value AND a.object = 'user'"
)
"""The accounts that a plan finds to be somebody's: for sure, or only if a person says so."""


def adoptions(store: Store, run: int, connection: str) -> tuple[int, int]:
    """How many unlinked accounts a plan would adopt for sure, and how many more only a person can tell whose they are."""
    row = store.one(
        f"SELECT COUNT(*) AS n, COALESCE(SUM(sure), 0) AS sure FROM (SELECT id, MAX(sure) AS sure FROM ({_MATCHED}) AS matched"
        " WHERE NOT EXISTS (SELECT 1 FROM link AS l WHERE l.account_id = matched.id) GROUP BY id) AS found",
        run=run, connection=connection,
    )  # fmt: skip
    assert row is not None
    return int(row.sure), int(row.n) - int(row.sure)
