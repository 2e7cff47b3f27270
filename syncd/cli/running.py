"""`syncd run`: the daemon."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from syncd.cli.app import app, command
from syncd.cli.invocation import Invocation, registry

if TYPE_CHECKING:
    from typing import TextIO

    from syncd.settings import Settings

KEYS = ("run", "connection")
"""On every JSON line, null where it is about none."""


@command(app, "run", json=False)
def run(invocation: Invocation) -> int:
    """The daemon: keep everything in step until it is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the service has its own way to end there is nothing to finish
    settings = invocation.settings
    from syncd.cli.live import Live
    from syncd.daemon.service import Service

    live = Live(invocation.printer, invocation.environment) if invocation.printer.live else None
    reader = _Reader(invocation, live or invocation.printer.err)
    reader.mask(settings)
    service = Service(invocation.environment, settings, reader.load, invocation.environ, live.show if live else None)
    try:
        return asyncio.run(service.run())
    finally:
        if live is not None:
            live.end()


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
