"""What the columns of a people file are for: guessed from their headers and from what stands in them, each guess with its reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syncd.settings import cells
from syncd.settings.headers import ID, LANGUAGES, MEANINGS, WORDS, folded

CODE = re.compile(r"(?=.*\d)[\w.-]{1,40}")
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
SALUTATIONS = cells.words("mr mrs ms miss dr prof herr frau m mme mlle sr sra srta sig")
SAME = "it bears the canonical name"


@dataclass(frozen=True, slots=True)
class Guess:
    """``text``: a column, or an expression over ``row``. Not ``sure``: it is written as a comment, with what is missing."""

    canonical: str
    column: str
    text: str
    why: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Guesses:
    """``ids``: columns that may be the account's id, the likeliest first, each with the reason; ``named``: their headers say so.

    ``language``: of most headers, "" where they tell none. ``dated``: somebody's account begins or ends on a date.
    """

    ids: Sequence[tuple[str, str]]
    named: bool
    attributes: Sequence[Guess]
    unused: Sequence[str]
    language: str
    dated: bool


def guess(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Guesses:
    """``rows``: some of them, as the connector reads them."""
    language = _language(columns)
    values = {column: [row[column] for row in rows if row.get(column) not in (None, "", [])] for column in columns}
    chosen = _chosen(columns, values, language)
    found = [made for canonical in WORDS if canonical in chosen and (made := _guess(canonical, chosen[canonical], values, language))]
    found = _names(found, values)
    named = [(column, f"{column} is what such files call it") for column in _candidates(ID, columns, language)]
    used = {one.column for one in found if one.sure} | {column for column, _ in named[:1]}
    ids = named or _unnamed(columns, rows, values, found)
    unused = [column for column in columns if column not in used and column not in dict(ids[:1])]
    dated = any(one.canonical in ("activeFrom", "activeUntil") for one in found)
    return Guesses(ids, bool(named), found, unused, language, dated)


def _language(columns: Sequence[str]) -> str:
    """That of most headers that are of one language alone."""
    told = [{language for _, _, language in MEANINGS.get(folded(column), ())} for column in columns]
    votes = Counter(one.pop() for one in told if len(one) == 1)
    return votes.most_common(1)[0][0] if votes else ""


def _candidates(canonical: str, columns: Sequence[str], language: str) -> list[str]:
    """The columns that may be it, the best first: by the canonical name itself, the language of the file, the rank of the word."""
    ranked = []
    for place, column in enumerate(columns):
        meanings = [(spoken != language, rank) for name, rank, spoken in MEANINGS.get(folded(column), ()) if name == canonical]
        if meanings or column == canonical:
            ranked.append((column != canonical or canonical == ID, min(meanings, default=(False, 0)), place, column))
    return [column for *_, column in sorted(ranked)]


def _chosen(columns: Sequence[str], values: Mapping[str, Sequence[Any]], language: str) -> dict[str, str]:
    """Canonical name -> column: each column once. Half a name that stands alone is a whole one."""
    chosen: dict[str, str] = {}
    for canonical in (name for name in WORDS if name != ID):
        fits = _FITS.get(canonical)
        free = [one for one in _candidates(canonical, columns, language) if one not in chosen.values()]
        free = [one for one in free if fits is None or fits(values[one])]
        if free:
            chosen[canonical] = free[0]
    if "email" not in chosen:
        mails = [column for column in columns if values[column] and _mails(values[column]) and column not in chosen.values()]
        chosen |= {"email": mails[0]} if mails else {}
    family, given, whole = (chosen.get(name) for name in ("familyName", "givenName", "displayName"))
    if given and whole and not family and folded(whole) in ("name", "naam"):
        chosen["familyName"] = chosen.pop("displayName")
    elif family and not given and not whole:
        chosen["displayName"] = chosen.pop("familyName")
    elif given and not family and not whole and folded(given) in ("nombre", "nombres", "nome"):
        chosen["displayName"] = chosen.pop("givenName")
    return chosen


def _mails(values: Sequence[Any]) -> bool:
    """Nine of ten are addresses; of no values, none is none."""
    return sum(bool(MAIL.fullmatch(str(one).strip())) for one in values) >= 0.9 * len(values)


def _no_salutation(values: Sequence[Any]) -> bool:
    return not values or not all(str(one).strip(" .").lower() in SALUTATIONS for one in values)


_FITS: Mapping[str, Callable[[Sequence[Any]], bool]] = {"email": _mails, "title": _no_salutation}


def _guess(canonical: str, column: str, values: Mapping[str, Sequence[Any]], language: str) -> Guess | None:
    made = Guess(canonical, column, column, _why(canonical, column, language))
    if canonical in ("activeFrom", "activeUntil"):
        text, why, sure = cells.date(column, values[column], language)
    elif canonical == "active":
        text, why, sure = cells.active(column, values[column])
    else:
        return replace(made, text=cells.plain(column))
    return replace(made, text=text, why=f"{made.why}; {why}" if why else made.why, sure=sure)


def _why(canonical: str, column: str, language: str) -> str:
    if column == canonical:
        return SAME
    languages = [spoken for name, _, spoken in MEANINGS.get(folded(column), ()) if name == canonical]
    if not languages:
        return "its values are e-mail addresses" if canonical == "email" else "beside one half of a name it is the other"
    return f"so called in {LANGUAGES[language if language in languages else languages[0]]}"


def _names(found: list[Guess], values: Mapping[str, Sequence[Any]]) -> list[Guess]:
    """A display name put together from the two halves, where no column has it; a userName, where only an address is one."""
    have = {one.canonical: one for one in found}
    if "userName" not in have and "email" in have:
        found = [replace(have["email"], canonical="userName", why="the address is what people sign in with; no column is a login"), *found]
    halves = [have[name].column for name in ("givenName", "familyName") if name in have]
    if "displayName" not in have and len(halves) == 2 and all(isinstance(one, str) for half in halves for one in values[half]):
        text = f'({cells.row(halves[0])} + " " + {cells.row(halves[1])}).trim()'
        found = [*found, Guess("displayName", halves[1], text, "put together from the two; no column has the whole name")]
    return found


def _unnamed(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], values: Mapping[str, Sequence[Any]], found: Sequence[Guess]
) -> list[tuple[str, str]]:  # fmt: skip
    """Columns that could be the id by what stands in them: codes first, then what people sign in with."""
    whole = [column for column in columns if len(rows) == len(values[column]) == len({str(one) for one in values[column]}) > 0]
    taken = {one.column for one in found}
    codes = [one for one in whole if one not in taken and all(CODE.fullmatch(str(value)) for value in values[one])]
    logins = [one.column for one in found if one.canonical in ("userName", "email") and one.column in whole]
    told = "different for each, and looks like a number"
    last = "different for each; an address or login can change, a number from HR would be better"
    return [*((one, told) for one in codes), *((one, last) for one in dict.fromkeys(logins))]
