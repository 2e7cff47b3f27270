"""The three standard streams, as whoever started the process left them: closed, full, or with nobody at the other end."""

from __future__ import annotations

import errno
import io
import os
import sys

UNWRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def occupy() -> None:
    """A stream that is closed becomes /dev/null; left free, its number would be that of the next file that is opened, the store perhaps,
    and what is printed would be written into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free (open(2))
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() != "utf-8":
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that this terminal has no letters for ends nothing


def unwritten(error: Exception) -> bool:
    """It comes from writing to a stream, not from a file with a name. What is still to be written there is thrown away: Python would try
    again at the end of the process, and make an exit code of its own of it."""
    if not isinstance(error, OSError) or error.filename is not None or error.errno not in UNWRITTEN:
        return False
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return True
