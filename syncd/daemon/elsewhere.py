"""What other processes keep from this one: a connection, or the whole store; said once each time it lasts."""

from __future__ import annotations

from collections.abc import Collection

import structlog

from syncd.environment import Environment
from syncd.health import Board

SHORT = 5.0
"""Seconds for which others may keep something: that they are at work for a moment is as it should be."""
log = structlog.get_logger("syncd")


class Elsewhere:
    """None stands for the whole store."""

    def __init__(self, environment: Environment, board: Board) -> None:
        self._environment, self._board = environment, board
        self._since: dict[str | None, float] = {}
        self._said: set[str | None] = set()

    def kept(self, name: str | None, reason: str) -> None:
        now = self._environment.monotonic()
        lasts = now - self._since.setdefault(name, now) >= SHORT and name not in self._said
        (log.info if lasts else log.debug)("skipped", reason=reason, connection=name)
        if lasts:
            self._said.add(name)
        if name is not None:
            self._board.gauge("syncd_lease_held", name, 0)

    def free(self, besides: Collection[str]) -> None:
        """All connections but these; that a lease can be looked up does not say that anything can be written."""
        self._forget(self._since.keys() - {None, *besides})

    def store_free(self) -> None:
        """It was written, or nothing is to be."""
        self._forget({None})

    def _forget(self, names: Collection[str | None]) -> None:
        for name in names:
            self._since.pop(name, None)
            self._said.discard(name)
