"""What rests after repeated refusals: tried again at once, or left as it is."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.store.database import Store

_LINKS = "IN (SELECT link_id FROM pending WHERE id IN :ids AND state = 'quarantined')"


def wake(store: Store, ids: Sequence[int]) -> None:
    """These rows of pending rest no more: the next run tries them; refused once more, they rest for longer."""
    store.run(f"UPDATE link SET retry_at = NULL WHERE id {_LINKS}", ids=list(ids))


def drop(store: Store, ids: Sequence[int]) -> None:
    """A person's no to them, remembered with the pair (desired, actual) until either side moves or it is taken back."""
    with store.transaction():
        store.run(
            f"UPDATE link SET refused_desired = desired, refused_actual = actual, failures = 0, retry_at = NULL WHERE id {_LINKS}",
            ids=list(ids),
        )
        store.run("UPDATE pending SET state = 'kept', released_at = NULL WHERE id IN :ids AND state = 'quarantined'", ids=list(ids))
