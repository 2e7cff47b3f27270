"""Made-up people: person n of a seed is always the same, is made when asked for, and is found again by e-mail address alone."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from typing import NamedTuple

GIVEN = (
    "Ada", "Amara", "Anaïs", "Bruno", "Chloé", "Dalia", "Edgar", "Elif", "Farid", "Femi", "Greta", "Hana", "Hugo", "Imani",
    "Inés", "Jonas", "Kaito", "Kofi", "Leïla", "Linnéa", "Mateo", "Mei", "Nadia", "Niamh", "Omar", "Oriol", "Priya", "Quentin",
    "Rafaël", "Rosa", "Sanjay", "Sofía", "Tariq", "Thérèse", "Uma", "Viktor", "Wanda", "Ximena", "Yusuf", "Zoë",
)  # fmt: skip
FAMILY = (
    "Abara", "Almeida", "Andersson", "Bauer", "Benítez", "Castro", "Chen", "Costa", "Dubois", "Eriksen", "Farkaš", "Fischer",
    "García", "Haddad", "Hughes", "Ito", "Jansen", "Kaur", "Keita", "Lindqvist", "Marín", "Mensah", "Müller", "Novák", "Okafor",
    "O'Dowd", "Olsen", "Pérez", "Quist", "Rossi", "Sato", "Schäfer", "Silva", "Tanaka", "Ümit", "Varga", "Weber", "Zhou",
)  # fmt: skip
DEPARTMENTS = ("Support", "Sales", "Engineering", "Finance", "Operations")
TITLES = ("Agent", "Specialist", "Lead", "Manager")
COLUMNS = ("employeeNumber", "displayName", "givenName", "familyName", "email", "department", "title")

_ADDRESS = re.compile(r"[a-z]+\.[a-z]+([1-9][0-9]{0,11})@example\.com")


class Person(NamedTuple):
    """One row of a people file; attribute names are the canonical ones, ``employeeNumber`` is the source's id."""

    employeeNumber: str
    givenName: str
    familyName: str
    email: str
    department: str
    title: str

    @property
    def displayName(self) -> str:
        return f"{self.givenName} {self.familyName}"


def _ascii(name: str) -> str:
    """The letters of a name as they stand in an e-mail address."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return re.sub("[^a-z]", "", folded.lower())


_GIVEN = tuple((name, _ascii(name)) for name in GIVEN)
_FAMILY = tuple((name, _ascii(name)) for name in FAMILY)


def person(n: int, seed: int = 0) -> Person:
    """Person ``n`` (from 1 up) of ``seed``; the number in the address keeps addresses unique."""
    mixed = ((n + seed * 0x9E3779B9) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 20
    given, family = _GIVEN[mixed % len(_GIVEN)], _FAMILY[(mixed >> 8) % len(_FAMILY)]
    return Person(
        employeeNumber=f"E{n:05}",
        givenName=given[0],
        familyName=family[0],
        email=f"{given[1]}.{family[1]}{n}@example.com",
        department=DEPARTMENTS[(mixed >> 16) % len(DEPARTMENTS)],
        title=TITLES[(mixed >> 24) % len(TITLES)],
    )


def number(email: str, seed: int = 0) -> int | None:
    """The inverse of `person` by e-mail address; None for an address that no person of ``seed`` has."""
    match = _ADDRESS.fullmatch(email)
    n = int(match[1]) if match else 0
    return n if n and person(n, seed).email == email else None


def people_csv(count: int, seed: int = 0) -> str:
    """A people file with persons 1 to ``count``: the same people as the users the sandbox is seeded with."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for n in range(1, count + 1):
        one = person(n, seed)
        rows.writerow([getattr(one, column) for column in COLUMNS])
    return text.getvalue()
