"""How what stands in a column becomes what syncd reads: as it is, or by an expression; and why."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date as Date
from datetime import datetime
from typing import Any

from syncd.settings.maps import COLUMN

Told = tuple[str, str, bool]
"""The column or an expression, the reason, and whether it can be relied on."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBERS = re.compile(r"(\d{2})([./-])(\d{2})\2(\d{4})")
_BOOLEANS = words("true false 1 0 yes no")
_YES = words("ja j oui o si sí s vrai wahr verdadero x y t sì sim")
_NO = words("nein n non faux falsch falso f nee não")
_GONE = words(
    "inactive terminated left former leaver ended retired disabled resigned deceased inaktiv ausgeschieden ausgetreten beendet gekündigt"
    " pensioniert inactif parti sorti terminé retraité démissionnaire inactivo baja cesado jubilado inattivo cessato"
)
_HERE = words("active employed current enabled working leave aktiv beschäftigt angestellt actif présent activo alta attivo actief") | {
    "on leave",
    "en congé",
    "in elternzeit",
}
ISO = "2026-12-31"


def plain(column: str) -> str:
    """A column by its name, where the grammar of maps takes it for one."""
    return column if COLUMN.fullmatch(column) and column.strip() == column else row(column)


def row(column: str) -> str:
    return f"row[{json.dumps(column, ensure_ascii=False)}]"


def date(column: str, values: Sequence[Any], language: str) -> Told:
    """ISO dates as they are; 31.12.2026 and its like taken apart, where it is clear which is the day."""
    texts = [str(one).strip() for one in values]
    if all(map(_iso, texts)):
        return plain(column), "" if texts else "no row has one yet", True
    found = [_NUMBERS.fullmatch(one) for one in texts]
    marks = {one[2] for one in found if one is not None}
    if not all(found) or len(marks) != 1 or not all(isinstance(one, str) for one in values):
        return plain(column), f"{_quoted(texts, _iso)} is no date that syncd reads: have it exported as {ISO}", False
    (mark,) = marks
    first, second = ([int(one[group]) for one in found if one is not None] for group in (1, 3))
    order = _order(mark, first, second, language)
    if order is None:
        return plain(column), f"{texts[0]} may be day or month first: have it exported as {ISO}", False
    part = [f"{row(column)}.split({json.dumps(mark)})[{place}]" for place in order]
    why = f"{'day' if order[2] == 0 else 'month'} first, as in {texts[0]}"
    return f'{row(column)} == "" ? "" : {part[0]} + "-" + {part[1]} + "-" + {part[2]}', why, True


def _order(mark: str, first: Sequence[int], second: Sequence[int], language: str) -> tuple[int, int, int] | None:
    """The places of year, month and day; None where it cannot be told."""
    if max(first) > 12 or mark == "." or (language not in ("", "en") and max(second) <= 12):
        return (2, 1, 0) if max(second) <= 12 else None
    return (2, 0, 1) if max(second) > 12 else None


def _iso(text: str) -> bool:
    try:
        Date.fromisoformat(text)
    except ValueError:
        try:
            datetime.fromisoformat(text)
        except ValueError:
            return False
    return True


def active(column: str, values: Sequence[Any]) -> Told:
    """Booleans as they are; words by those that surely mean that somebody is gone, so that a new word disables nobody."""
    if all(isinstance(one, bool) or str(one).strip().lower() in _BOOLEANS for one in values):
        return plain(column), "" if values else "no row has one yet", True
    words = {str(one).strip().lower() for one in values}
    told = all(isinstance(one, str) for one in values)
    gone = sorted(words & (_GONE | _NO)) or (["inactive"] if words <= _HERE else ["no"] if words <= _YES else [])
    if told and gone and words <= _GONE | _NO | _HERE | _YES:
        return f"!(lower({row(column)}) in {json.dumps(gone, ensure_ascii=False)})", "everybody else is active", True
    return (
        plain(column),
        f"{_quoted(sorted(words), _BOOLEANS.__contains__)} is neither true nor false: say which words mean inactive",
        False,
    )


def _quoted(texts: Sequence[str], fine: Any) -> str:
    return repr(next(one for one in texts if not fine(one)))[:40]
