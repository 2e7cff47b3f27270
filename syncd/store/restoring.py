"""A backup takes the store's place: in one transaction, and as a store that trusts nothing it was told before.

::

    the backup -> a copy beside the store (where that is in PostgreSQL, beside the backup), brought up to date -> one transaction of the
    store: nobody holds a lease, the store as it is is kept in a file beside, its rows go, those of the copy come, `_distrust`

A process that has the store open meanwhile finds the new rows under the old file, with its fencing token void: no run goes on with what
was replaced. Only a store that is lost or broken is replaced as a file; nobody can hold a lease of that.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from syncd.environment import stamp
from syncd.errors import Busy
from syncd.model import Effort
from syncd.store import backups, chain, crossing, journal, lease
from syncd.store.backups import SQLITE, Unusable
from syncd.store.database import Store
from syncd.store.places import look

STAYS = ("pause", "alembic_version")
"""What is said of now, not of then: tables that are not taken from a backup."""
UNKNOWN = "the store was restored: what became of it is looked for"


@dataclass(frozen=True, slots=True)
class Restored:
    """``kept``: the store as it was, None where there was none; ``epoch``: plan files made under a lower one are void; ``forgotten``: when
    people were forgotten since the backup, None where nobody can tell."""

    kept: Path | None
    epoch: int
    forgotten: Sequence[str] | None


def restore(
    url: str, instance: str, file: Path, said: dict[str, Any], now: datetime, lasting: timedelta, effort: Effort
) -> Restored:  # fmt: skip
    """Put the backup ``file`` in the place of the store. ``said``: what the journal keeps of the command; ``lasting``: how
    long a lease does.

    Raises Unusable for a file that is no backup of this instance, Busy while a run holds a lease, Fatal for a store that is not this
    instance's; then nothing was changed.
    """
    found = backups.examine(file)
    if found.instance != instance:
        raise Unusable(f"{file} is of instance {found.instance!r}, the configuration says {instance!r}: nothing was changed")
    path = backups.place(url)
    beside = (path or file).with_name(f"{(path or file).name}.restoring-{os.getpid()}")
    backups.copy(file, beside, effort)
    try:
        Store(SQLITE + str(beside), instance).close()  # of an older schema: up to date from here on
        if path is None or (path.exists() and backups.sound(path)):
            return _refill(url, instance, beside, said, now, lasting, effort)
        return _replace(path, instance, beside, said, now)
    finally:
        for one in beside.parent.glob(f"{beside.name}*"):
            one.unlink()


def _refill(
    url: str, instance: str, beside: Path, said: dict[str, Any], now: datetime, lasting: timedelta, effort: Effort
) -> Restored:  # fmt: skip
    path = backups.place(url)
    store, kept = Store(url, instance), _kept(path or beside.with_name("store"), now)
    try:
        if path is not None:
            store.run("ATTACH DATABASE :path AS backup", path=str(beside))
        with store.transaction():
            holders = lease.held(store, now, lasting)
            if holders:
                told = ", ".join(f"{row.connection} by {row.holder}" for row in holders)
                raise Busy(f"a run is at work on this store ({told}): restore when it is over")
            before, tokens = store.epoch, lease.tokens(store)
            last = int(store.value("SELECT COALESCE(MAX(id), 0) FROM run"))
            forgotten = _forgotten(store, beside)
            backups.take(url, kept, Effort("", ""))
            try:
                crossing.fill(store, beside, STAYS, effort) if path is None else _exchange(store, effort)
                return Restored(kept, _distrust(store, said, now, epoch=before, tokens=tokens, last=last), forgotten)
            except BaseException:
                kept.unlink()
                raise
    finally:
        store.close()


def _forgotten(store: Store, beside: Path) -> list[str]:
    """When people were forgotten since the backup: nothing else is known of them. Links of the chain are never alike."""
    text = f"SELECT chain, at FROM entry WHERE what = '{chain.ERASED}' ORDER BY seq"
    with closing(look(beside, timeout=30)) as backup:
        known = {bytes(link) for link, _ in backup.execute(text)}
    return [row.at for row in store.rows(text) if bytes(row.chain) not in known]


def _exchange(store: Store, effort: Effort) -> None:
    """Both are of the same schema; rows keep their ids."""
    names = [row.name for row in store.rows("SELECT name FROM backup.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    effort.of, effort.done, effort.unit = len(names), 0, "tables"
    for name in names:
        effort.done += 1
        if name not in STAYS:
            columns = ", ".join(f'"{row.name}"' for row in store.rows(f'PRAGMA backup.table_info("{name}")'))
            store.run(f'DELETE FROM main."{name}"')
            store.run(f'INSERT INTO main."{name}" ({columns}) SELECT {columns} FROM backup."{name}"')


def _replace(path: Path, instance: str, beside: Path, said: dict[str, Any], now: datetime) -> Restored:
    """The store is lost, or no database any more: the copy becomes it, and what is there stays beside; so does a log that is left, for
    SQLite would put what it says into the copy."""
    store = Store(SQLITE + str(beside), instance)
    try:
        with store.transaction():
            epoch = _distrust(store, said, now, epoch=store.epoch, tokens={}, last=0)
        store.run("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        store.close()
    there, kept = path.exists(), _kept(path, now)
    for suffix in ("-wal", "-shm", ""):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.rename(kept.with_name(kept.name + suffix))
    os.link(beside, path)  # fails where somebody else made one meanwhile
    return Restored(kept if there else None, epoch, None)


def _kept(path: Path, now: datetime) -> Path:
    """A name that nothing has yet."""
    name, number = f"{path.name}.before-restore-{now:%Y%m%dT%H%M%S}", 1
    while os.path.lexists(kept := path.with_name(name if number == 1 else f"{name}-{number}")):
        number += 1
    return kept


def _distrust(store: Store, said: dict[str, Any], now: datetime, *, epoch: int, tokens: dict[str, int], last: int) -> int:
    """The world went on since the backup, in ways that the store no longer knows: everything is read anew, no release and no answer of
    then counts, no number is given twice. Returns the epoch."""
    epoch = max(epoch, store.epoch) + 1
    store.run(
        "INSERT INTO setting (name, value) VALUES ('epoch', :epoch) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        epoch=str(epoch),
    )
    store.run("UPDATE account SET digest = NULL")
    _unhear(store)
    store.run("UPDATE connection SET watermark = NULL, sealed_at = NULL, complete = FALSE, restored = :now", now=stamp(now))
    store.run("UPDATE pending SET released_at = NULL")
    store.run(
        "UPDATE step SET state = 'in_doubt', settled_at = :now, error = :why WHERE state IN ('sent', 'in_doubt') AND creates",
        now=stamp(now), why=UNKNOWN,
    )  # fmt: skip
    lease.void(store, tokens)
    run = journal.reserve_run(store, last, "restore", now)
    chain.append(store, [chain.Event(chain.DECIDED, "", said, run=run)], now)
    return epoch


def _unhear(store: Store) -> None:
    """What targets say of people may be what syncd wrote after the backup: they say nothing until they are read again, and then as to a
    store that was lost. Where accounts live in containers, what is known of them says who lives there, and stays."""
    heard = "SELECT l.account_id FROM link AS l JOIN account AS a ON a.id = l.account_id WHERE l.echo IS NOT NULL AND a.container IS NULL"
    store.run(f"UPDATE account SET document = NULL WHERE id IN ({heard})")
    store.run(
        f"INSERT INTO dirty (connection, identity) SELECT connection, identity FROM link WHERE account_id IN ({heard})"
        " ON CONFLICT DO NOTHING"
    )
    store.run(f"UPDATE link SET echo = NULL WHERE account_id IN ({heard})")
