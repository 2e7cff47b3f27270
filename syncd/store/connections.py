"""What the store knows of each configured connection: its directory, its listings, under which rules it was read and projected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.engine import Row

from syncd.environment import stamp
from syncd.errors import Fatal
from syncd.store import identities, pauses, staging
from syncd.store.database import Store

_TABLES = ("lease", "stretch", "account", "account_key", "dirty", "link", "change", "step", "pending", "word")


def register(
    store: Store, name: str, connector: str, binding: Mapping[str, str], namespace: str, *, authoritative: bool, target: bool
) -> None:
    """Bind a name to its directory for good (see `refuse_other`).

    A target that was none meanwhile missed what happened: its links are projected under no rules.
    """
    text = refuse_other(store, name, connector, binding)
    store.run(
        "INSERT INTO connection (name, connector, binding, namespace, authoritative, target, listing, complete, defect, accounts, pages,"
        " settled, error, learned)"
        " VALUES (:name, :connector, :binding, :namespace, :authoritative, :target, 0, FALSE, '', 0, 0, 0, '', '{}')"
        " ON CONFLICT (name) DO UPDATE SET"
        " authoritative = excluded.authoritative, target = excluded.target, namespace = excluded.namespace,"
        " projected = CASE WHEN connection.target THEN connection.projected END",
        name=name, connector=connector, binding=text, namespace=namespace, authoritative=authoritative, target=target,
    )  # fmt: skip


def stands(
    known: Row[Any] | None, connector: str, binding: Mapping[str, str], namespace: str, reading: str, *, authoritative: bool, target: bool
) -> bool:  # fmt: skip
    """Whether `register` and `read_under` would change nothing of the row ``known``."""
    so = (connector, orjson.dumps(dict(binding), option=orjson.OPT_SORT_KEYS).decode(), namespace, reading, authoritative, target)
    return known is not None and so == (
        known.connector, known.binding, known.namespace, known.reading, bool(known.authoritative), bool(known.target)
    )  # fmt: skip


def refuse_other(store: Store, name: str, connector: str, binding: Mapping[str, str]) -> str:
    """How the store writes the directory. Raises Fatal when the name is bound to another."""
    text = orjson.dumps(dict(binding), option=orjson.OPT_SORT_KEYS).decode()
    known = row(store, name)
    if known is not None and (known.connector, known.binding) != (connector, text):
        raise Fatal(
            f"connection {name} was bound to {_where(known.connector, known.binding)} and now points to {_where(connector, text)}\n"
            f"  the same directory under a new address: syncd connection forget {name}; another directory: give it a name of its own"
        )
    return text


def retire(store: Store, configured: Sequence[str]) -> None:
    """Connections that are not configured are neither source nor target; what is known of them stays."""
    store.run("UPDATE connection SET authoritative = FALSE, target = FALSE WHERE name NOT IN :names", names=list(configured))


def directory(store: Store, name: str) -> dict[str, str]:
    """All that is known of the directory that a connection is bound to: what is configured, and what its accounts told."""
    known = row(store, name)
    return {} if known is None else _facts(known)


def learn(store: Store, name: str, facts: Mapping[str, str]) -> None:
    """Remember what accounts tell of the directory they are of, beside all that is known."""
    text = orjson.dumps({**directory(store, name), **facts}, option=orjson.OPT_SORT_KEYS).decode()
    store.run("UPDATE connection SET learned = :text WHERE name = :name", text=text, name=name)


def twins(store: Store) -> list[tuple[str, str, str]]:
    """Pairs of targets that are one directory by all that is known of it, in the order of their names, and which directory that is."""
    first: dict[tuple[object, ...], str] = {}
    found = []
    for one in every(store):
        if one.target:
            facts = _facts(one)
            other = first.setdefault((one.connector, *sorted(facts.items())), one.name)
            if other != one.name:
                found.append((other, one.name, _told(one.connector, facts)))
    return found


def renamed_from(store: Store, connector: str, binding: Mapping[str, str], configured: Sequence[str]) -> str | None:
    """The name under which this directory is known, if that name is no longer configured."""
    text = orjson.dumps(dict(binding), option=orjson.OPT_SORT_KEYS).decode()
    rows = store.rows("SELECT name FROM connection WHERE connector = :connector AND binding = :binding", connector=connector, binding=text)
    return next((one.name for one in rows if one.name not in configured), None)


def row(store: Store, name: str) -> Row[Any] | None:
    """All that is known of one connection."""
    return store.one("SELECT * FROM connection WHERE name = :name", name=name)


def every(store: Store) -> Sequence[Row[Any]]:
    return store.rows("SELECT * FROM connection ORDER BY name")


def known(store: Store) -> list[str]:
    return [one.name for one in store.rows("SELECT name FROM connection ORDER BY name")]


def read_under(store: Store, name: str, fingerprint: str) -> None:
    """Remember under which reading its bytes are known; another makes all of them unknown, and no listing sealed."""
    before = store.value("SELECT reading FROM connection WHERE name = :name", name=name)
    if before != fingerprint:
        staging.void_ledger(store, name)
        store.run(
            "UPDATE connection SET reading = :reading, sealed_at = NULL, complete = FALSE, watermark = NULL WHERE name = :name",
            reading=fingerprint,
            name=name,
        )


def projected_under(store: Store, name: str, fingerprint: str) -> None:
    """Its links are projected under these rules: all that are not are marked for it."""
    store.run("UPDATE connection SET projected = :rules WHERE name = :name", rules=fingerprint, name=name)


def projected(store: Store, name: str) -> str | None:
    """The rules under which its links are projected."""
    found: str | None = store.value("SELECT projected FROM connection WHERE name = :name", name=name)
    return found


def consented_to(store: Store, name: str, fingerprint: str) -> None:
    """A whole cycle has gone by these rules: what they change is no news any more."""
    store.run("UPDATE connection SET consented = :rules WHERE name = :name", rules=fingerprint, name=name)


def trusted_again(store: Store, name: str) -> None:
    """A whole cycle has gone since the store was restored, and no leaver had to be held for it."""
    store.run("UPDATE connection SET restored = NULL WHERE name = :name", name=name)


def columns(store: Store, name: str) -> list[str]:
    """Those its last sealed listing had, of the ones that are read without being configured."""
    text = store.value("SELECT columns FROM connection WHERE name = :name", name=name)
    found: list[str] = orjson.loads(text or "[]")
    return found


def keep_columns(store: Store, name: str, columns: Sequence[str]) -> None:
    text = orjson.dumps(list(columns)).decode()
    store.run("UPDATE connection SET columns = :columns WHERE name = :name", name=name, columns=text)


def failed(store: Store, name: str, error: str, *, broken: bool = False, known: bool = True) -> None:
    """How a run over it ended. ``broken``: it could not be used; such runs in a row are counted. ``known``: whether this one tells."""
    store.run(
        "UPDATE connection SET error = :error,"
        " failures = CASE WHEN :broken THEN COALESCE(failures, 0) + 1 WHEN :known THEN 0 ELSE failures END WHERE name = :name",
        error=error, broken=broken, known=known, name=name,
    )  # fmt: skip


def unusable(store: Store, name: str, error: str, failures: int, now: datetime) -> None:
    """It was tried at ``now`` beside any run, and cannot be used; it counts as at least so many ``failures`` in a row."""
    with store.transaction():
        store.run(
            "UPDATE connection SET error = :error, attempted_at = :now, failures = CASE WHEN COALESCE(failures, 0) + 1 > :failures"
            " THEN COALESCE(failures, 0) + 1 ELSE :failures END WHERE name = :name",
            error=error, now=stamp(now), failures=failures, name=name,
        )  # fmt: skip


def rename(store: Store, old: str, new: str) -> None:
    """Carry everything known of ``old`` over to ``new``. Raises Fatal when there is no ``old``, or ``new`` is taken."""
    if row(store, old) is None:
        raise Fatal(f"no connection {old!r} in the store; it knows {', '.join(known(store)) or 'none'}")
    if row(store, new) is not None:
        raise Fatal(f"the store already has a connection {new!r}: syncd connection forget {new}, or choose another name")
    with store.transaction():
        store.run("UPDATE connection SET name = :new WHERE name = :old", new=new, old=old)
        store.run("DELETE FROM lease WHERE connection = :new", new=new)  # left by a run that was refused under the new name
        for table in _TABLES:
            store.run(f"UPDATE {table} SET connection = :new WHERE connection = :old", new=new, old=old)
        pauses.carry(store, old, new)


def forget(store: Store, name: str) -> int:
    """Drop everything known of a connection but its journal; returns how many accounts were forgotten. Raises Fatal when it is unknown.

    People whom no other source knows any more are frozen by the next run, never read as departed.
    """
    if row(store, name) is None:
        raise Fatal(f"no connection {name!r} in the store; it knows {', '.join(known(store)) or 'none'}")
    with store.transaction():
        accounts = int(store.value("SELECT COUNT(*) FROM account WHERE connection = :name", name=name))
        identities.bereave(store, name)
        for table in ("lease", "stretch", "account_key", "account", "dirty", "link", "pending", "word", "pause"):
            store.run(f"DELETE FROM {table} WHERE connection = :name", name=name)
        store.run("DELETE FROM connection WHERE name = :name", name=name)
        identities.unmerge(store)
    return accounts


def _facts(known: Row[Any]) -> dict[str, str]:
    return {**orjson.loads(known.learned), **orjson.loads(known.binding)}


def _where(connector: str, binding: str) -> str:
    return _told(connector, orjson.loads(binding))


def _told(connector: str, facts: Mapping[str, str]) -> str:
    return f"{connector} {', '.join(f'{key} {value}' for key, value in facts.items())}"
