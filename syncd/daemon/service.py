"""The process: signals, the ticker, the service manager, the health server, and an end in which nothing is lost."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from syncd.daemon.notices import Notices
from syncd.daemon.posting import Postman
from syncd.daemon.rounds import Rounds
from syncd.daemon.systemd import Supervisor
from syncd.daemon.worker import Worker
from syncd.engine import rules
from syncd.environment import Environment
from syncd.errors import Fatal
from syncd.health import Board
from syncd.health.server import Health, Unbound, application, bind
from syncd.settings import Settings
from syncd.store import Store, reaching

TICK = 1.0
"""Seconds from one look at the clock to the next, at most."""
SHORTEST = 0.1
KEEP = 60.0
WATCH = 15.0
"""Seconds at most from one sign of life to the next."""
GRACE = 7.5
"""Seconds for what is under way when the process is asked to end (contract: exit within 10)."""
FORCED = 128
"""Plus the number of the signal: the exit code when a second one does not wait."""
log = structlog.get_logger("syncd")
logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)  # a cycle longer than a tick is nothing to warn of

View = Callable[[Rounds], None]


class Service:
    """``load``: the configuration as it is on disk, its secrets masked from then on. ``view``: shows how things stand, every second.
    ``rounds``: how cycles come to be begun."""

    def __init__(
        self, environment: Environment, settings: Settings, load: Callable[[], Settings], environ: Mapping[str, str],
        view: View | None = None, rounds: type[Rounds] = Rounds,
    ) -> None:  # fmt: skip
        self._environment, self._settings, self._load, self._view = environment, settings, load, view
        self._kind = rounds
        self._supervisor, self._board, self._worker, self._postman = Supervisor(environ), Board(), Worker(), Postman()
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._health: Health | None = None
        self._status = ""

    async def run(self) -> int:
        """Until a signal ends it: 0. Raises Unbound for an address in use, Fatal for a store that cannot be opened."""
        self._loop, self._asked, self._opened = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._end, number)
        listener = bind(self._settings.server.listen) if self._settings.server else None
        self._worker.start()
        opening = self._worker.submit(self._open())
        opening.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._opened.set))
        await self._opened.wait()
        if self._environment.ending:
            return 0
        self._rounds = opening.result()
        self._serve(listener)
        await self._work()
        return 0

    async def _open(self) -> Rounds:
        store = Store(self._settings.store.url, self._settings.landscape.instance)
        rules.bound(store, self._settings.landscape)
        notices = Notices(store, self._environment, self._postman)
        return self._kind(self._environment, self._settings, store, self._board, notices, self._load)

    def _serve(self, listener: socket.socket | None) -> None:
        """The health server is the daemon's only socket, and where none is configured there is none."""
        if listener is not None:
            url = self._settings.store.url
            self._health = Health(application(self._board, self._worker.alive, lambda: reaching.problem(url)), listener)
            self._health.start()

    async def _work(self) -> None:
        """From ready to stopped."""
        scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1})
        scheduler.add_job(self._tick, "interval", seconds=self._beat(), next_run_time=self._environment.now(), id="tick")
        scheduler.add_job(self._keep, "interval", seconds=KEEP)
        scheduler.add_job(self._watch, "interval", seconds=min(self._supervisor.beat or WATCH, WATCH))
        if self._view is not None:
            scheduler.add_job(self._show, "interval", seconds=TICK)
        self._loop.add_signal_handler(signal.SIGHUP, lambda: scheduler.add_job(self._reload, args=[scheduler]))
        await self._keep()
        scheduler.start()
        log.info("started", connections=len(self._settings.landscape.connections), config=str(self._settings.path))
        self._supervisor.ready(self._told())
        await self._asked.wait()
        scheduler.pause()
        await self._drain()
        scheduler.shutdown(wait=False)

    def _beat(self) -> float:
        """Seconds between two looks: whoever died is to be relieved within two lease times (contract), of which one passes anyway."""
        return max(min(TICK, self._settings.landscape.lease.total_seconds() / 4), SHORTEST)

    async def _tick(self) -> None:
        await self._worker.run(self._rounds.tick())

    async def _show(self) -> None:
        assert self._view is not None
        self._view(self._rounds)

    async def _keep(self) -> None:
        await self._worker.run(self._rounds.keep(self._holder))

    async def _watch(self) -> None:
        """The service manager hears of us as long as the working thread answers."""
        self._worker.knock()
        if self._worker.alive():
            self._supervisor.alive()
        if self._told() != self._status:
            self._status = self._told()
            self._supervisor.status(self._status)

    def _told(self) -> str:
        held = sum(self._board.gauges.get("syncd_held", {}).values())
        suspended = [name for name, turn in self._rounds.duties.turns.items() if turn.probe]
        told = [f"{len(self._settings.landscape.connections)} connections"]
        told += [f"{held:.0f} held"] if held else []
        told += [f"suspended: {', '.join(suspended)}"] if suspended else []
        told += ["a configuration was refused, the one before is in use"] if self._board.refused else []
        told += [f"at rest: {self._board.trouble.partition(chr(10))[0]}"] if self._board.trouble else []
        return "; ".join(told)

    async def _reload(self, scheduler: AsyncIOScheduler) -> None:
        """Validate, then swap; a refused configuration changes nothing."""
        self._supervisor.reloading()
        try:
            settings = self._load()
            self._lasting(settings)
            await self._worker.run(self._bound(settings))
            await self._listen(settings)
        except (Fatal, Unbound) as error:
            self._board.refused = True
            log.error("reload refused: the configuration before stays in use", error=str(error))
        else:
            self._board.refused, self._settings = False, settings
            await self._worker.run(self._use(settings))
            scheduler.reschedule_job("tick", trigger="interval", seconds=self._beat())
            log.info("reloaded", config=str(settings.path))
        self._supervisor.ready(self._told())
        await self._keep()

    async def _bound(self, settings: Settings) -> None:
        """Raises Fatal for connections that lead elsewhere than the store knows."""
        rules.bound(self._rounds.store, settings.landscape)

    async def _use(self, settings: Settings) -> None:
        """In the worker, where nothing else looks at them meanwhile."""
        self._rounds.use(settings)

    def _lasting(self, settings: Settings) -> None:
        """Raises Fatal for what another process must begin with."""
        if (settings.store.url, settings.landscape.instance) != (self._settings.store.url, self._settings.landscape.instance):
            raise Fatal("store.url and instance cannot change while syncd runs: restart it")

    async def _listen(self, settings: Settings) -> None:
        """The new address is bound before the old one is given up. Raises Unbound."""
        if settings.server == self._settings.server:
            return
        listener = bind(settings.server.listen) if settings.server else None
        old, self._health = self._health, None
        self._serve(listener)
        if old is not None:
            await old.stop()

    def _end(self, number: int) -> None:
        if self._environment.ending:
            os._exit(FORCED + number)
        log.info("stopping", signal=signal.Signals(number).name)
        self._supervisor.stopping()
        self._environment.end()
        self._asked.set()
        self._opened.set()

    async def _drain(self) -> None:
        """What is under way ends by itself, or is left to the journal: the next run finds out what became of it."""
        drained = self._worker.submit(self._rounds.drained())
        await asyncio.wait([asyncio.wrap_future(drained)], timeout=GRACE)
        if not drained.done():
            log.warning("what was under way did not end in time; the next run finds out what became of it")
            self._worker.submit(self._rounds.cancel())
        closing = asyncio.wrap_future(self._worker.submit(self._rounds.close(self._holder)))
        await asyncio.wait([closing], timeout=0.5)
        if self._health is not None:
            await self._health.stop()
        log.info("stopped")
