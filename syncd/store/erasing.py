"""Forgetting a departed person: everything the store knows of them goes, from its tables and from the bytes of its files.

What stays: that something happened (entries of the journal without their payloads; changes without names and values, so that limits count
as before), and an account that is still at its provider: its next listing shows it all the same. It then belongs to nobody's name, a
departed identity without attributes, so that it is neither made a second time nor given to anybody without a person's yes.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.errors import Busy
from syncd.store import chain, staging, stretches
from syncd.store.database import Store
from syncd.store.identities import journalled
from syncd.store.nameless import NAMELESS, UNCLEARED, uncleared

TELLING = 6
"""Characters from which on a value is looked for where somebody else is spoken of: a shorter one is found in anything."""
SAID = "(forgotten)"
_TEXTS = {
    "change": ("seq", "reason", "held", "error", "choices"), "step": ("id", "error"), "pending": ("id", "reason", "choices"),
    "link": ("id", "reason"), "connection": ("name", "defect", "error"),
}  # fmt: skip
"""Table -> its key, and what it says of one person that may name another: a taken address, an account that was missing."""


@dataclass(frozen=True, slots=True)
class Erased:
    """``alias``: under which what stays is kept. ``entries``: of the journal, that say nothing any more. ``stays``: (connection, account)
    of those that are still at their providers."""

    alias: str
    entries: int
    accounts: int
    stays: Sequence[tuple[str, str]]


def holdings(store: Store, identity: str) -> Sequence[Row[Any]]:
    """Their links, each with its account, if it has one that is not gone, and whether it is still to be projected."""
    return store.rows(
        "SELECT l.connection, l.state, l.reason, l.owned, l.doubt, l.due_at, l.desired IS DISTINCT FROM l.actual AS moving, a.account,"
        " a.id AS row, EXISTS (SELECT 1 FROM dirty AS d WHERE d.connection = l.connection AND d.identity = l.identity) AS dirty"
        " FROM connection AS n JOIN link AS l ON l.connection = n.name AND l.identity = :identity"
        " LEFT JOIN account AS a ON a.id = l.account_id AND a.gone_at IS NULL ORDER BY l.connection",
        identity=identity,
    )  # fmt: skip


def present(store: Store, identity: str) -> list[str]:
    """CONNECTION/ACCOUNT of their accounts at sources that are not gone."""
    text = "SELECT connection, account FROM account WHERE identity = :identity AND gone_at IS NULL ORDER BY connection, account"
    return [f"{row.connection}/{row.account}" for row in store.rows(text, identity=identity)]


def person(store: Store, identity: str) -> Row[Any] | None:
    return store.one("SELECT * FROM identity WHERE id = :identity", identity=identity)


def erase(store: Store, identity: str, now: datetime) -> Erased:
    """In the caller's transaction. Whether they may be forgotten the caller has asked (`holdings`)."""
    stays = [row for row in holdings(store, identity) if row.account is not None]
    ids = journalled(store, identity)
    names = _names(store, identity, ids)
    alias = identity if identity.startswith(NAMELESS) else NAMELESS + secrets.token_hex(6)
    gone = [
        row.id
        for row in store.rows(
            "SELECT id FROM account WHERE identity = :who OR owner = :who UNION SELECT account_id FROM link WHERE identity = :who"
            " AND account_id IS NOT NULL UNION SELECT a.id FROM word AS w JOIN account AS a ON a.id = w.account_id"
            " AND a.gone_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM link AS l WHERE l.account_id = a.id) WHERE w.identity = :who",
            who=identity,
        )
        if row.id not in {one.row for one in stays}
    ]
    _unname(store, identity, alias, [one.row for one in stays], now)
    _unsay(store, ids, alias)
    for table, column in (("account_key", "account_id"), ("word", "account_id"), ("account", "id")):
        store.run(f"DELETE FROM {table} WHERE {column} IN :ids", ids=gone)
    _blank(store, names)
    stretches.forget_all(store)
    entries = chain.erase(store, ids, "", now, also=_telling(store, names))
    uncleared(store, now)
    return Erased(alias, entries, len(gone), [(one.connection, one.account) for one in stays])


def clear(store: Store) -> bool:
    """Leave no byte of what was erased in the store's files; outside a transaction. False where nothing was erased since they were cleared.

    Raises Busy while another process reads them: what was erased is so all the same, and its bytes go with the next call.
    """
    if store.value("SELECT 1 FROM setting WHERE name = :name", name=UNCLEARED) is None:
        return False
    if not store.backend.purge():
        raise Busy(
            "forgotten; but another process reads the store, and what was erased stands in its files still\n"
            "  when it has ended, type the same again: that clears them"
        )
    with store.transaction():
        store.run("DELETE FROM setting WHERE name = :name", name=UNCLEARED)
    return True


def _names(store: Store, identity: str, ids: Sequence[str]) -> set[str]:
    """What only they are called by: their ids, their accounts, the keys that nobody else has, and what they were called in plans."""
    rows = store.rows(
        "SELECT :who AS name UNION SELECT key FROM identity_key AS k WHERE identity = :who AND NOT EXISTS (SELECT 1 FROM identity_key AS o"
        " WHERE o.attribute = k.attribute AND o.key = k.key AND o.identity <> :who)"
        " UNION SELECT account FROM account WHERE identity = :who OR owner = :who"
        " UNION SELECT a.account FROM link AS l JOIN account AS a ON a.id = l.account_id WHERE l.identity = :who"
        " UNION SELECT who FROM change AS c WHERE identity IN :ids AND NOT EXISTS (SELECT 1 FROM identity_key AS o"
        " WHERE o.key = LOWER(c.who) AND o.identity <> :who)",
        who=identity, ids=list(ids),
    )  # fmt: skip
    return {row.name for row in rows if len(row.name) >= TELLING or "@" in row.name}


def _unname(store: Store, identity: str, alias: str, stays: Sequence[int], now: datetime) -> None:
    """Only what they still have keeps a link, to nobody in particular: not owned, so that nothing is ever written there."""
    values = {"who": identity, "alias": alias}
    store.run("DELETE FROM link WHERE identity = :who AND (account_id IS NULL OR account_id NOT IN :stays)", who=identity, stays=stays)
    store.run(
        "UPDATE link SET identity = :alias, owned = FALSE, state = 'frozen', reason = 'not owned by syncd', key = NULL, settled = NULL,"
        " written = NULL, echo = NULL, tried_desired = NULL, tried_actual = NULL, refused_desired = NULL, refused_actual = NULL,"
        " due_at = NULL, leaving_since = NULL, hold = '', failures = 0, retry_at = NULL WHERE identity = :who",
        **values,
    )  # fmt: skip
    store.run("UPDATE account SET document = NULL, reading = NULL, identity = NULL, owner = NULL WHERE id IN :stays", stays=stays)
    for table, column in (
        ("identity_key", "identity"),
        ("dirty", "identity"),
        ("word", "identity"),
        ("pending", "identity"),
        ("identity", "id"),
    ):
        store.run(f"DELETE FROM {table} WHERE {column} = :who", who=identity)
    if stays:
        store.run(
            "INSERT INTO identity (id, attributes, live, ignored, forgotten, departed_at) VALUES (:alias, '{}', 'departed', FALSE, FALSE,"
            " :now)",
            alias=alias, now=stamp(now),
        )  # fmt: skip
        store.run("INSERT INTO dirty (connection, identity) SELECT connection, identity FROM link WHERE identity = :alias", alias=alias)
        for row in store.rows("SELECT connection FROM link WHERE identity = :alias", alias=alias):
            staging.distrust(store, row.connection)


def _unsay(store: Store, ids: Sequence[str], alias: str) -> None:
    """What was done to them was done to somebody."""
    values = {"ids": list(ids), "alias": alias}
    store.run("UPDATE step SET error = NULL WHERE change IN (SELECT seq FROM change WHERE identity IN :ids)", ids=list(ids))
    store.run(
        "UPDATE change SET identity = :alias, account = NULL, who = :said, delta = '{}', expects = NULL, reason = :said, held = NULL,"
        " error = NULL, choices = NULL WHERE identity IN :ids",
        said=SAID, **values,
    )  # fmt: skip


def _blank(store: Store, names: Collection[str]) -> None:
    """Take their names out of what is said of others."""
    pattern = _pattern(names)
    for table, (key, *columns) in _TEXTS.items():
        for column in columns:
            for row, text in list(_mentioning(store, table, key, column, pattern)):
                store.run(f"UPDATE {table} SET {column} = :text WHERE {key} = :row", row=row, text=pattern.sub(SAID, text))


def _mentioning(store: Store, table: str, key: str, column: str, pattern: re.Pattern[str]) -> Iterator[tuple[Any, str]]:
    after: Any = "" if key == "name" else 0
    while rows := store.rows(
        f"SELECT {key} AS place, {column} AS text FROM {table} WHERE {key} > :after ORDER BY {key} LIMIT 5000", after=after
    ):
        after = rows[-1].place
        yield from ((one.place, one.text) for one in rows if one.text and pattern.search(one.text))


def _telling(store: Store, names: Collection[str]) -> list[int]:
    """Entries about others, or about nobody, that name them."""
    return [row for row, _ in _mentioning(store, "payload", "entry", "body", _pattern(names))]


def _pattern(names: Collection[str]) -> re.Pattern[str]:
    """Any of these, whole, in whatever letters."""
    return re.compile(rf"(?<![\w@.-])(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})(?![\w@-])", re.IGNORECASE)
