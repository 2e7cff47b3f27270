"""What is told of one person is theirs alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from syncd.environment import stamp
from syncd.store import Store, about, chain, staging, waiting
from syncd.store.chain import Event
from tests.store.rows import NOW, change, claim, link, people, record, register, staged


@pytest.fixture
def filled(store: Store) -> Store:
    """p0 and p1, each made by an account of ``people`` and with one at ``app``."""
    register(store, "app", "people")
    people(store, "p0", "p1")
    with store.transaction():
        store.run("INSERT INTO run (id, mode, started) VALUES (3, 'full', :now)", now=stamp(NOW))
        makes = staging.upsert(store, "people", [staged("e0"), staged("e1")])
        claim(store, {makes["e0"]: "p0", makes["e1"]: "p1"})
        held = staging.upsert(store, "app", [staged("a0", 0, ("email", "x", True), ("userName", "y", False)), staged("a1", 1)])
        for number in range(2):
            link(store, "app", f"p{number}", b"1", b"1", account_id=held[f"a{number}"])
        store.run("UPDATE account SET run = 3, page = 2 WHERE account = 'e0'")
    return store


def test_where_an_account_was_read(filled: Store) -> None:
    (row,) = about.sightings(filled, "p0")
    assert (row.connection, row.account, row.run, row.page, row.started) == ("people", "e0", 3, 2, stamp(NOW))
    (row,) = about.sightings(filled, "p1")
    assert (row.account, row.started) == ("e1", None), "nobody wrote down where"
    called = about.account_called(filled, "app", "a0")
    assert called is not None and about.account(filled, called.id) == called
    assert about.account_called(filled, "people", "a0") is None


def test_what_an_account_can_be_found_by(filled: Store) -> None:
    called = about.account_called(filled, "app", "a0")
    assert called is not None
    assert about.keys(filled, called.id) == [("email", "x", True), ("userName", "y", False)]


def test_the_last_changes_come_first_with_their_requests(filled: Store) -> None:
    rows = record(filled, *(change(3, f"c{number}", f"p{number % 2}") for number in range(6)))
    assert [row.id for row in about.changes(filled, "app", "p0", 2)] == ["c4", "c2"]
    assert about.changes(filled, "people", "p0", 2) == []
    assert about.first_change(filled, "app", "p0") == stamp(NOW)
    assert about.first_change(filled, "app", "nobody") is None
    with filled.transaction():
        for row in rows[:2]:
            filled.run(
                "INSERT INTO step (change, connection, n, creates, summary, token, sent_at, state)"
                " VALUES (:c, 'app', 1, FALSE, 'PUT', 1, :now, 'sent')",
                c=row.seq, now=stamp(NOW),
            )  # fmt: skip
    assert [step.change for step in about.steps(filled, [rows[0].seq])] == [rows[0].seq]


def test_what_waits_of_somebody_and_under_a_name(filled: Store) -> None:
    record(filled, *(change(3, f"c{number}", "p0", state="held", hold="limit", held="too many") for number in range(2)))
    waiting.refresh(filled, 3, "app", NOW)
    waiting.flaw(filled, 3, "app", [{"where": "record 9", "reason": "torn", "id": "a9"}], NOW)
    assert [(row.change, row.reason) for row in about.waits(filled, "app", "p0", ["record:a9"])] == [
        ("c0", "too many"), ("c1", "too many"), ("record:a9", "record 9: torn"),
    ]  # fmt: skip
    assert [*about.waits(filled, "app", "p1", ["c0"]), *about.waits(filled, "people", "p0", ["c0"])] == []


def test_what_a_person_said_and_what_happened(filled: Store) -> None:
    called = about.account_called(filled, "app", "a1")
    assert called is not None
    with filled.transaction():
        filled.run(
            "INSERT INTO word (connection, account_id, identity, yes, at) VALUES ('app', :id, 'p0', FALSE, :now)",
            id=called.id,
            now=stamp(NOW),
        )
        chain.append(
            filled, [Event(chain.OBSERVED, "app", {"n": number}, f"p{number % 2}") for number in range(4)], NOW + timedelta(days=1)
        )
    assert [(row.account, bool(row.yes)) for row in about.words(filled, "app", "p0")] == [("a1", False)]
    assert about.words(filled, "app", "p1") == []
    assert [row.body for row in about.journal(filled, "p0")] == ['{"n":0}', '{"n":2}']
