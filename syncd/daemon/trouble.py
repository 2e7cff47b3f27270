"""What keeps cycles from their work: it is waited out, said once, and said again when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from syncd.daemon.elsewhere import SHORT, Elsewhere
from syncd.environment import Environment
from syncd.errors import Away, Busy, Fatal
from syncd.health import Board
from syncd.store import Store
from syncd.store.places import Moved

LONG = 60.0
"""Seconds until the next try after anything that a person has to mend; `SHORT` after what mends itself."""
log = structlog.get_logger("syncd")


class Trouble:
    """``elsewhere``: is told when another run keeps a connection, or another process the store."""

    def __init__(self, environment: Environment, store: Store, board: Board, elsewhere: Elsewhere) -> None:
        self._environment, self._store, self._board, self._elsewhere = environment, store, board, elsewhere
        self._until = 0.0

    @property
    def resting(self) -> bool:
        return self._environment.monotonic() < self._until

    def reopened(self) -> bool:
        """The store is the one that was opened; if not, from now on the one that was put in its place. Raises Fatal."""
        try:
            self._store.check()
        except Moved as error:
            self._store.reopen()
            log.warning("store reopened", reason=str(error))
            return True
        return False

    @contextmanager
    def mending(self) -> Iterator[None]:
        """Whatever goes wrong with a cycle, the next tick comes."""
        rest = 0.0
        try:
            yield
        except Busy as error:
            rest = 0.0 if error.connection else SHORT
            self._elsewhere.kept(error.connection, str(error))
        except Fatal as error:
            rest = SHORT if isinstance(error, Moved | Away) else LONG
            self._say(str(error))
        except Exception as error:  # a fault of syncd: it is logged, and the daemon goes on
            rest = LONG
            log.exception("failed", error=f"unexpected {type(error).__name__}: {error}")
        if rest:
            self._until = self._environment.monotonic() + rest

    def over(self) -> None:
        """A cycle went through, or none is wanted."""
        self._elsewhere.store_free()
        self._say("")

    def _say(self, why: str) -> None:
        if why and why != self._board.trouble:
            log.error("at rest", error=why)
        elif self._board.trouble and not why:
            log.info("at work again")
        self._board.trouble = why
