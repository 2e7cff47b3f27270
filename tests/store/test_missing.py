"""Accounts that complete listings lack, counted until they are found or gone."""

from __future__ import annotations

from syncd.store import Store, missing, staging
from tests.store.rows import HOUR, NOW, column, register, stage


def test_what_complete_listings_lack_is_counted_from_the_first_until_it_is_found(store: Store) -> None:
    register(store, "app", "chat")
    rows = stage(store, "app", "a", "b")
    stage(store, "chat", "a")
    for hours in (0, 1, 2):
        missing.missed(store, [rows["a"]], NOW + hours * HOUR)
    assert missing.missing(store, "app") == [rows["a"]]
    assert missing.missing(store, "chat") == []
    assert missing.faded(store, list(rows.values()), 3, NOW) == [rows["a"]]
    assert missing.faded(store, list(rows.values()), 4, NOW) == []
    assert missing.faded(store, list(rows.values()), 3, NOW - HOUR) == []
    missing.found(store, [rows["a"]])
    assert (missing.missing(store, "app"), column(store, "account", "missing_times", connection="app")) == ([], [0, 0])


def test_who_comes_back_or_is_gone_is_not_missing_any_more(store: Store) -> None:
    register(store, "app")
    rows = stage(store, "app", "a", "b", container="north")
    missing.missed(store, list(rows.values()), NOW)
    stage(store, "app", "a", container="south")
    staging.gone(store, [rows["b"]], NOW)
    assert missing.missing(store, "app") == []
    assert [(row.account, row.container) for row in staging.present(store, "app")] == [("a", "south")]
