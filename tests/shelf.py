"""Empty databases, migrated: what a test leaves behind is cleared away, which takes a fifth of the time of another database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg

from tests.postgresql_server import named, server

USES = 30
"""Then a database is dropped: nothing clears its dead rows away."""
_SHAPE = """
    SELECT (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_trigger),
           (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_db_role_setting), (SELECT count(*) FROM pg_constraint)
"""
_TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
_SEQUENCES = "SELECT quote_ident(sequencename) FROM pg_sequences WHERE schemaname = 'public'"


@dataclass(frozen=True)
class Template:
    """``clear``: statements that make a database of this ``shape`` what the template is."""

    name: str
    shape: tuple[Any, ...]
    clear: str


_free: dict[str, int] = {}
"""URL -> how many tests it served."""
_uses: dict[str, int] = {}


def template() -> str:
    """The name of the database that no test touches."""
    return _template().name


def take() -> str:
    """The URL of an empty one."""
    url, uses = _free.popitem() if _free else (server().database(template()), 0)
    _uses[url] = uses + 1
    return url


def back(url: str) -> None:
    """Nobody who still knows its address finds it again."""
    uses = _uses.pop(url, USES)
    if uses < USES and (cleared := _cleared(url)):
        _free[cleared] = uses
    elif uses >= USES:
        server().drop(url)


def _cleared(url: str) -> str:
    """Its new URL; "" = it was altered, or somebody is still in it, and it was dropped."""
    to = server().fresh()
    try:
        server().run(f"SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = '{named(url)}'")
        server().run(f"ALTER DATABASE {named(url)} RENAME TO {to}")
    except psycopg.errors.ObjectInUse:
        server().drop(url)
        return ""
    url = server().url(to)
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute(_SHAPE).fetchone() == _template().shape:
            connection.execute(_template().clear)  # type: ignore[call-overload]
            return url
    server().drop(url)
    return ""


@cache
def _template() -> Template:
    from syncd.store.database import Database

    url = server().database()
    Database(url).close()
    with psycopg.connect(url, autocommit=True) as connection:
        tables = [str(row[0]) for row in connection.execute(_TABLES)]
        clear = [f"DELETE FROM {table}" for table in tables]
        for table in tables:
            found = connection.execute(f"SELECT json_agg(row_to_json(t)) FROM {table} AS t").fetchone()  # type: ignore[call-overload]
            assert found is not None
            if found[0]:
                text = json.dumps(found[0]).replace("'", "''")
                clear.append(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::{table}, '{text}')")
        clear += [f"SELECT setval('{row[0]}', 1, FALSE)" for row in connection.execute(_SEQUENCES)]
        shape = connection.execute(_SHAPE).fetchone()
    assert shape is not None
    return Template(named(url), tuple(shape), "BEGIN; SET CONSTRAINTS ALL DEFERRED; " + "; ".join(clear) + "; COMMIT")
