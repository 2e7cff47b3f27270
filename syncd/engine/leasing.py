"""Hold the leases of a run: waited for at the start, kept alive beside the work, given up as soon as they are not needed any more.

::

                            sources     each target
    who is configured       leased      leased        rules, sources: what people are like, read and written down
    targets are listed      free        leased        however long that takes
    what is planned         leased      leased        nobody changes while it is decided what to do
    what is sent            free        leased        each until it is done by itself

So several runs can be at work, each at other targets, and one after the other where it is about people. While one sends, others may read
sources, make, merge and end people, and plan other targets; they never touch the links and accounts of a target that it holds. All it hears
of them is that somebody is marked there (``dirty``): `still` looks before each request whether what was planned of them is still wanted.

A saved plan asks sources about each person while it is sent, and `revert` looks at accounts as it goes: both keep all leases to their end.
So does a connection that is a source and is written, for as long as it is written.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from syncd.engine.context import Context
from syncd.errors import Busy, Fatal
from syncd.store import lease

WAIT = 30.0
"""Seconds a run waits for another to finish (contract: then exit 75)."""
LONG = 600.0
"""Seconds a run that has begun waits for others to be done with the sources: what it has read until then is not thrown away lightly."""
Opening = Callable[[], None]
HOLDER = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
"""This process, as others see it; in a container the next one may bear the same name and number."""


def _nothing() -> None:
    """Where nothing goes with the leases."""


@asynccontextmanager
async def leased(context: Context, names: Sequence[str], wait: float = WAIT, opening: Opening = _nothing) -> AsyncIterator[None]:
    """One writer a connection; ``names``: all sources are among them. Raises Busy when the run of another process keeps one of them longer
    than ``wait`` seconds. ``opening``: what is written in one with taking them."""
    await take(context, names, wait, opening)
    for name in names:
        context.connected[name].connector.permit = partial(context.permit, name)
    keeper = asyncio.create_task(_keep(context))
    try:
        yield
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        try:
            give_up(context, [*context.tokens])
        finally:
            context.tokens.clear()
            _next(context)


def give_up(context: Context, names: Iterable[str], *, undone: bool = False) -> None:
    """These are free for other runs from now on. ``undone``: others are to take them up at once, as those of a process that is asked to
    end."""
    tokens = {name: context.tokens[name] for name in names if name in context.tokens}
    try:
        if undone or context.environment.ending:
            lease.abandon(context.store, tokens, context.environment.now())
        elif tokens:
            lease.release(context.store, tokens)
    except Busy:  # they stay ours, and run out by themselves when the run is over
        return
    for name in tokens:
        del context.tokens[name]
    _next(context)


def _next(context: Context) -> None:
    """Without the leases of all sources, it is the turn of others."""
    if context.in_turn and not context.tokens.keys() >= {*context.authoritative}:
        context.in_turn = False
        context.turn.release()


async def take(context: Context, names: Iterable[str], wait: float, opening: Opening = _nothing) -> list[str]:
    """Lease all sources, in turn, and whatever else of ``names`` is not leased; which were not. Raises Busy as `leased`."""
    lacking = sorted({*names} - context.tokens.keys())
    if not lacking:
        return []
    await context.turn.acquire()
    try:
        context.tokens.update(await _acquire(context, lacking, wait, opening))
    except BaseException:
        context.turn.release()
        raise
    context.in_turn = True
    return lacking


async def _acquire(context: Context, names: Sequence[str], wait: float, opening: Opening) -> dict[str, int]:
    environment = context.environment
    deadline = environment.monotonic() + wait
    while True:
        began = environment.monotonic()
        with context.store.transaction(durable=context.store.backend.outlived):
            got = lease.acquire(context.store, names, HOLDER, environment.now(), context.landscape.lease)
            if isinstance(got, dict):
                opening()
        if isinstance(got, dict):
            if not context.tokens:
                context.held_at = began
            return got
        if environment.ending or environment.monotonic() >= deadline:
            raise Busy(f"{got}: another run holds its lease and did not finish within {wait:.0f} s; try again later", got)
        await environment.sleep(min(0.25, context.landscape.lease.total_seconds() / 4))


async def _keep(context: Context) -> None:
    """A renewal that fails is tried again in time; as long as none succeeds, `Context.permit` lets nothing leave."""
    while True:
        await asyncio.sleep(context.landscape.lease.total_seconds() / 3)
        with suppress(Fatal):
            context.hold_on()
