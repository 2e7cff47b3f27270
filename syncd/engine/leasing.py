"""Hold the leases of a run: waited for at the start, kept alive beside the work, given back at the end."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from syncd.engine.context import Context
from syncd.errors import Busy, Fatal
from syncd.store import lease

WAIT = 30.0
"""Seconds a run waits for another to finish (contract: then exit 75)."""


@asynccontextmanager
async def leased(context: Context, names: Sequence[str], wait: float = WAIT) -> AsyncIterator[None]:
    """One writer a connection. Raises Busy when another run keeps one of them longer than ``wait`` seconds."""
    context.tokens = await _acquire(context, names, wait)
    for name in names:
        context.connected[name].connector.permit = partial(context.permit, name)
    keeper = asyncio.create_task(_keep(context))
    try:
        yield
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        with suppress(Busy):  # it runs out by itself
            lease.release(context.store, context.tokens)


async def _acquire(context: Context, names: Sequence[str], wait: float) -> dict[str, int]:
    environment, holder = context.environment, f"{socket.gethostname()}:{os.getpid()}"
    deadline = environment.monotonic() + wait
    while True:
        context.held_at = environment.monotonic()
        got = lease.acquire(context.store, names, holder, environment.now(), context.landscape.lease)
        if isinstance(got, dict):
            return got
        if environment.ending or environment.monotonic() >= deadline:
            raise Busy(f"{got}: another run holds its lease and did not finish within {wait:.0f} s; try again later", got)
        await environment.sleep(0.25)


async def _keep(context: Context) -> None:
    """A renewal that fails is tried again in time; as long as none succeeds, `Context.permit` lets nothing leave."""
    while True:
        await asyncio.sleep(context.landscape.lease.total_seconds() / 3)
        with suppress(Fatal):
            context.hold_on()
