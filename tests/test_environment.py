"""Sleeping ends when the process is asked to end, in whatever thread it sleeps."""

from __future__ import annotations

import asyncio
import threading
import time

from syncd.environment import Environment


def test_a_sleep_lasts_as_long_as_it_was_asked_to() -> None:
    began = time.monotonic()
    asyncio.run(Environment().sleep(0.02))
    assert time.monotonic() - began >= 0.02


def test_every_sleep_is_over_when_the_process_is_to_end() -> None:
    environment, asleep = Environment(), threading.Event()

    async def sleeping() -> None:
        asyncio.get_running_loop().call_soon(asleep.set)
        await asyncio.gather(environment.sleep(600), environment.sleep(700))
        await environment.sleep(800)

    thread = threading.Thread(target=asyncio.run, args=(sleeping(),))
    thread.start()
    asleep.wait()
    environment.end()
    thread.join(30)
    assert not thread.is_alive() and environment.ending
