"""The door by which accounts enter: known bytes are recognised, new ones upserted, a complete listing sealed."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store import nameless, stretches, words
from syncd.store.database import Store
from syncd.store.nameless import IS_NAMELESS


@dataclass(frozen=True, slots=True)
class Staged:
    """One account ready to be stored: place and bytes in the listing, documents as JSON text, keys as (attribute, key, trusted).

    ``ordinal``: None where no listing of everything shows it; it stays in its place then, or waits behind all others for one.
    ``run`` and ``page``: where it was read; no page where it is the answer to a request.
    """

    account: str
    ordinal: int | None
    digest: bytes | None
    document: str | None
    reading: str | None
    version: str | None
    ignored: bool
    keys: Sequence[tuple[str, str, bool]]
    object: str = "user"
    container: str | None = None
    run: int | None = None
    page: int | None = None


def begin(store: Store, connection: str, now: datetime, *, delta: bool = False) -> int:
    """A new listing of ``connection`` starts: incomplete until sealed; a ``delta`` leaves the last one what it is. Returns its number."""
    with store.transaction(durable=False):
        store.run(
            "UPDATE connection SET listing = listing + 1, attempted_at = :now, complete = complete AND :delta,"
            " defect = 'not read to its end', error = '' WHERE name = :name",
            name=connection, now=stamp(now), delta=delta,
        )  # fmt: skip
        return int(store.value("SELECT listing FROM connection WHERE name = :name", name=connection))


def ledger(store: Store, connection: str, after: tuple[int, int], limit: int) -> Sequence[tuple[Any, ...]]:
    """The next known records behind place ``after`` = (ordinal, id): (ordinal, id, digest), in the order of the last listing."""
    return store.tuples(
        "SELECT ordinal, id, digest FROM account WHERE connection = :connection AND gone_at IS NULL AND (ordinal, id) > (:ordinal, :id)"
        " ORDER BY ordinal, id LIMIT :limit",
        connection=connection, ordinal=after[0], id=after[1], limit=limit,
    )  # fmt: skip


_BEHIND = 2**40  # the place of what no listing of everything showed yet
_INSERT = (
    "INSERT INTO account (connection, object, account, missing_times, container, ordinal, digest, identity, document, reading, version,"
    " ignored, run, page) VALUES (:connection, :object, :account, :times, :container, :ordinal, :digest, :identity, :document, :reading,"
    " :version, :ignored, :run, :page)"
)
_UPDATE = (
    "UPDATE account SET container = :container, ordinal = COALESCE(:ordinal, ordinal), digest = :digest,"
    " identity = COALESCE(identity, :identity), document = :document, reading = :reading, version = :version, ignored = :ignored,"
    " run = :run, page = :page, gone_at = NULL, missing_since = NULL, missing_times = 0 WHERE id = :id"
)
_NOBODY: Mapping[str, str] = {}


def upsert(
    store: Store, connection: str, staged: Sequence[Staged], known: Mapping[str, int] | None = None, makes: Mapping[str, str] = _NOBODY
) -> dict[str, int]:  # fmt: skip
    """Store new or changed accounts (one transaction of the caller); provider id -> row id. What was gone is back; the last view wins.

    ``known``: row ids of those that are stored, where that was asked already. ``makes``: provider id -> the identity it makes.
    """
    last = {one.account: one for one in staged}
    objects = sorted({one.object for one in staged})
    known = row_ids(store, connection, list(last), objects) if known is None else known
    new = [one for one in last.values() if one.account not in known]
    old = {account: known[account] for account in last if account in known}
    named = {"connection": connection, "times": 0}
    store.many(_INSERT, [named | {"object": one.object, "account": one.account} | _columns(one, makes, _BEHIND) for one in new])
    store.many(_UPDATE, [{"id": row} | _columns(last[account], makes) for account, row in old.items()])
    if old:
        store.run("DELETE FROM account_key WHERE account_id IN :ids", ids=list(old.values()))
    ids = old | row_ids(store, connection, [one.account for one in new], objects)
    _keep_keys(store, connection, last.values(), ids)
    return ids


def _columns(one: Staged, makes: Mapping[str, str], place: int | None = None) -> dict[str, Any]:
    return {
        "container": one.container, "ordinal": place if one.ordinal is None else one.ordinal, "digest": one.digest,
        "identity": makes.get(one.account), "document": one.document, "reading": one.reading, "version": one.version,
        "ignored": one.ignored, "run": one.run, "page": one.page,
    }  # fmt: skip


def _keep_keys(store: Store, connection: str, staged: Iterable[Staged], ids: Mapping[str, int]) -> None:
    store.many(
        "INSERT INTO account_key (account_id, attribute, connection, key, trusted) VALUES (:id, :attribute, :connection, :key, :trusted)",
        [
            {"id": ids[one.account], "attribute": attribute, "connection": connection, "key": key, "trusted": trusted}
            for one in staged
            for attribute, key, trusted in one.keys
        ],
    )


def row_ids(store: Store, connection: str, accounts: Sequence[str], objects: Sequence[str] = ("user",)) -> dict[str, int]:
    """Provider id -> row id, for those that are known."""
    if not accounts:
        return {}
    text = "SELECT id, account FROM account WHERE connection = :connection AND account IN :accounts AND object IN :objects"
    rows = store.rows(text, connection=connection, accounts=list(accounts), objects=list(objects))
    return {row.account: row.id for row in rows}


def known_digests(store: Store, connection: str, accounts: Sequence[str]) -> dict[str, tuple[int, bytes]]:
    """Provider id -> (row id, digest), for those whose bytes are known."""
    text = "SELECT id, account, digest FROM account WHERE connection = :connection AND account IN :accounts AND digest IS NOT NULL"
    rows = store.rows(text, connection=connection, accounts=list(accounts))
    return {row.account: (row.id, row.digest) for row in rows}


def mark_linked(store: Store, ids: Sequence[int]) -> None:
    """The links of these accounts are to be projected again."""
    text = "INSERT INTO dirty (connection, identity) SELECT connection, identity FROM link WHERE account_id IN :ids ON CONFLICT DO NOTHING"
    store.run(text, ids=list(ids))
    words.mark(store, ids)


def forget_strangers(store: Store, ids: Sequence[int]) -> None:
    """Unlinked accounts that correlate with nobody keep no attributes: they are not ours to store; nor are those of who was forgotten."""
    store.run(
        "UPDATE account SET document = NULL WHERE id IN :ids AND document IS NOT NULL"
        f" AND NOT EXISTS (SELECT 1 FROM link AS l WHERE l.account_id = account.id AND NOT {IS_NAMELESS})"
        " AND NOT EXISTS (SELECT 1 FROM account_key AS a JOIN identity_key AS i ON i.attribute = a.attribute AND i.key = a.key"
        " WHERE a.account_id = account.id)",
        ids=list(ids),
    )


def moved(store: Store, places: Sequence[tuple[int, int]]) -> None:
    """Known records that stand elsewhere in the listing now: (row id, ordinal)."""
    rows = [{"id": row, "ordinal": ordinal} for row, ordinal in dict(places).items()]
    store.many("UPDATE account SET ordinal = :ordinal WHERE id = :id", rows)


def present(store: Store, connection: str, seen: Container[int] = ()) -> Iterator[Row[Any]]:
    """Every account believed to exist but those ``seen`` (row ids): rows of (id, account, container, touched_at, missing_since), streamed
    in the order of the last listing."""
    place: tuple[Any, ...] = (-1, 0)
    while True:
        places = store.tuples(  # in the index alone: nearly all of them are seen
            "SELECT ordinal, id FROM account WHERE connection = :connection AND (ordinal, id) > (:ordinal, :id) AND gone_at IS NULL"
            " ORDER BY ordinal, id LIMIT 2000",
            connection=connection, ordinal=place[0], id=place[1],
        )  # fmt: skip
        ids = [id for _, id in places if id not in seen]
        text = "SELECT id, account, container, touched_at, missing_since, ordinal FROM account WHERE id IN :ids"
        yield from sorted(store.rows(text, ids=ids), key=lambda row: (row.ordinal, row.id))
        if len(places) < 2000:
            return
        place = places[-1]


def gone(store: Store, ids: Sequence[int], now: datetime) -> None:
    """These accounts are proven absent; their links lose their account, so that what is still desired is made again.

    A tombstone remembers whose account it was: should the proof have been false, it is theirs and ours still (`outcomes.reattach`).
    """
    nameless.vanish(store, ids, now)
    store.run(
        "UPDATE account SET gone_at = :now, digest = NULL, document = NULL, missing_since = NULL, missing_times = 0,"
        " owner = (SELECT identity FROM link WHERE link.account_id = account.id AND link.owned) WHERE id IN :ids",
        ids=list(ids), now=stamp(now),
    )  # fmt: skip
    store.run("DELETE FROM account_key WHERE account_id IN :ids", ids=list(ids))
    mark_linked(store, ids)


def finish(
    store: Store, connection: str, now: datetime, *, defect: str, accounts: int, pages: int, watermark: str | None = None,
    passport: str | None = None, language: str | None = None, delta: bool = False,
) -> None:  # fmt: skip
    """The listing ended; it is sealed (complete) only without a ``defect``. A ``delta`` seals nothing. ``watermark``: from where on the
    next reading need only ask what changed, under the same ``passport``, in the same ``language``."""
    seals = not (defect or delta)
    with store.transaction(durable=False):
        store.run(
            "UPDATE connection SET complete = (complete AND :delta) OR :seals, defect = :defect, accounts = :accounts, pages = :pages,"
            " last_delta = :now, watermark = :watermark, language = :language,"
            " passport = CASE WHEN :sound THEN :passport ELSE passport END,"
            " sealed_at = CASE WHEN :seals THEN :now ELSE sealed_at END, last_full = CASE WHEN :seals THEN :now ELSE last_full END"
            " WHERE name = :name",
            name=connection, seals=seals, delta=delta, defect=defect, sound=not defect, accounts=accounts, pages=pages,
            watermark=watermark, passport=passport, now=stamp(now), language=None if defect else language,
        )  # fmt: skip


def distrust(store: Store, connection: str) -> None:
    """What is known of this connection is not what is there: everything is read next time, from its beginning."""
    store.run("UPDATE connection SET watermark = NULL WHERE name = :name", name=connection)
    stretches.forget(store, connection)


def void_ledger(store: Store, connection: str) -> None:
    """The reading of records changed: no bytes are known any more."""
    store.run("UPDATE account SET digest = NULL WHERE connection = :connection", connection=connection)


def document(store: Store, row: int) -> str | None:
    """The stored attributes of one account, JSON text; None where only its keys are kept."""
    text: str | None = store.value("SELECT document FROM account WHERE id = :id", id=row)
    return text


def documents(store: Store, connection: str, accounts: Sequence[str]) -> dict[str, str]:
    """Provider id -> the stored attributes, JSON text, of those that have any."""
    text = "SELECT account, document FROM account WHERE connection = :connection AND account IN :accounts AND document IS NOT NULL"
    return {row.account: row.document for row in store.rows(text, connection=connection, accounts=list(accounts))}


def keep_document(store: Store, row: int, text: str) -> None:
    """This account is somebody's now: its attributes are needed."""
    store.run("UPDATE account SET document = :document WHERE id = :id", document=text, id=row)


def ref(store: Store, connection: str, account: str) -> Row[Any] | None:
    """What it takes to ask for one account by itself, and what is known of it: (container, document)."""
    text = "SELECT container, document FROM account WHERE connection = :connection AND account = :account AND object = 'user'"
    return store.one(text, connection=connection, account=account)


def last_count(store: Store, connection: str) -> int:
    """How many records the last listing had."""
    return int(store.value("SELECT accounts FROM connection WHERE name = :name", name=connection) or 0)
