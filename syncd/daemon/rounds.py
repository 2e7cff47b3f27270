"""A tick: who is due, their cycles, what came of them; then whoever became due by that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars

from syncd import wiring
from syncd.daemon import credentials, due, probing, telling
from syncd.daemon.due import Turn
from syncd.daemon.notices import Notices
from syncd.engine import rules
from syncd.engine.context import Connected, Context
from syncd.engine.cycle import cycle
from syncd.engine.planning import Plan
from syncd.engine.report import Report
from syncd.environment import Environment
from syncd.errors import Away, Busy, Fatal
from syncd.health import Board
from syncd.settings import Settings
from syncd.store import Store, duty, pauses, presence
from syncd.store.places import Moved

SHORT = 5.0
"""Seconds until the next try where another run holds a lease, or another process the store, or that does not answer."""
LONG = 60.0
"""The same after anything that a person has to mend."""
log = structlog.get_logger("syncd")


class Rounds:
    """All of it happens in one thread, on one open store. ``load``: the configuration as it is on disk now, with its secrets.

    ``working``: the connections of the cycle under way; ``turns``: when each connection is due next; ``known``: how each stood then;
    ``paused``: those to which a person wants nothing written. One that is resumed is due at once.
    """

    def __init__(
        self, environment: Environment, settings: Settings, store: Store, board: Board, notices: Notices, load: Callable[[], Settings]
    ) -> None:  # fmt: skip
        self.environment, self.settings, self.store, self.board, self.notices = environment, settings, store, board, notices
        self.working: Collection[str] = ()
        self.turns: Mapping[str, Turn] = {}
        self.known: Mapping[str, Any] = {}
        self.paused: frozenset[str] = frozenset()
        self._load = load
        self._anew: set[str] = set()
        self._left: dict[str, int] = {}
        self._rests: dict[str, float] = {}
        self._rests_until = 0.0
        self._looked: tuple[int, datetime] | None = None
        self._shown = duty.version(store)
        telling.standing(board, store, settings.landscape.connections)
        if duty.cut_short(store):
            known = duty.known(store)
            self._anew.update(name for name in self._all if name in known and not known[name].failures)

    def use(self, settings: Settings) -> None:
        """From the next cycle on. When what is planned by it could be another, every connection is due at once; else those whose secrets
        are others."""
        before = self.settings
        self.settings, self._looked = settings, None
        self.board.forget({one.name for one in before.landscape.connections} - {*self._all})
        other = settings.fingerprint() != before.fingerprint()
        self._anew.update(name for name in self._all if other or settings.options[name] != before.options.get(name))

    async def tick(self) -> None:
        """Whatever goes wrong with a cycle, the next tick comes."""
        if self.environment.monotonic() < self._rests_until:
            return
        try:
            self._at_hand()
            while not self.environment.ending and (chosen := self._due()):
                try:
                    await self._round(chosen)
                finally:
                    self.working, self._looked = (), None
            self._trouble("")
        except Busy as error:
            self._held_up(error)
        except Away as error:
            log.error("store away", error=str(error))
            self._rests_until = self.environment.monotonic() + SHORT
        except Fatal as error:
            self._trouble(str(error))
            self._rests_until = self.environment.monotonic() + (SHORT if isinstance(error, Moved) else LONG)
        except Exception as error:  # a fault of syncd: it is logged, and the daemon goes on
            log.exception("failed", error=f"unexpected {type(error).__name__}: {error}")
            self._rests_until = self.environment.monotonic() + LONG

    def _at_hand(self) -> None:
        """The store is the one that was opened, or the one that was put in its place."""
        try:
            self.store.check()
        except Moved as error:
            self.store.reopen()
            self._looked = None
            log.warning("store reopened", reason=str(error))

    def _trouble(self, why: str) -> None:
        """Why nothing can be read or sent: said once, and when it is over."""
        if why and why != self.board.trouble:
            log.error("at rest", error=why)
        elif self.board.trouble and not why:
            log.info("at work again")
        self.board.trouble = why

    async def keep(self, holder: str) -> None:
        """Now and then: say that a daemon is at work here, show what others did, and tell what grew old without any cycle."""
        try:
            presence.appear(self.store, holder, self.environment.now())
            self._show()
            self.notices.review(self.settings)
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

    def _due(self) -> dict[str, Turn]:
        turns = self._look()
        now, ticks = self.environment.now(), self.environment.monotonic()  # later than any "now" of theirs
        return {name: turn for name, turn in turns.items() if turn.at <= now and ticks >= self._rests.get(name, ticks)}

    def _look(self) -> Mapping[str, Turn]:
        """Every turn; computed anew only when somebody wrote to the store, or time did what it does."""
        now, version = self.environment.now(), duty.version(self.store)
        first = min((turn.at for turn in self.turns.values()), default=now)
        if self._looked is None or self._looked[0] != version or not self._looked[1] <= now < first:
            self.known = duty.known(self.store)
            paused = frozenset(name for name in self._all if pauses.at(self.store, name, now) is not None)
            self._anew |= self.paused - paused
            self.paused = paused
            turns = due.turns(self.store, self.settings, self.known, now, self._left)
            self.turns = {name: turn._replace(at=now) if name in self._anew else turn for name, turn in turns.items()}
            self._looked = version, now
        return self.turns

    def _held_up(self, error: Busy) -> None:
        """Another run is at work: at one target alone, or at what all need. It is said once."""
        name, until = error.connection, self.environment.monotonic() + SHORT
        (log.debug if name in self._rests else log.info)("skipped", reason=str(error), connection=name)
        if name is not None:
            self.board.gauge("syncd_lease_held", name, 0)
            self._rests[name] = until
        if name is None or self.settings.landscape.connection(name).authoritative:
            self._rests_until = until

    @property
    def _all(self) -> list[str]:
        return [one.name for one in self.settings.landscape.connections]

    async def _round(self, chosen: Mapping[str, Turn]) -> None:
        """Those who are to be read whole in one cycle, the others in another."""
        usable = [name for name, turn in chosen.items() if not turn.probe or await self._usable(name)]
        for mode in ("full", "delta"):
            names = [name for name in usable if chosen[name].full == (mode == "full")]
            if names and not self.environment.ending:
                await self._cycle(names, mode)

    async def _usable(self, name: str) -> bool:
        """A suspended connection answers again, perhaps with the credentials of now."""
        with bound_contextvars(connection=name):
            self._renew(name)
            answer = await probing.probe(self.settings, self.environment, self.store, name)
            log.debug("probed", error=answer)
            if answer:
                self._anew.discard(name)
            return not answer

    async def _cycle(self, names: Sequence[str], mode: str) -> None:
        settings, environment = self.settings, self.environment
        async with wiring.connected(settings, environment, writable=True) as each:
            names = self._with_sources(each, names)
            self.working, began = names, environment.monotonic()
            with self.board.counting({name: one.connector.meter for name, one in each.items()}):
                report, _ = await cycle(
                    environment, settings.landscape, each, self.store, mode=mode, selection=names, approve=_approve, wait=0, contact=False
                )  # fmt: skip
        self.board.took(environment.monotonic() - began)
        self._conclude(report, each, settings)

    def _with_sources(self, each: Mapping[str, Connected], names: Sequence[str]) -> list[str]:
        """Where no whole cycle has gone by the rules of now, all sources are read with it: only that makes them last time's rules."""
        context = Context(self.environment, self.store, self.settings.landscape, each, names)
        also = context.authoritative if set(names) & set(rules.untried(context)) else ()
        also = [name for name in also if not self.turns[name].probe]
        return [name for name in each if name in names or name in also]

    def _conclude(self, report: Report, each: Mapping[str, Connected], settings: Settings) -> None:
        """``settings``: those of the cycle; others may be in use by now, by which nothing was read yet."""
        telling.events(report, self.board.gauges.get("syncd_held", {}))
        names = [one.name for one in report.results]
        if settings is self.settings:
            self._anew.difference_update(names)
        for name in names:
            self._rests.pop(name, None)
        targets = [name for name in names if each[name].policy is not None]
        self._left = {**self._left, **{name: duty.changed(self.store, name, due.MANY) for name in targets}}
        telling.count(self.board, self.store, report, targets)
        for name in {*names, *(name for name, one in each.items() if one.connection.authoritative)}:
            self.board.gauge("syncd_lease_held", name, 1)
        for one in report.results:
            if one.unauthorized and not self._renew(one.name):
                credentials.suspend(self.store, one, self.environment.now())
        telling.suspensions(self.store, report, {name: turn.probe for name, turn in self.turns.items()})
        telling.standing(self.board, self.store, [each[name].connection for name in names])
        self.notices.review(self.settings, {one.name for one in report.results if one.unauthorized})

    def _renew(self, name: str) -> bool:
        """Whether the secrets of a connection are others by now; it is due at once with them."""
        renewed = credentials.renewed(self.settings, self._load, name)
        if renewed is None:
            return False
        log.info("credentials renewed", connection=name)
        self.settings = renewed
        self._anew.add(name)
        return True


async def _approve(plan: Plan) -> bool:
    """Nobody is asked: what may be sent is sent, first contact apart (`cycle`, ``contact``)."""
    bind_contextvars(run=plan.run)
    return True
