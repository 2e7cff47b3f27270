"""The journal's chain: it holds, it notices what was altered, and a person can be erased from it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncd.store import Store, chain
from syncd.store.chain import Event

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def told(store: Store) -> Store:
    with store.transaction():
        chain.append(store, [Event(chain.SENT, "chat", {"n": n}, identity=f"person{n % 2}", run=1) for n in range(6)], NOW)
        chain.append(store, [Event(chain.DECIDED, "chat", {"command": "held release 1"})], NOW)
    return store


def test_an_untouched_chain_holds(told: Store) -> None:
    assert list(chain.broken(told)) == []


def test_an_empty_chain_holds(store: Store) -> None:
    assert list(chain.broken(store)) == []


@pytest.mark.parametrize(
    ("done", "found"),
    [
        ("DELETE FROM entry WHERE seq = 3", ["journal entry 3 is missing", "journal entry 4 does not follow from the one before"]),
        ("UPDATE entry SET run = 9 WHERE seq = 2", ["journal entry 2 does not follow from the one before"]),
        ("UPDATE payload SET body = '{\"n\":9}' WHERE entry = 5", ["the payload of journal entry 5 was altered"]),
        ("UPDATE payload SET identity = 'other' WHERE entry = 5", ["the payload of journal entry 5 was altered"]),
        ("DELETE FROM payload WHERE entry = 5", ["journal entry 5 lost its payload, and nobody erased it"]),
    ],
)
def test_what_was_altered_is_found(told: Store, done: str, found: list[str]) -> None:
    told.run(done)
    assert list(chain.broken(told)) == found


def test_a_person_is_erased_and_the_chain_holds(told: Store) -> None:
    with told.transaction():
        assert chain.erase(told, ["person1"], "", NOW) == 3
    assert list(chain.broken(told)) == []
    assert told.value("SELECT COUNT(*) FROM payload WHERE identity = 'person1'") == 0
    assert told.value("SELECT COUNT(*) FROM payload WHERE identity = 'person0'") == 3


CUT = "the journal ends with entry {}, and is not the one that ended with entry 7"


@pytest.mark.parametrize("kept", [0, 1, 6])
def test_a_tail_that_was_cut_off_is_missed(told: Store, kept: int) -> None:
    told.run("DELETE FROM payload WHERE entry > :kept", kept=kept)
    told.run("DELETE FROM entry WHERE seq > :kept", kept=kept)
    assert list(chain.broken(told)) == [CUT.format(kept)]


def test_what_is_appended_to_a_cut_tail_does_not_mend_it(told: Store) -> None:
    told.run("DELETE FROM payload WHERE entry = 7")
    told.run("DELETE FROM entry WHERE seq = 7")
    with told.transaction():
        chain.append(told, [Event(chain.DECIDED, "chat", {"command": "unlink"})], NOW)
    assert list(chain.broken(told)) == ["journal entry 7 is missing", "journal entry 8 does not follow from the one before"]


def test_an_end_that_was_altered_is_found(told: Store) -> None:
    told.run("DELETE FROM setting WHERE name = 'journal'")
    assert list(chain.broken(told)) == ["the journal ends with entry 7, and is not the one that ended with entry 0"]


def test_what_is_rolled_back_leaves_no_entry(told: Store) -> None:
    with pytest.raises(KeyError), told.transaction():
        chain.append(told, [Event(chain.DECIDED, "chat", {"command": "unlink"})], NOW)
        raise KeyError
    assert list(chain.broken(told)) == []
    assert chain.end(told)[0] == 7
