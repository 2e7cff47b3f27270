"""One pass over a people file: pages of rows out, and at the end the proof, or the reason against it, that nobody is missing."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

from syncd.connectors import file_csv, file_json
from syncd.connectors.file_rows import BrokenOff, Row, Seen
from syncd.errors import Incomplete
from syncd.model import Cursor, Flaw, Page

PAGE = 1000
"""Rows of one page, rejected ones included; 1,000 rows of a dozen cells take about 3 ms."""

Reader = Callable[[BinaryIO, str, str, Mapping[str, str]], Iterator[Row]]
READERS: dict[str, Reader] = {
    ".csv": file_csv.read,
    ".jsonl": file_json.read_lines,
    ".json": file_json.read_array,
}


class Listing:
    """An open people file and the place reached in it; memory does not grow with the file but for 12 to 24 bytes an id.

    ``path`` must end in one of READERS. Raises Incomplete, with the cure, if there is no readable regular file.
    """

    def __init__(self, path: Path, id: str, required: Mapping[str, str], delimiter: str = ",") -> None:
        self.name, self.id = path.name, id
        self._path = path
        self._file = opened(path)
        self._before = _state(os.fstat(self._file.fileno()))
        self._rows = reader(path, delimiter)(self._file, self.name, id, required)
        self._seen = Seen()
        self._read = self._pages = self._defects = 0
        self._defect = ""
        self._columns: dict[str, None] = {}
        self._latest: Collection[str] = ()

    def __iter__(self) -> Iterator[Row]:
        """The rows as they stand, duplicates included; raises BrokenOff where the file does."""
        return self._rows

    def page(self) -> Page:
        """The next rows. A refused header raises Incomplete; whatever else is wrong becomes a flaw, and a defect of the last page."""
        records: list[bytes] = []
        flaws: list[Flaw] = []
        first = self._read
        ended = not self._fill(records, flaws)
        self._read += len(records)
        self._pages += 1
        if not ended:
            return Page(records, first, self.cursor, flaws=flaws)
        self._unchanged()
        self.close()
        return Page(records, first, complete=not self._defects, defect=self._summary(), flaws=flaws, columns=tuple(self._columns))

    @property
    def cursor(self) -> Cursor:
        """The place behind the pages handed out so far, in this very state of the file."""
        return Cursor("-".join(map(str, (*self._before, self._pages))))

    def close(self) -> None:
        self._file.close()

    def _fill(self, records: list[bytes], flaws: list[Flaw]) -> bool:
        """Add up to PAGE rows; False at the end of the file."""
        for _ in range(PAGE):
            try:
                row = next(self._rows, None)
            except BrokenOff as end:
                self._against(str(end))
                return False
            if row is None:
                return False
            if row.columns is not self._latest:
                self._columns.update(dict.fromkeys(row.columns))
                self._latest = row.columns
            flaw = self._judge(row)
            if flaw:
                flaws.append(flaw)
            else:
                records.append(row.record)
        return True

    def _judge(self, row: Row) -> Flaw | None:
        reason = row.flaw
        known = row.id is None or self._seen.add(row.id)
        if known and not reason:
            return None
        where = f"{self.name} line {row.line}"
        if not known:
            reason = reason or f"{self.id} {row.id!r} stands in the file twice"
        if row.id is None or row.lossy or not known:
            self._against(f"{where}: {reason}")
        return Flaw(where, reason, row.id)

    def _unchanged(self) -> None:
        try:
            after = _state(self._path.stat())
        except OSError as error:
            self._against(f"{self.name} went away while it was read: {error.strerror}")
            return
        if after != self._before:
            self._against(f"{self.name} was changed while it was read")

    def _against(self, defect: str) -> None:
        self._defect = self._defect or defect
        self._defects += 1

    def _summary(self) -> str:
        more = f" (and {self._defects - 1} more)" if self._defects > 1 else ""
        return self._defect + more


def reader(path: Path, delimiter: str) -> Reader:
    read = READERS[path.suffix.lower()]
    return partial(file_csv.read, delimiter=delimiter) if read is file_csv.read else read


def opened(path: Path) -> BinaryIO:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Incomplete(f"{path} is not a file: `path` must name a {', '.join(READERS)} file")
        return path.open("rb")
    except FileNotFoundError:
        raise Incomplete(f"{path} does not exist: correct `path`, or put the file there") from None
    except OSError as error:
        raise Incomplete(f"{path} cannot be read: {error.strerror}; give the user syncd runs as the right to read it") from None


def _state(of: os.stat_result) -> tuple[int, int, int, int]:
    """What changes when a file is replaced, rewritten or appended to."""
    return of.st_dev, of.st_ino, of.st_size, of.st_mtime_ns
