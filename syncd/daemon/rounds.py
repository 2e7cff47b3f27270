"""The cycles of whoever is due, several at a time: begun at a tick, told as each connection is done, and then whoever became due by that.

Cycles of one process share one open store and one thread: a transaction never awaits. They queue where it is about people (`Context.turn`),
and else no target waits for another. Those that are due at once go in one cycle, so that their sources are read once; but whose listing
took long goes alone, and keeps nobody from being planned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars

from syncd import wiring
from syncd.daemon import credentials, probing, telling
from syncd.daemon.due import Turn, together
from syncd.daemon.duties import Duties
from syncd.daemon.elsewhere import Elsewhere
from syncd.daemon.notices import Notices
from syncd.daemon.trouble import Trouble
from syncd.engine import rules
from syncd.engine.context import Connected, Context
from syncd.engine.cycle import cycle
from syncd.engine.leasing import HOLDER
from syncd.engine.planning import Plan
from syncd.engine.report import Result
from syncd.environment import Environment
from syncd.errors import Fatal
from syncd.health import Board
from syncd.settings import Settings
from syncd.store import Store, duty, lease, presence

SLOW = 10.0
"""Seconds a listing may take of a connection that is not alone in its next cycle."""
log = structlog.get_logger("syncd")


class Rounds:
    """``load``: the configuration as it is on disk now, with its secrets. ``working``: the connections that cycles are at work on.
    ``patience``: seconds a cycle waits for leases that were free a moment before."""

    patience = 0.0

    def __init__(
        self, environment: Environment, settings: Settings, store: Store, board: Board, notices: Notices, load: Callable[[], Settings]
    ) -> None:  # fmt: skip
        self.environment, self.settings, self.store, self.board, self.notices = environment, settings, store, board, notices
        self.duties = Duties(environment, settings, store)
        self.working: frozenset[str] = frozenset()
        self._load = load
        self._turn = asyncio.Lock()
        self._cycles: set[asyncio.Task[None]] = set()
        self._slow: set[str] = set()
        self._elsewhere = Elsewhere(environment, board)
        self._unauthorized: set[str] = set()
        self._trouble = Trouble(environment, store, board, self._elsewhere)
        self._shown = duty.version(store)
        telling.standing(board, store, settings.landscape.connections)

    def use(self, settings: Settings) -> None:
        """From the next cycle on; one under way sends nothing more by the rules before, once one has gone by these."""
        before, self.settings = self.settings, settings
        self.duties.use(settings)
        self.board.forget({one.name for one in before.landscape.connections} - {*self.duties.names})

    async def tick(self) -> None:
        """Begin what is due; it is not waited for."""
        self._begin()

    async def drained(self) -> None:
        """Until no cycle is under way."""
        while self._cycles:
            await asyncio.wait(self._cycles)

    async def cancel(self) -> None:
        """At the very end: a cancelled request costs its connection."""
        for one in self._cycles:
            one.cancel()

    async def keep(self, holder: str) -> None:
        """Now and then: say that a daemon is at work here, show what others did, and tell what grew old without any cycle."""
        try:
            presence.appear(self.store, holder, self.environment.now(), refused=self.board.refused)
            self._show()
            self.notices.review(self.settings, self._unauthorized)
        except Exception as error:
            (log.debug if self.board.trouble else log.warning)("failed", error=str(error))

    def _show(self) -> None:
        """Of several daemons on one store each shows the whole, also of connections on which another works."""
        version = duty.version(self.store)
        if version != self._shown:
            self._shown = version
            telling.standing(self.board, self.store, self.settings.landscape.connections)

    async def close(self, holder: str) -> None:
        with suppress(Fatal):
            presence.leave(self.store, holder)
        self.store.close()

    def _begin(self) -> None:
        """A cycle, unless one is about to begin or to plan: who is due by then goes together with whoever is now."""
        if self.environment.ending or self._turn.locked() or self._trouble.resting:
            return
        with self._trouble.mending():
            if not self._cycles and self._trouble.reopened():
                self.duties.moved()
            chosen = together(self._free(self.duties.due(self.working)), self._slow)
            if chosen:
                self._launch(chosen, self._round(chosen))
            elif not self._cycles:
                self._trouble.over()

    def _launch(self, names: Iterable[str], work: Coroutine[Any, Any, None]) -> None:
        self.working |= {*names}
        task = asyncio.create_task(work)
        self._cycles.add(task)
        task.add_done_callback(self._cycles.discard)

    def _free(self, due: Mapping[str, Turn]) -> dict[str, Turn]:
        """Those that no other process works on; nobody, as long as one keeps the people."""
        if not due or self._busy_sources():
            return {}
        held = {row.connection for row in lease.held(self.store, self.environment.now(), self.settings.landscape.lease, besides=HOLDER)}
        sources = {one.name for one in self.settings.landscape.connections if one.authoritative}
        self._elsewhere.free(besides=held)
        for name in sorted(held & {*due, *sources}):
            self._elsewhere.kept(name, f"{name}: another process holds its lease")
        return {} if held & sources else {name: turn for name, turn in due.items() if name not in held}

    def _busy_sources(self) -> bool:
        """A source that is written, too, stays leased for as long."""
        each = self.settings.landscape.connections
        return any(one.authoritative and one.write is not None and one.name in self.working for one in each)

    async def _round(self, chosen: Mapping[str, Turn]) -> None:
        began = {*chosen}
        try:
            with self._trouble.mending():
                usable = [name for name, turn in chosen.items() if not turn.probe or await self._usable(name)]
                if usable and not self.environment.ending:
                    await self._cycle(usable, "full" if chosen[usable[0]].full else "delta", began)
                self._trouble.over()
        finally:
            self._free_again(began)

    def _free_again(self, names: Iterable[str]) -> None:
        self.working -= {*names}
        self.duties.moved()
        self._begin()

    async def _usable(self, name: str) -> bool:
        """A suspended connection answers again, perhaps with the credentials of now."""
        with bound_contextvars(connection=name):
            self._renew(name)
            answer = await probing.probe(self.settings, self.environment, self.store, name)
            log.debug("probed", error=answer)
            if answer:
                self.duties.not_at_once(name)
            return not answer

    async def _cycle(self, names: Collection[str], mode: str, began: set[str]) -> None:
        """``began``: takes in the connections that it is about beside those that are due."""
        settings, environment = self.settings, self.environment
        async with wiring.connected(settings, environment, writable=True) as each:
            names = self._with_sources(each, names)
            began.update(names)
            self.working |= began
            since, told = environment.monotonic(), partial(self._done, settings, each, mode, began)
            with self.board.counting({name: one.connector.meter for name, one in each.items()}):
                await cycle(
                    environment, settings.landscape, each, self.store, mode=mode, selection=names, approve=_approve, wait=self.patience,
                    contact=False, told=told, turn=self._turn,
                )  # fmt: skip
        self.board.took(environment.monotonic() - since)
        self.notices.review(self.settings, self._unauthorized)

    def _with_sources(self, each: Mapping[str, Connected], names: Collection[str]) -> list[str]:
        """Where no whole cycle has gone by the rules of now, all sources are read with it: only that makes them last time's rules."""
        context = Context(self.environment, self.store, self.settings.landscape, each, list(names))
        also = context.authoritative if {*names} & {*rules.untried(context)} else ()
        also = [name for name in also if not self.duties.turns[name].probe]
        return [name for name in each if name in names or name in also]

    def _done(self, settings: Settings, each: Mapping[str, Connected], mode: str, began: set[str], run: int, one: Result) -> None:
        """A cycle is done with one of the connections it ``began`` with, which may be due again. ``settings``: those of the cycle; others
        may be in use by now, by which nothing was read yet."""
        telling.event(run, mode, one, self.board.gauges.get("syncd_held", {}))
        if settings is self.settings:
            self.duties.not_at_once(one.name)
        (self._slow.add if one.listing is not None and one.listing.seconds > SLOW else self._slow.discard)(one.name)
        if each[one.name].policy is not None:
            self.duties.leave(one.name, one.unseen)
            telling.count(self.board, self.store, run, one.name)
        for name in {one.name, *(name for name, other in each.items() if other.connection.authoritative)}:
            self.board.gauge("syncd_lease_held", name, 1)
        self.board.gauge("syncd_credentials_refused", one.name, one.unauthorized)
        (self._unauthorized.add if one.unauthorized else self._unauthorized.discard)(one.name)
        if one.unauthorized and not self._renew(one.name):
            credentials.suspend(self.store, one, self.environment.now())
        telling.suspension(self.store, run, one.name, was=one.name in self.duties.turns and self.duties.turns[one.name].probe)
        telling.standing(self.board, self.store, [each[one.name].connection], moved=telling.moved(one))
        began.discard(one.name)
        self._free_again([one.name])

    def _renew(self, name: str) -> bool:
        """Whether the secrets of a connection are others by now; it is due at once with them."""
        renewed = credentials.renewed(self.settings, self._load, name)
        if renewed is None:
            return False
        log.info("credentials renewed", connection=name)
        self.settings = self.duties.settings = renewed
        self.duties.at_once(name)
        return True


async def _approve(plan: Plan) -> bool:
    """Nobody is asked: what may be sent is sent, first contact apart (`cycle`, ``contact``)."""
    bind_contextvars(run=plan.run)
    return True
