"""CSV that is safe to open in a spreadsheet: no cell of it is run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from syncd.cli.printer import Printer

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet run a cell (OWASP, CSV injection), in its full-width form too."""


def write(printer: Printer, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Row by row, as they come (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        printer.text(text.getvalue())
        text.seek(text.truncate(0))
    printer.text(text.getvalue())


def harmless(cell: str) -> str:
    """With an apostrophe before what would be run: a spreadsheet takes the rest for text."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
