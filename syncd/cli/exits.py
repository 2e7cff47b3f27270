"""Exit codes, and the ways a command can end before it is done."""

from __future__ import annotations

from syncd.errors import SyncdError

DONE = 0
FAILED = 1
CHANGES = 2
WAITING = 3
MISUSED = 64
INTERRUPTED = 130
TERMINATED = 143
"""128 + SIGINT and 128 + SIGTERM, as shells have them."""


class Ended(SyncdError):
    """A command ends here, with one clear sentence on stderr."""

    exit_code = FAILED


class Failed(Ended):
    """It was asked rightly and cannot be done."""


class Misused(Ended):
    """It was asked wrongly."""

    exit_code = MISUSED
