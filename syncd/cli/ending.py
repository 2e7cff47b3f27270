"""SIGTERM ends a run as it does the daemon: nothing new is begun, what is under way is written down, and the leases are given back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from typing import Never, TypeVar

import structlog

from syncd.cli.exits import TERMINATED, Ended
from syncd.environment import Environment
from syncd.errors import SyncdError

GRACE = 7.5
"""Seconds for what is under way (contract: exit within 10)."""
LAST = 9.5
"""Seconds after which nothing is waited for: the journal knows what left, as after a kill."""
T = TypeVar("T")
log = structlog.get_logger("syncd")


class Terminated(Ended):
    """It ended before there was anything to report."""

    exit_code = TERMINATED

    def __init__(self) -> None:
        super().__init__("interrupted; what was under way is settled by the next run")


def heed() -> None:
    """Until the run begins there is nothing to finish; what the first process of a container does not heed never reaches it (signal(7))."""
    if _ours():
        signal.signal(signal.SIGTERM, _leave)


def run(environment: Environment, work: Coroutine[None, None, T]) -> T:
    """What ``work`` gives: less than all of it, if by then ``environment.ending``. Raises Terminated when it gives nothing."""
    return asyncio.run(_heeding(environment, work))


async def _heeding(environment: Environment, work: Coroutine[None, None, T]) -> T:
    task = asyncio.ensure_future(work)
    ours = _ours()
    loop = asyncio.get_running_loop()
    if ours:
        loop.add_signal_handler(signal.SIGTERM, _end, environment, task)
    try:
        return await task
    except (SyncdError, asyncio.CancelledError):
        if environment.ending:
            raise Terminated from None
        raise
    finally:
        if ours:
            loop.remove_signal_handler(signal.SIGTERM)


def _ours() -> bool:
    """Whoever has a way to end of their own keeps it (the demo)."""
    return threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, _leave)


def _leave(number: int, frame: object) -> Never:
    sys.exit(TERMINATED)


def _end(environment: Environment, task: asyncio.Task[T]) -> None:
    if environment.ending:
        os._exit(TERMINATED)
    log.info("stopping", signal="SIGTERM")
    environment.end()
    loop = asyncio.get_running_loop()
    loop.call_later(GRACE, task.cancel)
    loop.call_later(LAST, os._exit, TERMINATED)
