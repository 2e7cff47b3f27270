"""The bench of the file connector: a temporary people file, and what happens to such files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from syncd.connectors.base import Connector
from syncd.connectors.conformance import Inapplicable, Sent, Swift, Usual
from syncd.connectors.file import FileConnector, FileOptions
from syncd.connectors.file_listing import PAGE
from syncd.model import Rate
from syncd.sandbox.faults import parse

COLUMNS = ("employeeNumber", "email", "displayName")
_LISTED = frozenset({"list", "page"})


def _csv(people: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    rows = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    rows.writeheader()
    rows.writerows(people)
    return text.getvalue().encode()


_WRITTEN: Mapping[str, Callable[[Sequence[Mapping[str, str]]], bytes]] = {
    ".csv": _csv,
    ".jsonl": lambda people: b"".join(json.dumps(one).encode() + b"\n" for one in people),
    ".json": lambda people: json.dumps(people, indent=1).encode(),
}
_SPOILT: Mapping[str, Callable[[bytes], bytes]] = {
    "cut": lambda raw: raw[:-5],
    "truncated": lambda raw: raw[: len(raw) // 2 - 1],
    "empty": lambda raw: b"",
    "html": lambda raw: b"<!DOCTYPE html>\n<title>Sign in</title>\n",
    "nul": lambda raw: raw.replace(b"Seeded 0", b"Seeded \\u0000" if raw[:1] in b"[{" else b"Seeded \x00"),
    "surrogate": lambda raw: raw.replace(b"Seeded 0", b"Seeded \xed\xa0\x80"),
}
"""Fault -> what becomes of the file."""


class FileBench(Usual):
    """``path``: its suffix says in which format the file is written. In JSON Lines nobody is an empty file, which proves nothing: there
    somebody is always there."""

    page = PAGE

    def __init__(self, path: Path) -> None:
        self._path, self._environment = path, Swift()
        self._people: list[dict[str, str]] = []
        self._spoil: Callable[[bytes], bytes] = bytes
        self.seed(path.suffix == ".jsonl")

    def connector(self, *, writable: bool = True) -> Connector:
        options = FileOptions(path=str(self._path), id=COLUMNS[0])
        return FileConnector(options, environment=self._environment, rate=Rate(), writable=writable)

    def seed(self, count: int) -> Sequence[str]:
        there = len(self._people)
        numbers = range(there, there + count)
        made = [{"employeeNumber": f"E{n}", "email": f"p{n}@corp.example", "displayName": f"Seeded {n}"} for n in numbers]
        self._people += made
        self._save()
        return [one["employeeNumber"] for one in made]

    def remove(self, id: str) -> None:
        self._people = [one for one in self._people if one["employeeNumber"] != id]
        self._save()

    def holds(self) -> Sequence[str]:
        return [one["employeeNumber"] for one in self._people]

    def writes(self) -> int:
        return 0

    def sent(self) -> Sequence[Sent]:
        raise Inapplicable("nothing travels")

    def fault(self, spec: str) -> None:
        self._spoil = bytes
        for fault in parse(spec):
            if fault.operation not in _LISTED or not (fault.kind in _SPOILT or fault.kind == "duplicate"):
                raise Inapplicable(f"no file has {fault.kind}@{fault.operation}")
            self._spoil = _SPOILT.get(fault.kind, bytes)
            self._save([*self._people, self._people[-1]] if fault.kind == "duplicate" else None)
            return
        self._save()

    def shows(self, attribute: str, value: Any) -> None:
        raise Inapplicable("nobody writes to a people file")

    def _save(self, people: Sequence[Mapping[str, str]] | None = None) -> None:
        self._path.write_bytes(self._spoil(_WRITTEN[self._path.suffix](self._people if people is None else people)))


@contextmanager
def bench(suffix: str = ".csv") -> Iterator[FileBench]:
    with TemporaryDirectory(prefix="syncd-") as directory:
        yield FileBench(Path(directory) / f"people{suffix}")
