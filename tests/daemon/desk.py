"""A daemon's working day under a clock that only the test moves: a people file, targets of the memory connector, and ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from syncd.cli.invocation import registry
from syncd.connectors.memory_directory import MemoryDirectory
from syncd.daemon.notices import Message, Notices
from syncd.daemon.queued import Queued
from syncd.daemon.rounds import Rounds
from syncd.health import Board
from syncd.settings import Settings, load
from syncd.settings.service import Notice
from syncd.store import Store, waiting
from tests import stores
from tests.world import Clock

CONFIG = """\
version: 1
connections:
  people:
    connector: file
    path: people.csv
    id: employeeNumber
    authoritative: true
    schedule: {people}
  app:
    connector: memory
    directory: {directory}
    write: {write}
    schedule: {app}
{more}
"""
STEADY = "{every: 5m, jitter: 0s}"
DELETING = "{deprovision: {out_of_scope: delete, departed: delete, grace: 0s}}"


@dataclass
class Desk:
    """``people``, ``app``: their schedules; ``more``: further lines of the configuration, at its end."""

    root: Path
    clock: Clock = field(default_factory=Clock)
    people: str = STEADY
    app: str = STEADY
    write: str = DELETING
    more: str = ""
    told: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.directory = MemoryDirectory.named(str(self.root))
        self.save()
        self.hire()
        self.start()

    @property
    def config(self) -> Path:
        return self.root / "syncd.yaml"

    def save(self) -> None:
        keys = {"people": self.people, "app": self.app, "write": self.write, "directory": self.root, "more": self.more}
        self.config.write_text(CONFIG.format(**keys))

    def hire(self, *numbers: int) -> None:
        """These people, and nobody else, are in the file."""
        rows = [f"E{one},p{one}@corp.example,Person {one}" for one in numbers]
        (self.root / "people.csv").write_text("\n".join(["employeeNumber,email,displayName", *rows]) + "\n")

    def load(self) -> Settings:
        return load(self.config, registry(), stores.environ(self.root))

    def start(self) -> None:
        """A process begins."""
        settings = self.load()
        self.store, self.board = Store(settings.store.url), Board()
        notices = Notices(self.store, self.clock, self._post)
        self.rounds = Rounds(self.clock, settings, self.store, self.board, notices, self.load)

    def end(self) -> None:
        """And is gone."""
        self.store.close()

    def restart(self) -> None:
        self.end()
        self.start()

    def _post(self, notice: Notice, message: Message) -> None:
        self.told.append(message)

    async def tick(self) -> None:
        """And all that it begins, to its end."""
        await self.rounds.tick()
        await self.rounds.drained()

    async def settle(self, *numbers: int) -> None:
        """These people have their accounts, and the first contact is over."""
        self.hire(*numbers)
        await self.tick()
        self.clock.pass_time(timedelta(seconds=1))
        self.release()
        await self.wait(seconds=1)
        assert len(self.directory.accounts) == len(numbers)

    async def wait(self, step: float = 1.0, **duration: float) -> None:
        """So much time passes, a tick every ``step`` seconds."""
        for _ in range(int(timedelta(**duration).total_seconds() / step)):
            self.clock.pass_time(timedelta(seconds=step))
            await self.tick()

    def release(self) -> None:
        """A person lets everything go that is held: `syncd held release`, another process."""
        other = Store(self.load().store.url)
        waiting.release(other, [row.id for row in waiting.listing(other)], self.clock.now())
        other.close()

    @property
    def runs(self) -> int:
        return int(self.store.value("SELECT COUNT(*) FROM run"))

    def modes(self, after: int = 0) -> list[str]:
        return [row.mode for row in self.store.rows("SELECT mode FROM run WHERE id > :after ORDER BY id", after=after)]

    @property
    def held(self) -> int:
        return len(waiting.listing(self.store, state="held"))

    def account(self, number: int) -> dict[str, Any]:
        """Of the person with this number, at the target."""
        (found,) = (one for one in self.directory.accounts.values() if one["userName"] == f"p{number}@corp.example")
        return found

    def failures(self, name: str = "app") -> int:
        return int(self.store.value("SELECT COALESCE(failures, 0) FROM connection WHERE name = :name", name=name))

    def events(self, *, of: str = "app") -> Sequence[str]:
        return [one.event for one in self.told if one.connection == of]


class Shared(Desk):
    """A desk whose daemon is a worker."""

    rounds: Queued

    def start(self) -> None:
        settings = self.load()
        self.store, self.board = Store(settings.store.url), Board()
        self.rounds = Queued(self.clock, settings, self.store, self.board, Notices(self.store, self.clock, self._post), self.load)

    async def settle(self, *numbers: int) -> None:
        """As ever, but a cycle a look."""
        self.hire(*numbers)
        await self.wait(seconds=3)
        self.release()
        await self.wait(seconds=3)
        assert len(self.directory.accounts) == len(numbers)

    async def stop(self) -> None:
        await self.rounds.close("x")
