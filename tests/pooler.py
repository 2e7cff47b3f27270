"""A real PgBouncer before the PostgreSQL of the tests, which gives each transaction a server connection of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from tests.deploy.tools import PATIENCE, tool
from tests.postgresql_server import OWNER, named, server

SETTINGS = """\
[databases]
* = host={host} port={port} user={owner}
[pgbouncer]
pool_mode = transaction
server_lifetime = 0
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
logfile = {root}/log
pidfile =
"""
"""``server_lifetime = 0``: used once, then closed."""


@contextmanager
def pooled(url: str) -> Iterator[str]:
    """The URL of that database through the pooler."""
    root = Path(mkdtemp(prefix="syncd-pooler-"))
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        own = int(one.getsockname()[1])
    (root / "settings").write_text(SETTINGS.format(host=server().root, port=server().port, owner=OWNER, own=own, root=root))
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    if user:
        for path in (root, root / "settings"):
            shutil.chown(path, "nobody", "nogroup")
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        [tool("pgbouncer", "apt-get install pgbouncer"), "-q", str(root / "settings")], stdout=quiet, stderr=quiet, cwd="/", **user
    )  # type: ignore[call-overload]
    try:
        made = f"postgresql://{OWNER}@127.0.0.1:{own}/{named(url)}"
        deadline = time.monotonic() + PATIENCE
        while not _answers(made):
            assert process.poll() is None and time.monotonic() < deadline, (root / "log").read_text()
        yield made
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(root)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
