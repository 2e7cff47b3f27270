"""Another process keeps the store locked: renewals are tried again, and a run that cannot go on is busy."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from syncd.errors import Busy
from syncd.store import Store, backend, lease
from tests import stores
from tests.engine.test_lease import Gate
from tests.engine.worlds import MakeWorld, people

pytestmark = pytest.mark.anyio


async def test_a_renewal_that_fails_is_tried_again(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "PATIENCE", 0.0)
    w, gate, failed = world(lease=timedelta(seconds=0.06)), Gate(), asyncio.Event()
    renew = lease.renew

    def renewing(*given: Any) -> None:
        try:
            renew(*given)
        except Busy:
            failed.set()
            raise

    monkeypatch.setattr(lease, "renew", renewing)
    stores.impatient(w.store)
    w.write(people(1))
    w.memory = gate.memory
    first, other = asyncio.create_task(w.run()), Store(stores.url(w.root))
    await gate.reached.wait()
    with other.transaction():
        await failed.wait()
    before = w.store.value("SELECT until FROM lease WHERE connection = 'app'")
    w.clock.pass_time(timedelta(seconds=0.05))
    while w.store.value("SELECT until FROM lease WHERE connection = 'app'") == before:
        await asyncio.sleep(0.005)
    gate.opened.set()
    report, _ = await first
    assert report.converged
    other.close()


async def test_a_run_that_finds_the_store_locked_for_too_long_is_busy(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "PATIENCE", 0.0)
    w = world()
    stores.impatient(w.store)
    other = Store(stores.url(w.root))
    with other.transaction(), pytest.raises(Busy, match="in use: another process keeps it locked") as caught:
        await w.run()
    assert caught.value.exit_code == 75
    other.close()


async def test_a_lease_that_cannot_be_given_back_does_not_spoil_a_run_that_is_done(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs out by itself."""
    w = world()
    w.write(people(1))

    def locked(*given: Any) -> None:
        raise Busy("locked")

    monkeypatch.setattr(lease, "release", locked)
    report, _ = await w.run()
    assert report.converged
