"""`syncd run`: the daemon."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli.app import app, command
from syncd.cli.invocation import Invocation, registry
from syncd.errors import Fatal

if TYPE_CHECKING:
    from typing import TextIO

    from syncd.daemon.rounds import Rounds
    from syncd.settings import Settings

Queue = Annotated[bool, typer.Option("--queue", help="Share what is due with the other workers on this store; needs the extra `scale`.")]
KEYS = ("run", "connection")
"""On every JSON line, null where it is about none."""
NEEDED = ("procrastinate", "psycopg_pool")
"""What the extra `scale` brings."""


@command(app, "run", json=False)
def run(invocation: Invocation, queue: Queue = False) -> int:
    """The daemon: keep everything in step until it is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the service has its own way to end there is nothing to finish
    settings = invocation.settings
    from syncd.cli.live import Live
    from syncd.daemon.service import Service

    rounds = _rounds(settings, queue)

    live = Live(invocation.printer, invocation.environment) if invocation.printer.live else None
    reader = _Reader(invocation, live or invocation.printer.err)
    reader.mask(settings)
    service = Service(invocation.environment, settings, reader.load, invocation.environ, live.show if live else None, rounds)
    try:
        return asyncio.run(service.run())
    finally:
        if live is not None:
            live.end()


def _rounds(settings: Settings, queue: bool) -> type[Rounds]:
    """Raises Fatal where there can be no queue."""
    if not queue:
        from syncd.daemon.rounds import Rounds

        return Rounds
    from syncd.settings.place import POSTGRESQL

    if not settings.store.url.startswith(POSTGRESQL):
        raise Fatal(
            "run --queue needs a store in PostgreSQL, where workers of several machines find it\n"
            "  set store.url: postgresql://USER@HOST/NAME, or leave --queue out: one daemon does all that is due"
        )
    try:
        from syncd.daemon.queued import Queued
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in NEEDED:
            raise
        raise Fatal("run --queue needs the extra `scale`\n  pip install 'syncd[scale]'") from None
    return Queued


class _Reader:
    """Reads the configuration again, and logs as it says; a secret that was ever in use stays masked."""

    def __init__(self, invocation: Invocation, stream: TextIO) -> None:
        self._invocation, self._stream = invocation, stream
        self._secrets: dict[str, None] = {}

    def load(self) -> Settings:
        """Raises Refused."""
        from syncd.settings import load

        settings = load(self._invocation.config, registry(), self._invocation.environ)
        self.mask(settings)
        return settings

    def mask(self, settings: Settings) -> None:
        from syncd import log

        invocation = self._invocation
        self._secrets.update(dict.fromkeys(settings.secrets))
        level = "debug" if invocation.verbose else "warning" if invocation.printer.quiet else settings.log.level
        invocation.printer.mask = log.setup(level, settings.log.format, self._secrets, self._stream, always=KEYS).value
