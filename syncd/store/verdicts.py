"""What of a plan may be sent: held, passed, dropped or skipped."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from syncd.store import entries
from syncd.store.database import Store


def hold(store: Store, run: int, connection: str, kinds: Sequence[str], code: str, reason: str, *, uncounted: bool = True) -> int:
    """Hold what is still planned of these kinds, ``uncounted`` changes too or not; how many."""
    return store.run(
        "UPDATE change SET state = 'held', hold = :code, held = :reason WHERE run = :run AND connection = :connection AND kind IN :kinds"
        " AND state = 'planned' AND NOT released AND (counted OR :uncounted)",
        run=run, connection=connection, kinds=list(kinds), code=code, reason=reason, uncounted=uncounted,
    )  # fmt: skip


def hold_rows(store: Store, seqs: Sequence[int], code: str, reason: str) -> None:
    store.run(
        "UPDATE change SET state = 'held', hold = :code, held = :reason WHERE seq IN :seqs", seqs=list(seqs), code=code, reason=reason
    )


def explain(store: Store, seq: int, reason: str) -> None:
    """Why a change is planned, and what will come of it."""
    store.run("UPDATE change SET reason = :reason WHERE seq = :seq", seq=seq, reason=reason)


def drop_unsent(store: Store, run: int, connection: str) -> None:
    """What earlier runs planned, held or passed and never sent is planned anew in every run: only the last time is kept."""
    earlier = "connection = :connection AND run < :run AND state IN ('planned', 'held', 'passed')"
    store.run(f"DELETE FROM change WHERE {earlier}", connection=connection, run=run)


def hold_asked(store: Store, run: int, connection: str) -> None:
    """No account is ended that another person takes over, nor deleted while it is asked whether another takes it over.

    In the first case the leaver has none any more; in the second the deletion waits for the answer, whatever was released before.
    """
    adoptions = "FROM change AS a WHERE a.run = :run AND a.connection = :connection AND a.kind = 'adopt' AND a.state = {state}"
    taken, asked = adoptions.format(state="'planned'"), adoptions.format(state="'held'") + " AND a.hold = 'rehire'"
    ends = "run = :run AND connection = :connection AND kind IN :kinds AND account_id IN (SELECT a.account_id {of})"
    store.run(f"DELETE FROM change WHERE {ends.format(of=taken)}", run=run, connection=connection, kinds=["delete", "disable"])
    store.run(
        "UPDATE change SET state = 'held', hold = 'rehire', released = FALSE,"
        f" held = (SELECT a.held {asked} AND a.account_id = change.account_id) WHERE {ends.format(of=asked)}",
        run=run, connection=connection, kinds=["delete"],
    )  # fmt: skip


def postpone(store: Store, run: int, connection: str, kind: str, why: str, now: datetime) -> int:
    """Changes of this kind are not for this run, released or not; how many."""
    which = "run = :run AND connection = :connection AND kind = :kind AND state = 'planned' AND object = 'user'"
    return _skip(store, run, which, why, now, {"connection": connection, "kind": kind})


def pass_rest(store: Store, run: int, connection: str) -> None:
    """What nothing holds may be sent."""
    store.run(
        "UPDATE change SET state = 'passed' WHERE run = :run AND connection = :connection AND state = 'planned'",
        run=run,
        connection=connection,
    )


def keep(store: Store, run: int, identities: Collection[str]) -> dict[str, tuple[int, int]]:
    """Only the changes to these people are of this plan. Connection -> how many others would have been sent, and held."""
    others = "FROM change WHERE run = :run AND object = 'user' AND identity NOT IN :identities"
    text = f"SELECT connection, state, COUNT(*) AS n {others} GROUP BY connection, state ORDER BY connection"
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in store.rows(text, run=run, identities=list(identities)):
        found[row.connection][row.state] = row.n
    store.run(f"DELETE {others}", run=run, identities=list(identities))
    return {name: (states["passed"], states["held"]) for name, states in found.items()}


def cap(store: Store, run: int, most: int, why: str, now: datetime) -> None:
    """Only the first ``most`` of the changes to users that passed are sent."""
    passed = "run = :run AND state = 'passed' AND object = 'user'"
    beyond = f"{passed} AND seq NOT IN (SELECT seq FROM change WHERE {passed} ORDER BY seq LIMIT :most)"
    _skip(store, run, beyond, why, now, {"most": most})


def skip(store: Store, run: int, connection: str, why: str, now: datetime) -> None:
    """What passed and was not sent in this run."""
    _skip(store, run, "run = :run AND connection = :connection AND state = 'passed'", why, now, {"connection": connection})


def _skip(store: Store, run: int, which: str, why: str, now: datetime, values: Mapping[str, Any]) -> int:
    """One entry for each connection: who is meant, the changes themselves say."""
    for row in store.rows(
        f"SELECT connection, COUNT(*) AS n FROM change WHERE {which} GROUP BY connection ORDER BY connection", run=run, **values
    ):
        entries.left_out(store, run, row.connection, row.n, why, now)
    return store.run(f"UPDATE change SET state = 'skipped', error = :why WHERE {which}", run=run, why=why, **values)
