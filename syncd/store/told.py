"""What a person was told and is not over yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from syncd.store.database import Store


def topics(store: Store) -> dict[str, list[str]]:
    """Connection -> what was told of it."""
    found: dict[str, list[str]] = orjson.loads(store.value("SELECT value FROM setting WHERE name = 'told'") or "{}")
    return found


def remember(store: Store, topics: Mapping[str, Sequence[str]]) -> None:
    with store.transaction():
        store.run(
            "INSERT INTO setting (name, value) VALUES ('told', :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            value=orjson.dumps(dict(topics), option=orjson.OPT_SORT_KEYS).decode(),
        )
