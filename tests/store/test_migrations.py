"""The schema: where it comes from, and that it is what the tables say."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlmodel import SQLModel

from syncd.errors import Fatal
from syncd.store import Store, columns, database, journal_tables, tables
from syncd.store.migrations import upgrade
from tests.store.conftest import ONLY_POSTGRESQL, ONLY_SQLITE, Opener


def test_the_head_is_that_of_the_migrations() -> None:
    assert ScriptDirectory.from_config(upgrade.config()).get_heads() == [database.HEAD]


@ONLY_SQLITE
def test_the_migrations_make_the_tables(store: Store) -> None:
    assert tables.Link.metadata is journal_tables.Change.metadata is SQLModel.metadata
    context = MigrationContext.configure(store.sql, opts={"compare_type": True, "compare_server_default": True})
    assert compare_metadata(context, SQLModel.metadata) == []


COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable, collation_name, column_default IS NOT NULL FROM information_schema.columns"
    " WHERE table_schema = :schema AND table_name <> 'alembic_version' ORDER BY 1, 2"
)
INDEXES = (
    "SELECT replace(indexdef, :schema || '.', '') FROM pg_indexes WHERE schemaname = :schema AND tablename <> 'alembic_version' ORDER BY 1"
)


@ONLY_POSTGRESQL
def test_the_migrations_make_the_tables_of_postgresql(store: Store) -> None:
    """Types, collations, numbering and the conditions of indexes, as the database itself knows them."""
    columns.typed(SQLModel.metadata)
    store.run("CREATE SCHEMA drawn")
    store.rows("SELECT set_config('search_path', 'drawn', FALSE)")
    SQLModel.metadata.create_all(store.sql)
    for question in (COLUMNS, INDEXES):
        made, drawn = (store.rows(question, schema=schema) for schema in ("public", "drawn"))
        assert [tuple(row) for row in made] == [tuple(row) for row in drawn]
    texts = [row for row in store.rows(COLUMNS, schema="public") if row.data_type in ("text", "character varying")]
    assert len(texts) > 80 and {(row.data_type, row.collation_name) for row in texts} == {("text", "C")}


@ONLY_SQLITE
def test_every_index_has_the_condition_of_its_table(store: Store) -> None:
    """Alembic compares columns of indexes, not the conditions of partial ones."""
    partial = {
        index.name: str(condition)
        for table in SQLModel.metadata.tables.values()
        for index in table.indexes
        if (condition := index.dialect_options["sqlite"]["where"]) is not None
    }
    made = store.rows("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'")
    assert {row.name: row.sql.partition(" WHERE ")[2] for row in made} == partial
    assert "link_out_of_step" in partial


def test_a_store_opened_again_is_the_same(opened: Opener) -> None:
    first, second = opened(), opened()
    assert (first.id, first.digest_key) == (second.id, second.digest_key)
    assert len(first.digest_key) == 16


def test_two_stores_differ(tmp_path: Path, store: Store) -> None:
    other = Store(f"sqlite:///{tmp_path}/other.db")
    other.close()
    assert other.id != store.id
    assert other.digest_key != store.digest_key


def test_the_store_of_a_newer_syncd_is_refused(place: str, store: Store) -> None:
    with store.transaction():
        store.run("UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(
        Fatal, match=r"the store .*(syncd.db|store\d+ at .*) was written by a newer syncd \(schema 0999, this one knows .*\): upgrade syncd"
    ):
        Store(place)


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """A table in the way of the last one the migration makes."""
    path = tmp_path / "half.db"
    first = Store(f"sqlite:///{path}")
    with first.transaction():
        for name in [*SQLModel.metadata.tables, "alembic_version"]:
            first.run(f"DROP TABLE {name}")
        first.run("CREATE TABLE step (x)")
    with pytest.raises(Fatal, match="table step already exists"):
        Store(f"sqlite:///{path}")
    assert [row.name for row in first.rows("SELECT name FROM sqlite_master WHERE type = 'table'")] == ["step"]
    first.close()


def test_two_processes_may_make_the_same_store_at_once(tmp_path: Path) -> None:
    ready, found = threading.Barrier(4), list[str]()

    def make() -> None:
        ready.wait()
        store = Store(f"sqlite:///{tmp_path}/new.db")
        found.append(store.id)
        store.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "new.db"
    store = Store(f"sqlite:///{path}")
    with store.transaction():
        store.run("DELETE FROM setting WHERE name = 'x'")
    files = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert files == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}
    store.close()


def test_a_store_in_memory_needs_no_place() -> None:
    store = Store("sqlite://")
    assert store.value("SELECT COUNT(*) FROM account") == 0
    store.close()


def test_the_store_of_another_instance_is_refused(place: str, store: Store) -> None:
    with pytest.raises(Fatal, match="belongs to instance 'default', the configuration says 'test'") as refused:
        Store(place, "test")
    assert "\n  set `instance: default`, or give this instance a store of its own" in str(refused.value)


def _directory(path: Path) -> None:
    path.mkdir()


def _text(path: Path) -> None:
    path.write_text("employeeNumber,email\n" * 100)


def _cut(path: Path) -> None:
    Store(f"sqlite:///{path}").close()
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("make", "why"),
    [(_directory, "unable to open database file"), (_text, "file is not a database"), (_cut, "database disk image is malformed")],
)
def test_what_is_no_database_is_refused_with_a_cure(tmp_path: Path, make: object, why: str) -> None:
    path = tmp_path / "people.csv"
    make(path)  # type: ignore[operator]
    with pytest.raises(Fatal, match=f"people.csv cannot be opened: {why}\n  .*store.url") as refused:
        Store(f"sqlite:///{path}")
    assert refused.value.exit_code == 78


def test_a_place_that_cannot_be_written_is_refused_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Fatal, match=r"cannot be made: File exists\n  choose a writable place with store.url"):
        Store(f"sqlite:///{tmp_path}/file/syncd.db")


@ONLY_SQLITE
@pytest.mark.parametrize("pragma", [("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 5000)])
def test_what_is_committed_survives_a_crash(store: Store, pragma: Sequence[object]) -> None:
    assert store.sql.execute(text(f"PRAGMA {pragma[0]}")).scalar() == pragma[1]
