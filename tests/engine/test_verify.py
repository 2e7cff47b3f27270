"""The slow way finds what the fast one got wrong."""

from __future__ import annotations

import pytest

from tests.engine.worlds import MakeWorld, people
from tests.world import World

pytestmark = pytest.mark.anyio


async def stored(world: MakeWorld) -> World:
    w = world()
    w.write(people(1, 2))
    await w.run()
    assert w.verify() == []
    return w


async def test_a_fingerprint_that_is_not_that_of_its_documents_is_reported(world: MakeWorld) -> None:
    w = await stored(world)
    who = w.store.value("SELECT MIN(identity) FROM link")
    w.store.run("UPDATE link SET desired = :zero WHERE identity = :who", zero=b"\0", who=who)
    assert w.verify() == [f"app: identity {who} (live): stored fingerprints are not those of its documents (live)"]


@pytest.mark.parametrize("change", ["attributes = '{}'", "live = 'departed'"])
async def test_an_identity_that_is_not_what_its_accounts_say_is_reported(world: MakeWorld, change: str) -> None:
    w = await stored(world)
    who = w.store.value("SELECT MIN(id) FROM identity")
    w.store.run(f"UPDATE identity SET {change} WHERE id = :who", who=who)
    found = [line for line in w.verify() if line.startswith(f"identity {who}: stored as ")]
    assert len(found) == 1


async def test_a_link_that_was_lost_is_reported(world: MakeWorld) -> None:
    w = await stored(world)
    w.store.run("DELETE FROM link WHERE identity = (SELECT MIN(identity) FROM link)")
    assert len(w.verify()) == 1


async def test_who_waits_to_be_projected_is_not_reported(world: MakeWorld) -> None:
    w = await stored(world)
    w.store.run("UPDATE link SET desired = :zero", zero=b"\0")
    w.store.run("INSERT INTO dirty (connection, identity) SELECT 'app', identity FROM link")
    assert w.verify() == []
