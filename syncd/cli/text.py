"""Values, numbers and moments as a person reads them; nothing here may reach a terminal unescaped (see `escaped`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import orjson

LONGEST = 60
"""Characters of a value in text output; the whole of it is in the JSON."""
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def escaped(text: str) -> str:
    """One line without control characters, line separators and direction marks (Unicode TR 36, section 3.6): each as its escape."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def value(given: Any) -> str:
    """An attribute's value as JSON, shortened; ``(none)`` for no value."""
    if given is None or given == "" or given == []:
        return "(none)"
    return shortened(orjson.dumps(given).decode())


def shortened(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def count(number: int, one: str, many: str = "") -> str:
    """``1 account``, ``2,000 accounts``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Sequence[str], more: int = 0) -> str:
    """``a, b and 3 more``."""
    return ", ".join(words) + (f" and {more:,} more" if more > 0 else "")


def duration(seconds: float) -> str:
    """``0.4 s``, ``2 min 5 s``, ``3 h 20 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"


def ago(moment: datetime | None, now: datetime) -> str:
    """``never``, ``just now``, ``2 minutes ago``."""
    if moment is None:
        return "never"
    seconds = int((now - moment).total_seconds())
    for size, name in _UNITS:
        if seconds >= size and (size > 1 or seconds >= 5):
            return f"{count(seconds // size, name)} ago"
    return "just now"


def utc(moment: datetime) -> str:
    """``2026-11-21 08:00 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def table(rows: Iterable[Sequence[str]], indent: str = "") -> Iterator[str]:
    """Columns as wide as their widest cell; the last one as long as it likes."""
    cells = [[escaped(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        yield (indent + "  ".join([*padded, row[-1]])).rstrip()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'chat'?)``, or what is known."""
    names = sorted(known)
    near = get_close_matches(word, names, n=1)
    return f" (did you mean {near[0]!r}?)" if near else f" (known: {', '.join(names) or 'none'})"


def called(row: Any) -> str:
    """Whom or what a change is about: a person by name, anything else with its kind."""
    return row.who if row.object == "user" else f"{row.object} {row.who}"
