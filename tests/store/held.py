"""Runs that hold changes, as the tests of what waits for a person need them."""

from __future__ import annotations

from typing import Any

from syncd.store import Store, journal, waiting
from tests.store.rows import NOW, change, link, people, record


def held(store: Store, at: Any, *ids: str, **more: Any) -> int:
    """A run that holds these changes, one a person of the same name, then says what waits; its number."""
    run = journal.start_run(store, "delta", at)
    rows = [change(run, id, id, state="held", hold="limit", held="too many", link_id=_link(store, id)) | more for id in ids]
    record(store, *rows)
    waiting.refresh(store, run, "app", at)
    return run


def _link(store: Store, who: str) -> int:
    people(store, who)
    return link(store, "app", who, b"1", b"2", account_id=1)


def listed(store: Store, **by: Any) -> list[tuple[str, str, int]]:
    return [(row.change, row.state, row.run) for row in waiting.listing(store, **by)]


def let_go(store: Store, *ids: str, at: Any = NOW) -> None:
    waiting.release(store, [row.id for row in waiting.listing(store) if row.change in ids], at)
