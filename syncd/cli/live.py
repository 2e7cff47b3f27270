"""A line a connection at the foot of the terminal while the daemon runs; log lines pass above them."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

from syncd.cli.freshness import freshness
from syncd.cli.text import escaped, table
from syncd.environment import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from syncd.cli.printer import Printer
    from syncd.daemon.rounds import Rounds
    from syncd.environment import Environment

UP, ERASE = "\x1b[{n}A", "\r\x1b[J"
"""Lines up; everything from here to the end of the screen away (ECMA-48 8.3.22, 8.3.39)."""


class Live(io.StringIO):
    """What is written to it goes to stderr, above the lines."""

    def __init__(self, printer: Printer, environment: Environment) -> None:
        self._printer, self._environment = printer, environment
        self._out, self._lines, self._lock = printer.err, list[str](), threading.Lock()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._lock:
            self._erase()
            self._out.write(text)
            if text.endswith("\n"):
                self._draw()
        return len(text)

    def flush(self) -> None:
        self._out.flush()

    def show(self, rounds: Rounds) -> None:
        """Draw the lines anew."""
        with self._lock:
            self._erase()
            self._lines = list(self._table(rounds))
            self._draw()
            self._out.flush()

    def end(self) -> None:
        """The lines stay as they are; nothing is drawn any more."""
        with self._lock:
            self._lines = []

    def _table(self, rounds: Rounds) -> Iterable[str]:
        now, rows = self._environment.now(), []
        for name, turn in rounds.duties.turns.items():
            known = rounds.duties.known.get(name)
            state = {
                "last_delta": known.last_delta if known else None, "last_full": known.last_full if known else None,
                "paused": name in rounds.duties.paused, "suspended": turn.probe, "next_run": stamp(turn.at),
            }  # fmt: skip
            rows.append((name, freshness(state, now, working=name in rounds.working), known.error if known else ""))
        return (line[: self._width()] for line in table(rows)) if rows else ()

    def _width(self) -> int:
        import shutil

        return shutil.get_terminal_size().columns - 1

    def _erase(self) -> None:
        if self._lines:
            self._out.write(UP.format(n=len(self._lines)) + ERASE)

    def _draw(self) -> None:
        for line in self._lines:
            self._out.write(escaped(self._printer.mask(line)) + "\n")
