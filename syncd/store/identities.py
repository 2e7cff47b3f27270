"""People in the canonical store: which accounts make them, what they are called by, who is affected by a change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.store.database import Store


@dataclass(frozen=True, slots=True)
class Person:
    """One identity as it is to be stored; instants as UTC datetimes, keys as (attribute, key)."""

    id: str
    attributes: str
    live: str
    ignored: bool
    departed_at: datetime | None
    starts: datetime | None
    ends: datetime | None
    due: datetime | None
    keys: Sequence[tuple[str, str]]
    forgotten: bool = False


def sources(store: Store, identities: Sequence[str]) -> Sequence[Row[Any]]:
    """The accounts that make these identities: (identity, id, connection, account, container, reading, gone_at)."""
    return store.rows(
        "SELECT identity, id, connection, account, container, reading, gone_at FROM account WHERE identity IN :ids ORDER BY identity, id",
        ids=list(identities),
    )


def merged_under(store: Store) -> str | None:
    """The rules under which all accounts were made into people; None when it was never done, or not to its end."""
    fingerprint: str | None = store.value("SELECT value FROM setting WHERE name = 'people'")
    return fingerprint


def merge_under(store: Store, fingerprint: str) -> None:
    """Everybody is made under these rules."""
    store.run(
        "INSERT INTO setting (name, value) VALUES ('people', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        value=fingerprint,
    )


def unmerge(store: Store) -> None:
    """Everybody is to be made anew from the accounts that are left."""
    store.run("DELETE FROM setting WHERE name = 'people'")


def bereave(store: Store, connection: str) -> None:
    """A source is about to be forgotten: whoever has an account there is not absent from it, whatever the other sources say."""
    text = "UPDATE identity SET forgotten = TRUE WHERE id IN (SELECT identity FROM account WHERE connection = :name AND gone_at IS NULL)"
    store.run(text, name=connection)


def present_at(store: Store, connection: str, identities: Iterable[str]) -> set[str]:
    """Those of these identities that have an account at this source which is not gone."""
    text = "SELECT identity FROM account WHERE connection = :name AND identity IN :ids AND gone_at IS NULL"
    return {row.identity for row in store.rows(text, name=connection, ids=list(identities))}


def owners(store: Store, accounts: Sequence[int]) -> dict[int, str]:
    """Account row id -> identity, for those that have one."""
    if not accounts:
        return {}
    text = "SELECT id, identity FROM account WHERE id IN :ids AND identity IS NOT NULL"
    return {row.id: row.identity for row in store.rows(text, ids=list(accounts))}


def by_keys(store: Store, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Row[Any]]]:
    """(attribute, key) -> rows of (identity, live) that answer to it."""
    found: dict[tuple[str, str], list[Row[Any]]] = {}
    by_attribute: dict[str, list[str]] = {}
    for attribute, key in keys:
        by_attribute.setdefault(attribute, []).append(key)
    for attribute, values in by_attribute.items():
        rows = store.rows(
            "SELECT k.key, k.identity, i.live FROM identity_key AS k JOIN identity AS i ON i.id = k.identity"
            " WHERE k.attribute = :attribute AND k.key IN :keys",
            attribute=attribute, keys=values,
        )  # fmt: skip
        for row in rows:
            found.setdefault((attribute, row.key), []).append(row)
    return found


_INSERT = (
    "INSERT INTO identity (id, attributes, live, ignored, forgotten, departed_at, starts_at, ends_at, due_at)"
    " VALUES (:id, :attributes, :live, :ignored, :forgotten, :departed_at, :starts_at, :ends_at, :due_at)"
)
_UPDATE = (
    "UPDATE identity SET attributes = :attributes, live = :live, ignored = :ignored, forgotten = :forgotten, departed_at = :departed_at,"
    " starts_at = :starts_at, ends_at = :ends_at, due_at = :due_at WHERE id = :id"
)


def save(store: Store, people: Sequence[Person], targets: Sequence[str]) -> None:
    """Write identities with their keys and mark them for projection at every target."""
    ids = [one.id for one in people]
    with store.transaction():
        known = [row.id for row in store.rows("SELECT id FROM identity WHERE id IN :ids", ids=ids)]
        new = {*ids} - {*known}
        store.many(_INSERT, [_columns(one) for one in people if one.id in new])
        store.many(_UPDATE, [_columns(one) for one in people if one.id not in new])
        if known:
            store.run("DELETE FROM identity_key WHERE identity IN :ids", ids=known)
        _keep_keys(store, people)
        mark(store, ids, targets)


def _keep_keys(store: Store, people: Sequence[Person]) -> None:
    store.many(
        "INSERT INTO identity_key (identity, attribute, key) VALUES (:identity, :attribute, :key)",
        [{"identity": one.id, "attribute": attribute, "key": key} for one in people for attribute, key in dict.fromkeys(one.keys)],
    )


def mark(store: Store, identities: Sequence[str], targets: Sequence[str]) -> None:
    """Their desired state is to be projected again."""
    store.many(
        "INSERT INTO dirty (connection, identity) VALUES (:connection, :identity) ON CONFLICT DO NOTHING",
        [{"connection": target, "identity": identity} for target in targets for identity in identities],
    )


def mark_all(store: Store, target: str) -> None:
    """A changed map, scope or policy concerns everybody."""
    store.run("INSERT INTO dirty (connection, identity) SELECT :target, id FROM identity WHERE TRUE ON CONFLICT DO NOTHING", target=target)


def mark_due(store: Store, targets: Sequence[str], now: datetime) -> None:
    """Passing time alone changed something for these."""
    with store.transaction(durable=False):
        _mark_due(store, targets, now)


def _mark_due(store: Store, targets: Sequence[str], now: datetime) -> None:
    for target in targets:
        store.run(
            "INSERT INTO dirty (connection, identity) SELECT :target, id FROM identity WHERE due_at <= :now ON CONFLICT DO NOTHING",
            target=target, now=stamp(now),
        )  # fmt: skip
        store.run(
            "INSERT INTO dirty (connection, identity) SELECT connection, identity FROM link WHERE connection = :target AND due_at <= :now"
            " ON CONFLICT DO NOTHING",
            target=target, now=stamp(now),
        )  # fmt: skip
    store.run(
        "UPDATE identity SET due_at = CASE WHEN starts_at > :now THEN starts_at WHEN ends_at > :now THEN ends_at END WHERE due_at <= :now",
        now=stamp(now),
    )


def all_ids(store: Store, after: str, limit: int = 1000) -> list[str]:
    """Identity ids in order, a block at a time."""
    return [row.id for row in store.rows("SELECT id FROM identity WHERE id > :after ORDER BY id LIMIT :limit", after=after, limit=limit)]


def count(store: Store) -> int:
    return int(store.value("SELECT COUNT(*) FROM identity"))


def documents(store: Store, identities: Sequence[str]) -> Sequence[Row[Any]]:
    """What is stored of these identities, whole rows."""
    return store.rows("SELECT * FROM identity WHERE id IN :ids", ids=list(identities))


def aliases(store: Store, identities: Sequence[str]) -> dict[str, list[str]]:
    """Identity -> the ids it answers to: the uuid5 of each of its authoritative accounts."""
    found: dict[str, list[str]] = {}
    for row in store.rows("SELECT identity, key FROM identity_key WHERE identity IN :ids AND attribute = '@id'", ids=list(identities)):
        found.setdefault(row.identity, []).append(row.key)
    return found


def journalled(store: Store, identity: str) -> list[str]:
    """Under which ids the journal speaks of a person: their own, and those of whoever was merged into them."""
    merged = store.rows(
        "SELECT key FROM identity_key WHERE identity = :identity AND attribute = '@id' AND key NOT IN (SELECT id FROM identity)",
        identity=identity,
    )
    return [identity, *(row.key for row in merged)]


def _columns(one: Person) -> dict[str, Any]:
    return {
        "id": one.id, "attributes": one.attributes, "live": one.live, "ignored": one.ignored, "forgotten": one.forgotten,
        "departed_at": _text(one.departed_at), "starts_at": _text(one.starts), "ends_at": _text(one.ends), "due_at": _text(one.due),
    }  # fmt: skip


def _text(moment: datetime | None) -> str | None:
    return stamp(moment) if moment else None
