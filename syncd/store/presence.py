"""Which daemons are at work on this store, and by which configuration: each says so for a while, again and again."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.environment import stamp
from syncd.store.database import Store

LASTS = timedelta(minutes=2)
"""How long a daemon that does not say so again counts as present."""
_PRESENT, _REFUSING = "daemon:", "refusing:"


def appear(store: Store, holder: str, now: datetime, *, refused: bool = False) -> None:
    """Also forgets those who went without a word. ``refused``: its configuration was, when it was last reloaded."""
    with store.transaction(durable=False):
        for prefix, said in ((_PRESENT, True), (_REFUSING, refused)):
            text = "DELETE FROM setting WHERE name LIKE :prefix AND (value <= :now OR name = :name)"
            store.run(text, prefix=f"{prefix}%", now=stamp(now), name=prefix + holder)
            if said:
                text = "INSERT INTO setting (name, value) VALUES (:name, :until)"
                store.run(text, name=prefix + holder, until=stamp(now + LASTS))


def leave(store: Store, holder: str) -> None:
    with store.transaction(durable=False):
        store.run("DELETE FROM setting WHERE name IN (:present, :refusing)", present=_PRESENT + holder, refusing=_REFUSING + holder)


def anyone(store: Store, now: datetime) -> bool:
    """Whether a daemon is at work."""
    return bool(_said(store, _PRESENT, now))


def refusing(store: Store, now: datetime) -> list[str]:
    """The daemons that are at work by the configuration before."""
    return _said(store, _REFUSING, now)


def _said(store: Store, prefix: str, now: datetime) -> list[str]:
    """By whom; what would hold for longer than `LASTS` was said before the clock was set back."""
    text = "SELECT name FROM setting WHERE name LIKE :prefix AND value > :now AND value <= :latest ORDER BY name"
    rows = store.rows(text, prefix=f"{prefix}%", now=stamp(now), latest=stamp(now + LASTS))
    return [row.name.removeprefix(prefix) for row in rows]
