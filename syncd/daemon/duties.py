"""Which connections are due: looked up again only when somebody wrote to the store, or time did what it does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from syncd.daemon import due
from syncd.daemon.due import Turn
from syncd.environment import Environment
from syncd.settings import Settings
from syncd.store import Store, duty, lease, pauses


class Duties:
    """``turns``: when each connection is due next; ``known``: how each stood then; ``paused``: those to which a person wants nothing
    written. One that is resumed is due at once, and so is one whose last run died, stands still, or was asked to end."""

    def __init__(self, environment: Environment, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.turns: Mapping[str, Turn] = {}
        self.known: Mapping[str, Any] = {}
        self.paused: frozenset[str] = frozenset()
        self._environment, self._store = environment, store
        self._anew: set[str] = set()
        self._left: dict[str, int] = {}
        self._looked: tuple[int, datetime, datetime] | None = None

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.settings.landscape.connections]

    def use(self, settings: Settings) -> None:
        """When what is planned by them could be another, every connection is due at once; else those whose secrets are others."""
        before, self.settings = self.settings, settings
        self.moved()
        other = settings.fingerprint() != before.fingerprint()
        self._anew.update(name for name in self.names if other or settings.options[name] != before.options.get(name))

    def at_once(self, name: str) -> None:
        self._anew.add(name)

    def not_at_once(self, name: str) -> None:
        self._anew.discard(name)

    def leave(self, target: str, unseen: int) -> None:
        """A cycle is done there: whoever it did not project, for whatever reason, makes it due no more; who changed since does."""
        self._left[target] = unseen

    def moved(self) -> None:
        """This process wrote to the store."""
        self._looked = None

    def due(self, busy: Collection[str]) -> dict[str, Turn]:
        """Who is due now and not ``busy``."""
        turns = self.look()
        now = self._environment.now()  # later than any "now" of theirs
        return {name: turn for name, turn in turns.items() if turn.at <= now and name not in busy}

    def look(self) -> Mapping[str, Turn]:
        """Every turn."""
        now, version = self._environment.now(), duty.version(self._store)
        if self._looked is None or self._looked[0] != version or not self._looked[1] <= now < self._looked[2]:
            self.known = duty.known(self._store)
            paused = frozenset(name for name in self.names if pauses.at(self._store, name, now) is not None)
            self._anew |= self.paused - paused
            self.paused = paused
            turns = due.turns(self._store, self.settings, self.known, now, self._left)
            anew = self._anew | self._cut_short(now)
            self.turns = {name: turn._replace(at=now) if name in anew else turn for name, turn in turns.items()}
            self._looked = version, now, min(self._moments(now), default=datetime.max.replace(tzinfo=now.tzinfo))
        return self.turns

    def _cut_short(self, now: datetime) -> set[str]:
        """What failed rests all the same."""
        return {name for name in lease.run_out(self._store, now) if name in self.known and not self.known[name].failures}

    def _moments(self, now: datetime) -> Iterable[datetime]:
        """When time alone makes another connection due."""
        yield from (turn.at for turn in self.turns.values())
        runs_out = lease.runs_out(self._store, now)
        if runs_out is not None:
            yield runs_out
