"""The door by which accounts enter: known bytes are recognised, new ones upserted, a complete listing sealed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store.database import Store


@dataclass(frozen=True, slots=True)
class Staged:
    """One account ready to be stored: place and bytes in the listing, documents as JSON text, keys as (attribute, key, trusted)."""

    account: str
    ordinal: int
    digest: bytes | None
    document: str | None
    reading: str | None
    version: str | None
    ignored: bool
    keys: Sequence[tuple[str, str, bool]]
    object: str = "user"
    container: str | None = None


def begin(store: Store, connection: str, now: datetime) -> int:
    """A new listing of ``connection`` starts: incomplete until sealed. Returns its number."""
    with store.transaction():
        store.run(
            "UPDATE connection SET listing = listing + 1, attempted_at = :now, complete = FALSE, defect = 'not read to its end', error = ''"
            " WHERE name = :name",
            name=connection, now=stamp(now),
        )  # fmt: skip
        return int(store.value("SELECT listing FROM connection WHERE name = :name", name=connection))


def ledger(store: Store, connection: str, after: tuple[int, int], limit: int) -> Sequence[Row[Any]]:
    """The next known records behind place ``after`` = (ordinal, id): rows of (ordinal, id, digest), in the order of the last listing."""
    return store.rows(
        "SELECT ordinal, id, digest FROM account WHERE connection = :connection AND (ordinal, id) > (:ordinal, :id)"
        " ORDER BY ordinal, id LIMIT :limit",
        connection=connection, ordinal=after[0], id=after[1], limit=limit,
    )  # fmt: skip


_UPSERT = """
INSERT INTO account (connection, object, account, container, ordinal, digest, document, reading, version, ignored, missing_times)
VALUES (:connection, :object, :account, :container, :ordinal, :digest, :document, :reading, :version, :ignored, 0)
ON CONFLICT (connection, object, account) DO UPDATE SET ordinal = excluded.ordinal, digest = excluded.digest,
document = excluded.document, reading = excluded.reading, version = excluded.version, ignored = excluded.ignored, gone_at = NULL,
container = excluded.container, missing_since = NULL, missing_times = 0
"""


def upsert(store: Store, connection: str, staged: Sequence[Staged]) -> dict[str, int]:
    """Store new or changed accounts (one transaction of the caller); provider id -> row id. What was gone is back; the last view wins."""
    staged = list({one.account: one for one in staged}.values())
    store.many(
        _UPSERT,
        [
            {
                "connection": connection, "object": one.object, "account": one.account, "container": one.container, "ordinal": one.ordinal,
                "digest": one.digest, "document": one.document, "reading": one.reading, "version": one.version, "ignored": one.ignored,
            }
            for one in staged
        ],
    )  # fmt: skip
    ids = row_ids(store, connection, [one.account for one in staged])
    store.run("DELETE FROM account_key WHERE account_id IN :ids", ids=list(ids.values()))
    store.many(
        "INSERT INTO account_key (account_id, attribute, connection, key, trusted) VALUES (:id, :attribute, :connection, :key, :trusted)",
        [
            {"id": ids[one.account], "attribute": attribute, "connection": connection, "key": key, "trusted": trusted}
            for one in staged
            for attribute, key, trusted in one.keys
        ],
    )
    return ids


def row_ids(store: Store, connection: str, accounts: Sequence[str]) -> dict[str, int]:
    """Provider id -> row id, for those that are known."""
    text = "SELECT id, account FROM account WHERE connection = :connection AND account IN :accounts"
    return {row.account: row.id for row in store.rows(text, connection=connection, accounts=list(accounts))}


def known_digests(store: Store, connection: str, accounts: Sequence[str]) -> dict[str, tuple[int, bytes]]:
    """Provider id -> (row id, digest), for those whose bytes are known."""
    rows = store.rows(
        "SELECT id, account, digest FROM account WHERE connection = :connection AND account IN :accounts AND digest IS NOT NULL",
        connection=connection, accounts=list(accounts),
    )  # fmt: skip
    return {row.account: (row.id, row.digest) for row in rows}


def mark_linked(store: Store, ids: Sequence[int]) -> None:
    """The links of these accounts are to be projected again."""
    store.run(
        "INSERT INTO dirty (connection, identity) SELECT connection, identity FROM link WHERE account_id IN :ids ON CONFLICT DO NOTHING",
        ids=list(ids),
    )


def recent_tombstones(store: Store, connection: str, accounts: Sequence[str], since: datetime) -> set[str]:
    """Those of ``accounts`` that syncd itself deleted after ``since``: a lagging list may still show them."""
    rows = store.rows(
        "SELECT account FROM account WHERE connection = :connection AND account IN :accounts AND gone_at > :since AND touched_at > :since",
        connection=connection, accounts=list(accounts), since=stamp(since),
    )  # fmt: skip
    return {row.account for row in rows}


def forget_strangers(store: Store, ids: Sequence[int]) -> None:
    """Unlinked accounts that correlate with nobody keep no attributes: they are not ours to store."""
    store.run(
        "UPDATE account SET document = NULL WHERE id IN :ids AND document IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM link WHERE link.account_id = account.id)"
        " AND NOT EXISTS (SELECT 1 FROM account_key AS a JOIN identity_key AS i ON i.attribute = a.attribute AND i.key = a.key"
        " WHERE a.account_id = account.id)",
        ids=list(ids),
    )


def moved(store: Store, places: Sequence[tuple[int, int]]) -> None:
    """Known records that stand elsewhere in the listing now: (row id, ordinal)."""
    store.many("UPDATE account SET ordinal = :ordinal WHERE id = :id", [{"id": row, "ordinal": ordinal} for row, ordinal in places])


def present(store: Store, connection: str) -> Iterator[Row[Any]]:
    """Every account believed to exist: rows of (id, account, container, touched_at, ordinal), streamed in the order of the last listing."""
    place = (-1, 0)
    while True:
        rows = store.rows(
            "SELECT id, account, container, touched_at, ordinal FROM account"
            " WHERE connection = :connection AND (ordinal, id) > (:ordinal, :id) AND gone_at IS NULL ORDER BY ordinal, id LIMIT 20000",
            connection=connection, ordinal=place[0], id=place[1],
        )  # fmt: skip
        yield from rows
        if len(rows) < 20000:
            return
        place = (rows[-1].ordinal, rows[-1].id)


def gone(store: Store, ids: Sequence[int], now: datetime) -> None:
    """These accounts are proven absent; their links lose their account, so that what is still desired is made again."""
    store.run(
        "UPDATE account SET gone_at = :now, digest = NULL, document = NULL, missing_since = NULL, missing_times = 0 WHERE id IN :ids",
        ids=list(ids), now=stamp(now),
    )  # fmt: skip
    store.run("DELETE FROM account_key WHERE account_id IN :ids", ids=list(ids))
    mark_linked(store, ids)


def missed(store: Store, ids: Sequence[int], now: datetime) -> None:
    """One more complete listing lacked these accounts, of which nothing proves that they are gone."""
    store.run(
        "UPDATE account SET missing_since = COALESCE(missing_since, :now), missing_times = missing_times + 1 WHERE id IN :ids",
        ids=list(ids), now=stamp(now),
    )  # fmt: skip


def missing(store: Store, connection: str) -> list[int]:
    """Row ids of the accounts that complete listings lack by now."""
    return [row.id for row in store.rows("SELECT id FROM account WHERE connection = :name AND missing_since IS NOT NULL", name=connection)]


def found(store: Store, ids: Sequence[int]) -> None:
    """These accounts are not missing any more."""
    store.run("UPDATE account SET missing_since = NULL, missing_times = 0 WHERE id IN :ids", ids=list(ids))


def faded(store: Store, ids: Sequence[int], times: int, since: datetime) -> list[int]:
    """Those of ``ids`` that at least so many complete listings lacked, the first of them no later than ``since``."""
    rows = store.rows(
        "SELECT id FROM account WHERE id IN :ids AND missing_times >= :times AND missing_since <= :since",
        ids=list(ids), times=times, since=stamp(since),
    )  # fmt: skip
    return [row.id for row in rows]


def finish(store: Store, connection: str, now: datetime, *, defect: str, accounts: int, pages: int) -> None:
    """The listing ended; it is sealed (complete) only without a ``defect``."""
    with store.transaction():
        store.run(
            "UPDATE connection SET complete = :complete, defect = :defect, accounts = :accounts, pages = :pages, last_delta = :now,"
            " sealed_at = CASE WHEN :complete THEN :now ELSE sealed_at END, last_full = CASE WHEN :complete THEN :now ELSE last_full END"
            " WHERE name = :name",
            name=connection, complete=not defect, defect=defect, accounts=accounts, pages=pages, now=stamp(now),
        )  # fmt: skip


def back_unread(store: Store, connection: str, accounts: Sequence[str]) -> list[int]:
    """Tombstones among ``accounts`` whose record stands in a listing again, unreadable: they exist, nothing else is known. Row ids."""
    rows = store.rows(
        "SELECT id FROM account WHERE connection = :connection AND account IN :accounts AND gone_at IS NOT NULL",
        connection=connection, accounts=list(accounts),
    )  # fmt: skip
    ids = [row.id for row in rows]
    store.run("UPDATE account SET gone_at = NULL, reading = NULL WHERE id IN :ids", ids=ids)
    return ids


def void_ledger(store: Store, connection: str) -> None:
    """The reading of records changed: no bytes are known any more."""
    store.run("UPDATE account SET digest = NULL WHERE connection = :connection", connection=connection)


def document(store: Store, row: int) -> str | None:
    """The stored attributes of one account, JSON text; None where only its keys are kept."""
    text: str | None = store.value("SELECT document FROM account WHERE id = :id", id=row)
    return text


def keep_document(store: Store, row: int, text: str) -> None:
    """This account is somebody's now: its attributes are needed."""
    store.run("UPDATE account SET document = :document WHERE id = :id", document=text, id=row)


def last_count(store: Store, connection: str) -> int:
    """How many records the last listing had."""
    return int(store.value("SELECT accounts FROM connection WHERE name = :name", name=connection) or 0)
