"""A backup is the way from SQLite to PostgreSQL and back: what goes over and comes back is what it was."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel

from syncd.model import Effort
from syncd.store import Store, backups, chain, crossing, journal, restoring, runs, waiting
from tests import stores
from tests.store.conftest import ONLY_POSTGRESQL
from tests.store.rows import NOW, applied, change, link, people, record, register, stage

SAID = {"command": "restore"}
OTHERWISE = {"lease", "setting", "run", "entry", "payload"}
"""Tables to which each restore adds something, or in which it voids what was."""


def filled(store: Store) -> None:
    register(store, "app")
    run = journal.start_run(store, "delta", NOW)
    people(store, "p1", "p2", "\u00e9\u2028 \\ \t\n'\"", targets=["app"])
    ids = stage(store, "app", *(f"account {number}" for number in range(5000)))
    link(store, "app", "p1", b"\x00\xff\\x41", None, account_id=ids["account 1"])
    runs.finish(store, run, "ok", NOW)
    (row,) = record(store, change(run, "c1", "p1", expects=b"\x00", revoke=True))
    applied(store, row)
    waiting.flaw(store, run, "app", [{"where": "line 2", "reason": "no userName", "id": None}], NOW)


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All of it, but for what a restore has to change."""
    found = {}
    for table in SQLModel.metadata.sorted_tables:
        columns = [column.name for column in table.columns if column.name not in ("digest", "document", "restored")]
        text = f"SELECT {', '.join(columns)} FROM {table.name} ORDER BY {', '.join(column.name for column in table.primary_key)}"
        if table.name not in OTHERWISE:
            found[table.name] = [tuple(row) for row in store.rows(text)]
    return found


@pytest.fixture
def across(tmp_path: Path) -> Any:
    url = stores.empty()
    yield url
    stores.server().drop(url)


def restored(url: str, file: Path) -> None:
    restoring.restore(url, "default", file, SAID, NOW, timedelta(seconds=10), Effort("", ""))


def test_over_and_back_it_is_the_same(tmp_path: Path, across: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossing, "BLOCK", 1000)
    one = Store(f"sqlite:///{tmp_path}/one.db")
    filled(one)
    before = contents(one)
    backups.backup(one.url, tmp_path / "one.backup", Effort("", ""))
    restored(across, tmp_path / "one.backup")
    two = Store(across)
    assert contents(two) == before and len(before["account"]) == 5000 and list(chain.broken(two)) == []
    assert two.digest_key == one.digest_key and two.id == one.id
    assert journal.start_run(two, "delta", NOW) == 3, "1 there, 2 the restore"
    assert stage(two, "app", "new")["new"] == 5001, "numbers go on behind the highest"
    two.run("DELETE FROM account WHERE account = 'new'")
    for table, key in {*two.backend.numbered()} - {("entry", "seq"), ("payload", "entry")}:  # type: ignore[attr-defined]
        last, given = f"SELECT COALESCE(MAX({key}), 0) FROM {table}", "SELECT nextval(pg_get_serial_sequence(:table, :key))"
        assert two.value(given, table=table, key=key) > two.value(last), table
    backups.backup(across, tmp_path / "two.backup", Effort("", ""))
    restored(f"sqlite:///{tmp_path}/three.db", tmp_path / "two.backup")
    three = Store(f"sqlite:///{tmp_path}/three.db")
    assert contents(three) == before and list(chain.broken(three)) == []
    assert three.value("SELECT COUNT(*) FROM setting WHERE name = 'writes'") == 0
    for store in (one, two, three):
        store.close()


@ONLY_POSTGRESQL
def test_it_shows_one_moment(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody writes while it is taken: all of that is in none of its tables."""
    filled(store)
    other, tables = Store(store.url), crossing.tables

    def meanwhile(*arguments: Any) -> dict[str, list[str]]:
        other.value("SELECT 1")
        found = tables(*arguments)
        return {"account": found["account"], "link": found["link"], **found}

    monkeypatch.setattr(crossing, "tables", meanwhile)
    seen = Effort("", "")
    monkeypatch.setattr(Effort, "__setattr__", lambda self, name, value: (object.__setattr__(self, name, value), _write(other, name)))
    made = backups.backup(store.url, tmp_path / "copy.db", seen)
    monkeypatch.undo()
    assert made.accounts == 5000 and store.value("SELECT COUNT(*) FROM account") > 5000
    other.close()


def _write(store: Store, name: str) -> None:
    if name == "done":
        stage(store, "app", *(f"late {number}" for number in range(3)))
