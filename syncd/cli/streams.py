"""The three standard streams, as whoever started the process left them: closed, full, or with nobody at the other end."""

from __future__ import annotations

import errno
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
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")


def unwritten(error: OSError) -> bool:
    """It comes from writing to a stream, not from a file with a name."""
    return error.filename is None and error.errno in UNWRITTEN
