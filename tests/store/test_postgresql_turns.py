"""One writer at a time in PostgreSQL, and who can tell that another one wrote."""

from __future__ import annotations

import time
from threading import Thread

import pytest

from syncd.errors import Away, Busy
from syncd.store import Store, backend, duty, postgresql
from tests import stores
from tests.store.conftest import Opener
from tests.store.rows import PUT, column


@pytest.fixture
def kind() -> str:
    return "postgresql"


def test_another_ones_writing_is_seen_and_ones_own_is_not(opened: Opener) -> None:
    one, other, elsewhere = opened(), opened(), Store(stores.empty())
    before = duty.version(one)
    with one.transaction():
        one.run(PUT, name="a")
    with other.transaction():
        other.value("SELECT 1")
    elsewhere.run(PUT, name="a")
    with pytest.raises(RuntimeError), other.transaction():
        other.run(PUT, name="b")
        raise RuntimeError
    assert duty.version(one) == before, "own, empty, of another database, undone"
    other.run(PUT, name="b")
    assert duty.version(one) != before
    elsewhere.close()
    stores.server().drop(elsewhere.url)


def test_a_statement_by_itself_waits_for_its_turn(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = opened(), opened()
    monkeypatch.setattr(backend, "PATIENCE", 0.02)
    with one.transaction():
        for write in (lambda: other.run(PUT, name="a"), lambda: other.many(PUT, [{"name": "a"}, {"name": "b"}])):
            with pytest.raises(Busy):
                write()
        assert other.value("SELECT COUNT(*) FROM account") == 0, "who reads does not wait"
    assert column(one, "setting", "name", value="x") == []


def test_who_waits_goes_on_when_the_other_is_done(opened: Opener) -> None:
    one, other = opened(), opened()
    with one.transaction():
        waiting = Thread(target=lambda: other.run(PUT, name="second"))
        waiting.start()
        deadline = time.monotonic() + 30
        while not one.value("SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            assert time.monotonic() < deadline
        one.run(PUT, name="first")
    waiting.join()
    assert column(one, "setting", "name", value="x") == ["first", "second"]


def test_two_schemas_of_a_database_are_two_stores(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Store(place)
    one.run("CREATE SCHEMA second")
    other = Store(place + "&options=-c%20search_path%3Dsecond")
    monkeypatch.setattr(backend, "PATIENCE", 0.02)
    with one.transaction(), other.transaction():
        one.run(PUT, name="a")
        other.run(PUT, name="b")
    assert (one.id != other.id, column(one, "setting", "name", value="x")) == (True, ["a"])
    one.close()
    other.close()


def test_who_stands_still_within_a_transaction_loses_its_turn(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = opened(), opened()
    monkeypatch.setattr(postgresql, "STILL", 0.05)
    with pytest.raises(Away, match="what was not committed is undone"), one.transaction():
        one.run(PUT, name="undone")
        other.run(PUT, name="next")  # waits for its turn
        one.run(PUT, name="late")
    one.run(PUT, name="again")
    names = column(other, "setting", "name")
    assert {"next", "again"} <= {*names} and not {"undone", "late"} & {*names}
