"""People files damaged in every way: a row is rejected by its line, or the listing proves nothing; nobody leaves because of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.end_to_end.conftest import MakeOffice
from tests.end_to_end.office import AFTER, HEADER, NEWCOMER, RENAMED, Office, Rows, file_text, person, result

pytestmark = pytest.mark.anyio

Damage = Callable[[bytes], bytes]
THIRD = ("Person Renamed", "Support")
VICTIM = b"e12,p12@corp.example,Person 12,Support\n"
"""The last row, on line 12: one of those who have not left."""
VICTIM_OBJECT = file_text([person(12)], ".jsonl").encode().strip()
"""The same in JSON: line 11 of JSON Lines, line 12 of an array."""


def swap(old: bytes, new: bytes) -> Damage:
    """Raises AssertionError where there is nothing to replace."""

    def damaged(text: bytes) -> bytes:
        assert old in text
        return text.replace(old, new, 1)

    return damaged


async def damaged(make_office: MakeOffice, name: str, damage: Damage) -> Office:
    """An office whose people file is as after the changes, but for the damage."""
    one = await make_office(people=name).opened()
    one.file.write_bytes(damage(one.file.read_bytes()))
    return one


REFUSED: dict[str, tuple[str, Damage, str]] = {
    "id column missing": ("people.csv", swap(b"employeeNumber", b"number"), "no column 'employeeNumber'"),
    "id column in another case": ("people.csv", swap(b"employeeN", b"EmployeeN"), "did you mean 'EmployeeNumber'?"),
    "mapped column renamed": ("people.csv", swap(b",name,", b",fullname,"), "no column 'name' (did you mean 'fullname'?)"),
    "mapped member renamed": ("people.jsonl", lambda text: text.replace(b'"name"', b'"fullname"'), "no column 'name'"),
    "mapped member of an array renamed": ("people.json", lambda text: text.replace(b'"email"', b'"mail"'), "no column 'email'"),
    "two columns of one name": ("people.csv", swap(b"department", b"name"), "two columns are called 'name'"),
    "another separator": ("people.csv", lambda text: text.replace(b",", b";"), "no column 'employeeNumber'"),
    "UTF-16": ("people.csv", lambda text: text.decode().encode("utf-16"), "the header is not UTF-8"),
    "0 bytes": ("people.csv", lambda _: b"", "is empty: no header"),
    "0 bytes of JSON Lines": ("people.jsonl", lambda _: b"", "people.jsonl is empty"),
    "0 bytes of JSON": ("people.json", lambda _: b"", "people.json is empty"),
    "no array": ("people.json", lambda _: b'{"error": "try later"}\n', "is not a JSON array of objects"),
    "a web page": ("people.csv", lambda _: b"<!DOCTYPE html>\n<html>\n", "no column 'employeeNumber'"),
    "header half-written": ("people.csv", lambda text: text[:10], "the header has no line end"),
}
"""Nothing of the file is believed."""


@pytest.mark.parametrize(("name", "damage", "cause"), REFUSED.values(), ids=REFUSED)
async def test_a_file_that_is_not_what_was_configured_changes_nothing(
    make_office: MakeOffice, name: str, damage: Damage, cause: str
) -> None:
    one = await damaged(make_office, name, damage)
    before, writes = one.accounts(), len(one.twilio.log)
    report = await one.run()
    assert report.failed and cause in result(report, "people").error
    assert (one.accounts(), len(one.twilio.log)) == (before, writes)
    one.employ(AFTER)
    await one.recovers()


INCOMPLETE: dict[str, tuple[str, Damage, str]] = {
    "duplicate id": ("people.csv", lambda text: text + VICTIM, "line 13: employeeNumber 'e12' stands in the file twice"),
    "id taken by somebody else": ("people.csv", swap(b"e12,", b"e11,"), "line 12: employeeNumber 'e11' stands in the file twice"),
    "row without id": ("people.csv", swap(b"e12,", b","), "line 12: no employeeNumber"),
    "half-written last line": ("people.csv", lambda text: text[:-9], "line 12: half-written"),
    "last line end missing": ("people.csv", lambda text: text[:-1], "line 12: half-written"),
    "cell too many": ("people.csv", swap(b"Person 12,", b"Person, 12,"), "line 12: 5 cells, but the header has 4"),
    "cell too few": ("people.csv", swap(b"Person 12,Support", b"Person 12"), "line 12: 3 cells, but the header has 4"),
    "open quote": ("people.csv", swap(b"Person 12", b'"Person 12'), "line 12"),
    "NUL bytes": ("people.csv", swap(b"Person 12", b"Person\0\0"), "line 12: NUL bytes"),
    "duplicate id in JSON Lines": ("people.jsonl", lambda text: text + VICTIM_OBJECT + b"\n", "line 12: employeeNumber 'e12'"),
    "half-written object": ("people.jsonl", lambda text: text[:-9], "line 11: half-written"),
    "line that is no JSON": ("people.jsonl", swap(VICTIM_OBJECT, b"e12"), "line 11: not JSON"),
    "object without id": ("people.jsonl", swap(VICTIM_OBJECT, b'{"name": "Person 12"}'), "line 11: no employeeNumber"),
    "id a fraction": ("people.jsonl", swap(b'"e12"', b"12.0"), "line 11: employeeNumber is neither text nor a whole number"),
    "nested 100,000 deep": ("people.jsonl", swap(b'"Person 12"', b"[" * 100_000 + b"]" * 100_000), "line 11: not JSON"),
    "array broken off": ("people.json", lambda text: text[:-3], "the array breaks off"),
    "array element no object": ("people.json", swap(VICTIM_OBJECT, b'"e12"'), "line 12: not a JSON object"),
}
"""Somebody may be hidden by what is wrong: nobody is missed."""


@pytest.mark.parametrize(("name", "damage", "cause"), INCOMPLETE.values(), ids=INCOMPLETE)
async def test_a_file_that_may_hide_somebody_lets_nobody_go_and_the_others_flow(
    make_office: MakeOffice, name: str, damage: Damage, cause: str
) -> None:
    one = await damaged(make_office, name, damage)
    report = await one.run()
    assert report.failed and cause in result(report, "people").error
    assert one.deletions() == []
    accounts = one.accounts()
    assert (NEWCOMER in accounts, accounts[RENAMED]) == (True, THIRD)
    assert {**accounts, **one.wanted} == accounts, "all who should be there are there, as they should be"
    one.unharmed()
    one.employ(AFTER)
    await one.recovers()


HUGE = b"x" * 10_000_000
REJECTED: dict[str, tuple[str, Damage, str]] = {
    "Latin-1": ("people.csv", swap(b"Person 12", b"Jos\xe9"), "line 12: not UTF-8"),
    "a cell of 10 MB": ("people.csv", swap(b"Person 12", HUGE), "line 12: name is over 1 MiB"),
    "Latin-1 in JSON Lines": ("people.jsonl", swap(b"Person 12", b"Jos\xe9"), "line 11: not UTF-8"),
    "a member of 10 MB": ("people.jsonl", swap(b"Person 12", HUGE), "line 11: name is over 1 MiB"),
    "lone surrogate in JSON Lines": ("people.jsonl", swap(b"Person 12", b"\\ud800"), "line 11: a lone surrogate"),
    "lone surrogate in JSON": ("people.json", swap(b"Person 12", b"x\\udfff"), "line 12: a lone surrogate"),
    "NUL in JSON": ("people.json", swap(b"Person 12", b"a\\u0000b"), "line 12: NUL characters"),
    "NaN in JSON Lines": ("people.jsonl", swap(b'"Person 12"', b"NaN"), "line 11: NaN is not JSON"),
}
"""The row names its person, who is therefore there."""


@pytest.mark.parametrize(("name", "damage", "cause"), REJECTED.values(), ids=REJECTED)
async def test_a_row_that_cannot_be_kept_is_rejected_by_its_line_and_its_person_stays(
    make_office: MakeOffice, name: str, damage: Damage, cause: str
) -> None:
    one = await damaged(make_office, name, damage)
    report = await one.run()
    ((state, who, reason),) = one.pending()
    assert (state, who) == ("rejected", "e12") and f"{name} {cause}" in reason
    assert not report.failed and result(report, "people").rejected == 1
    assert one.accounts() == one.wanted, "the leavers are gone, the newcomer is there, nobody else left"
    one.employ(AFTER)
    await one.recovers()


HARMLESS: dict[str, tuple[str, Damage, Rows]] = {
    "byte order mark": ("people.csv", lambda text: b"\xef\xbb\xbf" + text, AFTER),
    "byte order mark in JSON": ("people.json", lambda text: b"\xef\xbb\xbf" + text, AFTER),
    "CRLF": ("people.csv", lambda text: text.replace(b"\n", b"\r\n"), AFTER),
    "blank lines": ("people.csv", lambda text: text.replace(b"\n", b"\n\n"), AFTER),
    "another order": ("people.csv", lambda _: file_text(AFTER[::-1]).encode(), AFTER),
    "a formula": ("people.csv", swap(b"Person 12", b"=cmd|' /C calc'!A0"), [*AFTER[:-1], person(12, "=cmd|' /C calc'!A0")]),
    "a quoted formula": ("people.csv", swap(b"Person 12", b'"@SUM(1,2)"'), [*AFTER[:-1], person(12, "@SUM(1,2)")]),
}
"""Odd, and to be read as it stands; a formula is somebody's name, to the letter."""


@pytest.mark.parametrize(("name", "oddity", "rows"), HARMLESS.values(), ids=HARMLESS)
async def test_a_file_that_only_looks_odd_is_read_to_the_letter(make_office: MakeOffice, name: str, oddity: Damage, rows: Rows) -> None:
    one = await damaged(make_office, name, oddity)
    one.wanted = {email: (called, department) for _, email, called, department in rows}
    assert (await one.run()).converged
    await one.in_order()


@pytest.mark.parametrize("name", ["people.csv", "people.json"])
async def test_a_file_from_which_everybody_is_gone_is_held_by_the_limit(make_office: MakeOffice, name: str) -> None:
    """A header and nothing below it, or an empty array: a complete listing of nobody."""
    one = await make_office(people=name).opened()
    one.employ([])
    report = await one.run()
    assert not report.failed and result(report).held == 12
    assert all("12 leave (100 % of 12, limit 6)" in reason for _, _, reason in one.pending())
    assert one.deletions() == [] and len(one.accounts()) == 12
    one.employ(AFTER)
    await one.recovers()


def test_the_rows_of_these_tests_stand_on_the_lines_they_name() -> None:
    assert file_text(AFTER).encode().splitlines(keepends=True)[11] == VICTIM
    assert file_text(AFTER, ".jsonl").encode().splitlines()[10] == VICTIM_OBJECT
    assert file_text(AFTER, ".json").encode().splitlines()[11] == VICTIM_OBJECT
    assert HEADER[0] == "employeeNumber"
