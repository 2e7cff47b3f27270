"""A day at the desk with a store behind a pooler that gives each transaction another server connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncd.store import Store, duty
from tests import stores
from tests.cli.office import Office
from tests.pooler import pooled


@pytest.fixture
def behind() -> Iterator[str]:
    """A database without a table."""
    url = stores.server().database()
    with pooled(url) as made:
        yield made
    stores.server().drop(url)


def test_each_transaction_has_a_connection_of_its_own_there(behind: str) -> None:
    """Else the rest proves nothing; and within one there is one. Who wrote is known all the same."""
    store, other = Store(behind), Store(behind)
    ask = "SELECT pg_backend_pid()"
    assert store.value(ask) != store.value(ask)
    with store.transaction():
        assert store.value(ask) == store.value(ask)
        store.run("INSERT INTO setting (name, value) VALUES ('one', '')")
    before = duty.version(store)
    with store.transaction():
        store.run("INSERT INTO setting (name, value) VALUES ('two', '')")
    assert duty.version(store) == before, "its own"
    other.run("INSERT INTO setting (name, value) VALUES ('three', '')")
    assert duty.version(store) != before
    store.close()
    other.close()


def test_a_day_at_the_desk(behind: str, office: Office) -> None:
    """First contact, a change, a leaver, a backup put back, somebody forgotten."""
    office.environ["SYNCD_STORE__URL"] = behind
    office.settled(*range(1, 31))
    assert len(office.users) == 30
    office.rows[0]["displayName"] = "Another"
    office.rows.pop()
    office.save()
    backup = str(office.root / "copy.db")
    assert office.run("store", "backup", backup).code == 0
    assert office.run("sync", "--yes", "--full").code == 0
    assert office.users["p1@corp.example"]["friendly_name"] == "Another"
    office.sandbox.twilio.service().delete(office.users["p30@corp.example"]["sid"])
    assert office.run("sync", "--yes", "--full").code == 0
    forgotten = office.run("forget", "p30@corp.example", "--yes")
    assert forgotten.code == 0, forgotten
    restored = office.run("store", "restore", backup, "--yes")
    assert restored.code == 0, restored
    writes = office.writes
    assert office.run("sync", "--yes", "--full").code in (0, 3) and office.run("verify").code == 0
    assert (len(office.users), office.writes) == (29, writes)
