"""What columns are for, guessed from headers in several languages and from what stands in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.settings import cells
from syncd.settings.guess import Guesses, guess
from syncd.settings.headers import MEANINGS, WORDS, folded

ENGLISH = (
    "Employee ID,First Name,Last Name,Work Email,Job Title,Department,Company,Hire Date,Termination Date,Employment Status,Mobile Phone"
)
GERMAN = "Personalnummer,Anrede,Vorname,Name,E-Mail,Funktion,Abteilung,Firma,Eintrittsdatum,Austrittsdatum,Aktiv,Telefon"
FRENCH = "Matricule,Civilité,Nom,Prénom,Courriel,Poste,Service,Société,Date d'entrée,Date de sortie,Statut,Téléphone portable"
SPANISH = "Nº empleado,Nombre,Apellidos,Correo electrónico,Puesto,Departamento,Empresa,Fecha de alta,Fecha de baja,Estado,Teléfono móvil"


def rows(columns: Sequence[str], *lines: str) -> list[dict[str, str]]:
    return [dict(zip(columns, line.split(","), strict=True)) for line in lines]


def parts(mark: str, *order: int) -> str:
    """A date taken apart: the places of year, month and day."""
    year, month, day = (f'row["X"].split("{mark}")[{place}]' for place in order)
    return f'row["X"] == "" ? "" : {year} + "-" + {month} + "-" + {day}'


def made(found: Guesses) -> dict[str, str]:
    """Canonical name -> column, of those that are sure."""
    return {one.canonical: one.column for one in found.attributes if one.sure}


@pytest.mark.parametrize(
    ("header", "lines", "language", "id", "family"),
    [
        (ENGLISH, ["7,Ann,Lee,ann@x.co,Clerk,Ops,ACME,2020-01-31,,Active,+1", "8,Bo,Ray,b@x.co,Boss,Ops,ACME,2020-01-31,,Left,+1"],
         "en", "Employee ID", "Last Name"),
        (GERMAN, ["7,Frau,Ann,Lee,ann@x.co,Technik,IT,ACME,31.01.2020,,ja,+4", "8,Herr,Bo,Ray,b@x.co,Chef,IT,ACME,01.02.2020,,nein,+4"],
         "de", "Personalnummer", "Name"),
        (FRENCH, ["7,Mme,Lee,Ann,ann@x.co,Paie,RH,ACME,31/01/2020,,Actif,+3", "8,M.,Ray,Bo,b@x.co,Chef,RH,ACME,01/02/2020,,Sorti,+3"],
         "fr", "Matricule", "Nom"),
        (SPANISH, ["7,Ann,Lee,ann@x.co,Jefa,RRHH,ACME,31/01/2020,,Activo,+3", "8,Bo,Ray,b@x.co,Jefe,RRHH,ACME,01/02/2020,,Baja,+3"],
         "es", "Nº empleado", "Apellidos"),
    ],
)  # fmt: skip
def test_the_exports_of_four_languages(header: str, lines: Sequence[str], language: str, id: str, family: str) -> None:
    columns = header.split(",")
    found = guess(columns, rows(columns, *lines))
    have = made(found)
    assert (found.language, found.ids[0][0], have["familyName"]) == (language, id, family)
    assert {"userName", "email", "givenName", "familyName", "displayName", "title", "department", "organization", "phone"} <= have.keys()
    assert {"activeFrom", "activeUntil", "active"} <= have.keys() and found.dated
    assert have["email"] == have["userName"]
    assert set(found.unused) <= {"Anrede", "Civilité"}


def test_the_canonical_name_itself_comes_before_every_other_word() -> None:
    columns = ["mail", "email", "login", "userName", "name", "displayName", "personId", "employeeNumber"]
    found = guess(columns, rows(columns, "a@x.co,b@x.co,l,u,n,d,1,2"))
    assert made(found) == {"email": "email", "userName": "userName", "displayName": "displayName"}
    assert [column for column, _ in found.ids] == ["employeeNumber", "personId"]
    assert sorted(found.unused) == ["login", "mail", "name", "personId"]


@pytest.mark.parametrize(
    ("header", "whole"), [("Nom", "Nom"), ("Nombre", "Nombre"), ("Name", "Name"), ("Full Name", "Full Name"), ("Nachname", "Nachname")]
)
def test_half_a_name_that_stands_alone_is_a_whole_one(header: str, whole: str) -> None:
    assert made(guess([header, "Email"], [])).get("displayName") == whole


def test_a_form_of_address_is_no_title() -> None:
    columns = ["id", "Title", "Job Title"]
    assert made(guess(columns, rows(columns, "1,Mr.,Clerk", "2,Dr,Boss")))["title"] == "Job Title"


def test_addresses_are_known_by_their_looks_and_what_is_none_is_not_one() -> None:
    columns = ["id", "Kontakt", "Email"]
    assert made(guess(columns, rows(columns, "1,a@x.co,yes", "2,b@x.co,no")))["email"] == "Kontakt"


def test_without_a_header_that_says_so_a_code_is_the_id_and_an_address_the_last_resort() -> None:
    columns = ["Wer", "Code", "Email"]
    same = rows(columns, "Ann,A1,a@x.co", "Ann,B2,b@x.co")
    assert [column for column, _ in guess(columns, same).ids] == ["Code", "Email"]
    assert guess(columns, rows(columns, "Ann,A1,a@x.co", "Ann,A1,a@x.co")).ids == []


@pytest.mark.parametrize(
    ("values", "language", "text", "sure"),
    [
        (["2026-12-31", "2026-01-01T08:00:00+01:00"], "de", "X", True),
        ([], "de", "X", True),
        (["31.12.2026", "01.02.2026"], "", parts(".", 2, 1, 0),
         True),
        (["12/31/2026"], "en", parts("/", 2, 0, 1), True),
        (["01/02/2026"], "fr", parts("/", 2, 1, 0), True),
        (["01/02/2026"], "en", "X", False),
        (["13/14/2026"], "fr", "X", False),
        (["01/02/2026", "01.02.2026"], "fr", "X", False),
        (["46022"], "en", "X", False),
        (["soon"], "de", "X", False),
    ],
)  # fmt: skip
def test_dates(values: Sequence[str], language: str, text: str, sure: bool) -> None:
    told, why, known = cells.date("X", values, language)
    assert (told, known) == (text, sure) and (known or why)


@pytest.mark.parametrize(
    ("values", "text", "sure"),
    [
        (["true", "0", "No"], "X", True),
        ([], "X", True),
        (["Ja", "Nein"], '!(lower(row["X"]) in ["nein"])', True),
        (["Ja"], '!(lower(row["X"]) in ["no"])', True),
        (["Active", "On leave", "Terminated", "Left"], '!(lower(row["X"]) in ["left", "terminated"])', True),
        (["Active"], '!(lower(row["X"]) in ["inactive"])', True),
        (["A", "B"], "X", False),
        (["Active", "Sabbatical"], "X", False),
    ],
)
def test_active(values: Sequence[str], text: str, sure: bool) -> None:
    """A word that nobody has thought of disables nobody; and where no word is known, it is left to a person."""
    told, why, known = cells.active("X", values)
    assert (told, known) == (text, sure) and (known or why)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("Work Email", "Work Email"), ("E-Mail", "E-Mail"), ("Prénom", "Prénom"), ("E-Mail (dienstlich)", 'row["E-Mail (dienstlich)"]'),
        ('the "name"', 'row["the \\"name\\""]'), (" padded ", 'row[" padded "]'), ("a.b", 'row["a.b"]'),
    ],
)  # fmt: skip
def test_a_column_that_the_grammar_takes_for_an_expression_is_reached_through_its_row(column: str, text: str) -> None:
    assert cells.plain(column) == text


def test_words_are_spelt_as_headers_are_folded() -> None:
    assert [word for words in WORDS.values() for line in words.values() for word in line.split() if folded(word) != word] == []
    assert (
        folded("E-Mail (geschäftlich) ") == "emailgeschaeftlich" and folded("Prénom") == "prenom" and folded("N.º Empleado") == "noempleado"
    )


words = st.sampled_from(sorted(MEANINGS))
cell = st.sampled_from(["", "1", "a@x.co", "31.12.2026", "2026-12-31", "Active", "no", "Ann"]) | st.text(max_size=5)


@given(st.lists(words | st.text(min_size=1, max_size=8), unique=True, min_size=1, max_size=8), st.data())
def test_each_column_is_used_once_and_none_is_lost(columns: list[str], data: st.DataObject) -> None:
    table: list[Mapping[str, str]] = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, cell)), max_size=4))
    found = guess(columns, table)
    plain = [one.column for one in found.attributes if one.canonical not in ("userName", "displayName")]
    assert len(plain) == len(set(plain)) and set(plain) <= set(columns)
    assert len({one.canonical for one in found.attributes}) == len(found.attributes)
    seen = {one.column for one in found.attributes} | {column for column, _ in found.ids} | set(found.unused)
    assert seen >= set(columns) - {one.column for one in found.attributes if not one.sure}
