"""Which runs are kept: all of which anything is left, and the last hundred."""

from __future__ import annotations

import pytest

from syncd.store import Store, history, journal, runs
from tests.store.conftest import Opener
from tests.store.rows import NOW, change, register


def ids(store: Store) -> list[int]:
    return [row.id for row in store.rows("SELECT id FROM run ORDER BY id")]


def test_runs_that_found_all_as_it_was_go_when_they_are_not_among_the_last(store: Store) -> None:
    told = {3: "converged", 5: "", 8: "interrupted"}
    for number in range(1, runs.LATELY + 13):
        run = journal.start_run(store, "delta", NOW)
        if run != 9:  # it was killed
            runs.finish(store, run, told.get(number, runs.IDLE), NOW)
    last = runs.LATELY + 12
    assert ids(store) == [3, 5, 8, 9, *range(last - runs.LATELY + 1, last + 1)]
    assert history.last_run(store) == last
    assert journal.start_run(store, "delta", NOW) == last + 1, "no number is given twice"


def test_a_run_that_ends_late_goes_too(store: Store) -> None:
    """Others began and ended meanwhile."""
    late = journal.start_run(store, "delta", NOW)
    for _ in range(runs.LATELY + 20):
        runs.finish(store, journal.start_run(store, "delta", NOW), runs.IDLE, NOW)
    assert late in ids(store)
    runs.finish(store, late, runs.IDLE, NOW)
    runs.finish(store, journal.start_run(store, "delta", NOW), runs.IDLE, NOW)
    assert ids(store)[0] == 23


@pytest.mark.parametrize("decides", [True, False])
def test_what_a_run_decided_is_on_the_disk_when_it_ends(opened: Opener, decides: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened()
    register(store, "app")
    run = journal.start_run(store, "delta", NOW)
    if decides:
        journal.record(store, [change(run, "c1", "p1")])
    noted, began = list[bool](), store.backend.begin

    def begin(*, durable: bool) -> None:
        noted.append(durable)
        began(durable=durable)

    monkeypatch.setattr(store.backend, "begin", begin)
    runs.finish(store, run, "", NOW)
    assert noted == [decides]
    assert runs.traced(store, run) is decides
