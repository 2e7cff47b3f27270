"""What PostgreSQL's refusals mean for a person: who can wait, and who has to change something. No text of it holds a secret."""

from __future__ import annotations

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict

from syncd.errors import Away, Busy, Fatal

_LOST = ("08", "57P", "25P03")
"""SQLSTATE: connection exceptions; the server ends, crashed, or starts; one stood still ("PostgreSQL Error Codes", appendix A)."""
_WAITED = ("55P03", "40P01", "40001")
_CURES = (
    (re.compile(r"no password supplied|authentication failed"), "check the user and the password in store.url"),
    (re.compile(r'database ".*" does not exist'), "create it (createdb NAME), or name another in store.url"),
    (re.compile(r'role ".*" does not exist'), "create the role (createuser NAME), or name another in store.url"),
    (re.compile(r"no pg_hba.conf entry"), "let this host in (pg_hba.conf), or ask for TLS as it wants: ?sslmode=require in store.url"),
    (re.compile(r"permission denied for database"), "grant CONNECT on it, or name another user in store.url"),
    (re.compile(r"certificate|SSL"), "see sslmode, sslrootcert and sslcert in store.url"),
)  # fmt: skip
"""What no waiting helps -> what does."""
_ESCAPED = "in the user and the password write % as %25, @ as %40, / as %2F, : as %3A, ? as %3F, # as %23"


def called(url: str) -> str:
    """The database and where it is. Raises Fatal for an address that libpq does not read, or would read as another."""
    authority, _, path = url.partition("://")[2].partition("/")
    if authority.count("@") > 1 or "@" in path.partition("?")[0]:
        raise Fatal(f"store.url is no address of a PostgreSQL database: its password ends too early\n  {_ESCAPED}")
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise Fatal(
            f"store.url is no address of a PostgreSQL database: {_unquoted(error)}\n  write postgresql://USER@HOST:PORT/NAME; {_ESCAPED}"
        ) from None
    host, port = str(parts.get("host") or "localhost"), str(parts.get("port") or 5432)
    return f"{parts.get('dbname') or parts.get('user') or 'postgres'} at {host}:{port}"


def _unquoted(error: psycopg.Error) -> str:
    """Without what was wrong: it may be a password, or a part of one."""
    return re.sub(r':? ?"[^"]*"', "", _first(error))


def unopened(error: psycopg.Error, name: str) -> Fatal:
    """Of a connection that was not made."""
    text = str(error)
    cure = next((cure for pattern, cure in _CURES if pattern.search(text)), None)
    why = _first(error)
    if cure is not None:
        return Fatal(f"the store {name} cannot be opened: {why}\n  {cure}")
    return Away(
        f"the store {name} does not answer: {why}\n  is PostgreSQL running there? store.url says where; syncd goes on when it is back"
    )


def failure(error: psycopg.Error, name: str) -> Fatal | None:
    """Of a statement or a transaction; None = a fault of the statement."""
    code = error.sqlstate or ""
    if code in _WAITED:
        return Busy(f"the store {name} is in use: another process keeps it locked; try again later")
    if code.startswith(_LOST) or (not code and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)):
        return lost(name, _first(error))
    if not code and type(error) is psycopg.DatabaseError:  # libpq's own word, without a server's
        return lost(name, _first(error))
    if code == "25006":
        return Fatal(f"the store {name} can only be read: a standby, or read-only by its settings\n  name the primary in store.url")
    if code == "42501":
        return Fatal(f"the store {name} refuses: {_first(error)}\n  its user needs to own the schema, or CREATE and USAGE on it")
    if code.startswith("53") or isinstance(error, psycopg.OperationalError):
        return Fatal(f"the store {name} cannot be written: {_first(error)}")
    return None


def lost(name: str, why: str = "the connection is lost") -> Away:
    """What had begun is undone by the server."""
    return Away(f"the store {name} does not answer any more: {why}\n  what was not committed is undone; the next run goes on here")


def _first(error: psycopg.Error) -> str:
    """One line: the last of what libpq tells of several addresses."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next((line for line in lines if "FATAL:" in line), lines[0] if lines else type(error).__name__)
    return re.sub(r"^.*?(?:FATAL|ERROR):\s*|^connection failed: ", "", told)
