"""Made-up people are repeatable, unique and found again by their address."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.sandbox.people import number, people_csv, person

ORDINALS = st.integers(1, 10**9)
SEEDS = st.integers(0, 2**32)


@given(ORDINALS, SEEDS)
def test_an_address_leads_back_to_its_person(n: int, seed: int) -> None:
    assert number(person(n, seed).email, seed) == n


@pytest.mark.parametrize("address", ["", "ada.abara1@example.org", "nobody.atall1@example.com", "ada.abara0@example.com"])
def test_other_addresses_lead_to_nobody(address: str) -> None:
    assert number(address) is None


def test_addresses_are_plain_ascii_and_names_are_not() -> None:
    crowd = [person(n) for n in range(1, 2000)]
    assert all(one.email.isascii() for one in crowd)
    assert any(not one.displayName.isascii() for one in crowd)


def test_a_people_file_holds_the_same_people() -> None:
    rows = list(csv.DictReader(people_csv(3, seed=5).splitlines()))
    assert [row["email"] for row in rows] == [person(n, 5).email for n in (1, 2, 3)]
    assert rows[0]["displayName"] == person(1, 5).displayName
    assert rows[2]["employeeNumber"] == "E00003"
