"""`syncd demo`: a whole life of a directory in a minute, with the real commands against providers emulated on loopback."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from syncd.cli.demo_stage import ALL, COUNT, SECRETS, Stage
from syncd.cli.exits import DONE, WAITING, Failed
from syncd.cli.invocation import Invocation
from syncd.cli.printer import BOLD, CYAN, DIM, GREEN
from syncd.cli.text import count
from syncd.sandbox import Sandbox, serve

FILES = ("syncd.yaml", "people.csv", SECRETS, "syncd.db", "syncd.log")
SIGNALLED = 128
"""Beyond it, a command was ended by a signal (POSIX shells add its number)."""
HALF = COUNT // 2


@dataclass(frozen=True)
class Act:
    """``told``: what happens, in one line. ``command``: what is run. ``before``: what somebody does first.

    Afterwards: ``writes`` that the command sent, by connection; ``live`` accounts at each; where the file is not yet followed (``astray``);
    ``held`` changes that wait.
    """

    told: str
    command: str
    writes: Mapping[str, int] = field(default_factory=dict)
    live: int = COUNT
    before: Callable[[Stage], None] = lambda stage: None
    astray: Collection[str] = ()
    held: int = 0
    code: int = DONE

    def unmet(self, stage: Stage, code: int) -> list[str]:
        """What did not come out as told, connection by connection."""
        wrong = [f"exit code {code}, not {self.code}"] if code != self.code else []
        for name, number in stage.writes().items():
            wrong += [f"{name}: {count(number, 'write')}, not {self.writes.get(name, 0)}"] if number != self.writes.get(name, 0) else []
        for name, number in stage.live().items():
            wrong += [f"{name}: {count(number, 'live account')}, not {self.live}"] if number != self.live else []
        wrong += [f"{name}: {_FOLLOWS[name in self.astray]}" for name in sorted(stage.astray() ^ {*self.astray})]
        wrong += [f"{name}: the visitor was touched" for name in stage.touched()]
        wrong += [f"{name}: somebody who left is still signed in" for name in stage.left_open()]
        held = len(stage.held())
        return wrong + ([f"{held} held, not {self.held}"] if held != self.held else [])


_FOLLOWS = ("not everybody is as in the file", "everybody is as in the file already")
ACTS = (
    Act(
        f"{COUNT} people in a file; 3 of them, and a visitor, have accounts: at Twilio (chat), Appwrite (app), ChatBotKit (bots)"
        " and Waii (sql). A plan writes nothing.",
        "plan",
        live=3,
        astray=ALL,
        held=4 * COUNT,
    ),
    Act(
        "The first contact with a provider needs a person's yes: here it is --yes.",
        "sync --yes",
        {"chat": 8, "app": 13, "bots": 8, "sql": 8},
    ),
    Act("Again: nothing changed but what syncd did itself, so nothing is written.", "sync --yes"),
    Act(
        "Edits on both sides: the file renames a person and brings a newcomer; somebody renames accounts at app and sql by hand.",
        "sync --yes",
        {"chat": 2, "app": 4, "bots": 2, "sql": 3},
        COUNT + 1,
        Stage.edit,
    ),
    Act(
        "A leaver: disabled by a switch (app) or by the overlay `disabled` (chat, sql), deleted (bots); sessions, tokens and keys end.",
        "sync --yes",
        {"chat": 1, "app": 2, "bots": 2, "sql": 2},
        before=Stage.leave,
    ),
    Act(
        "Half of the file vanishes, as when an export breaks off. Nobody is touched; exit code 3 says that something waits for you.",
        "sync --yes",
        before=Stage.lose_half,
        held=4 * HALF,
        code=WAITING,
    ),
    Act("What waits, each with the command to paste.", "pending", held=4 * HALF),
    Act("It was meant this time: let exactly these changes go.", "held release {run}", held=4 * HALF),
    Act("The next run sends them.", "sync --yes", {"chat": HALF, "app": 2 * HALF, "bots": HALF, "sql": HALF}, HALF),
    Act("In the end nothing waits, and no visitor was ever touched.", "status", live=HALF),
)


def play(invocation: Invocation, keep: Path | None) -> int:
    """Every act in turn. Raises Failed at the first that does not come out as told."""
    printer, sandbox = invocation.printer, Sandbox(users=3)
    with _directory(keep) as directory, serve(sandbox) as url:
        stage = Stage(directory, sandbox, url)
        for number, act in enumerate(ACTS, 1):
            act.before(stage)
            held = stage.held()
            command = act.command.format(run=held[0]["run"] if held else "")
            printer.lines([(f"{number}/{len(ACTS)}  {act.told}", BOLD), (f"$ syncd {command}", CYAN)])
            code = stage.run(command.split())
            if code > SIGNALLED:
                return code
            printer.lines([(f"(exit code {code}; {_seen(stage.writes())})", DIM), ""])
            if unmet := act.unmet(stage, code):
                raise Failed(f"this did not come out as told: {'; '.join(unmet)}\n{stage.log_tail()}")
    printer.lines([("Everything came out as told.", GREEN)] + ([f"Config, store and log: {keep}"] if keep else []))
    return DONE


def _seen(writes: Mapping[str, int]) -> str:
    """``the providers saw writes: 8 chat, 13 app``."""
    some = [f"{number} {name}" for name, number in writes.items() if number]
    return f"writes the providers saw: {', '.join(some) or 'none'}"


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    """``keep``, or a directory that is gone afterwards. Raises Failed rather than write over what is there."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="syncd-demo-") as made, _terminable():
            yield Path(made)
        return
    there = [name for name in FILES if (keep / name).exists()]
    if there:
        raise Failed(f"{keep} already holds {', '.join(there)}: name another directory")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM leaves nothing behind either."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(SIGNALLED + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
