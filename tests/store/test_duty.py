"""What tells when a connection is due, beside its schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from syncd.environment import stamp
from syncd.store import Store, connections, duty, presence, told

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def app(store: Store) -> str:
    """A target that was read at noon."""
    connections.register(store, "app", "memory", {"root": "x"}, "app", authoritative=False, target=True)
    store.run("UPDATE connection SET last_delta = :noon, attempted_at = :noon", noon=stamp(NOON))
    return "app"


def test_runs_that_could_not_use_it_are_counted_until_one_could(store: Store, app: str) -> None:
    for broken, known, expected in [(True, True, 1), (True, True, 2), (False, False, 2), (False, True, 0), (True, True, 1)]:
        connections.failed(store, app, "x" if broken else "", broken=broken, known=known)
        assert duty.known(store)[app].failures == expected
    connections.unusable(store, app, "401", 5, NOON + MINUTE)
    assert (duty.known(store)[app].failures, duty.known(store)[app].attempted_at) == (5, stamp(NOON + MINUTE))
    connections.unusable(store, app, "401", 5, NOON + MINUTE)
    assert (duty.known(store)[app].failures, duty.known(store)[app].error) == (6, "401")


def test_nothing_moved(store: Store, app: str) -> None:
    assert duty.moved(store, app, target=True) is None


def test_what_was_released_since_the_last_reading_moves_it(store: Store, app: str) -> None:
    for change, at in (("a", NOON - MINUTE), ("b", NOON + MINUTE), ("c", None)):
        store.run(
            "INSERT INTO pending (change, connection, object, kind, who, state, hold, reason, run, seen, since, released_at)"
            " VALUES (:change, 'app', 'user', 'create', 'x', 'held', '', '', 1, 1, '', :at)",
            change=change, at=at and stamp(at),
        )  # fmt: skip
    assert duty.moved(store, app, target=True) == duty.moved(store, app, target=False) == NOON + MINUTE
    assert duty.moved(store, "other", target=True) is None


def test_the_next_instant_that_changes_something_moves_targets_alone(store: Store, app: str) -> None:
    store.run(
        "INSERT INTO identity (id, attributes, live, ignored, forgotten, due_at) VALUES ('i', '{}', 'live', FALSE, FALSE, :at)",
        at=stamp(NOON + 9 * MINUTE),
    )
    store.run(
        "INSERT INTO link (connection, identity, owned, generation, state, reason, counted, hold, failures, due_at)"
        " VALUES ('app', 'i', TRUE, 0, 'live', '', FALSE, '', 0, :at)",
        at=stamp(NOON + 7 * MINUTE),
    )
    assert duty.moved(store, app, target=True) == NOON + 7 * MINUTE
    assert duty.moved(store, app, target=False) is None


def test_changed_people_are_counted_up_to_a_number(store: Store, app: str) -> None:
    store.many("INSERT INTO dirty (connection, identity) VALUES ('app', :i)", [{"i": str(n)} for n in range(10)])
    assert (duty.changed(store, app, 4), duty.changed(store, app, 100), duty.changed(store, "other", 4)) == (4, 10, 0)


def test_the_version_moves_when_another_writes_and_only_then(store: Store) -> None:
    before = duty.version(store)
    store.run("UPDATE setting SET value = 'x' WHERE name = 'none'")
    assert duty.version(store) == before
    other = Store(store.url)
    presence.appear(other, "x", NOON)
    other.close()
    assert duty.version(store) != before


def test_a_daemon_is_present_as_long_as_it_says_so(store: Store) -> None:
    assert not presence.anyone(store, NOON)
    presence.appear(store, "one", NOON)
    presence.appear(store, "two", NOON + MINUTE)
    assert presence.anyone(store, NOON + MINUTE) and presence.anyone(store, NOON + 2 * MINUTE + MINUTE / 2)
    assert not presence.anyone(store, NOON + 4 * MINUTE) and not presence.anyone(store, NOON - 365 * 24 * 60 * MINUTE)
    presence.leave(store, "two")
    assert not presence.anyone(store, NOON + 2 * MINUTE + MINUTE / 2)
    presence.appear(store, "three", NOON + 9 * MINUTE)
    assert store.value("SELECT COUNT(*) FROM setting WHERE name LIKE 'daemon:%'") == 1, "who went without a word is forgotten"


def test_whose_configuration_was_refused_is_known_as_long_as_it_is_present(store: Store) -> None:
    presence.appear(store, "one", NOON, refused=True)
    presence.appear(store, "two", NOON, refused=True)
    assert presence.refusing(store, NOON) == ["one", "two"] and presence.anyone(store, NOON)
    presence.appear(store, "one", NOON)
    assert presence.refusing(store, NOON) == ["two"] and presence.refusing(store, NOON + 3 * MINUTE) == []
    presence.leave(store, "two")
    assert presence.refusing(store, NOON) == []
    presence.appear(store, "three", NOON, refused=True)
    presence.appear(store, "one", NOON + 3 * MINUTE)
    assert store.value("SELECT COUNT(*) FROM setting WHERE name LIKE '%:three'") == 0


def test_what_was_told_is_remembered(store: Store) -> None:
    assert told.topics(store) == {}
    told.remember(store, {"app": ["held", "stale"]})
    assert told.topics(store) == {"app": ["held", "stale"]}
    told.remember(store, {})
    assert told.topics(store) == {}
