"""`syncd demo`: a whole life of a directory in a minute, with the real commands against a provider emulated on loopback."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from syncd.cli.demo_stage import COUNT, Stage
from syncd.cli.exits import DONE, WAITING, Failed
from syncd.cli.invocation import Invocation
from syncd.cli.printer import BOLD, CYAN, DIM, GREEN
from syncd.sandbox import Sandbox, serve

FILES = ("syncd.yaml", "people.csv", "token", "syncd.db", "syncd.log")


@dataclass(frozen=True)
class Act:
    """``told``: what happens, in one line. ``command``: what is run; ``sends``: the requests it makes; ``live``: who has an account then.

    ``before``: what somebody does first. ``held``: how many changes wait afterwards.
    """

    told: str
    command: str
    sends: Mapping[str, int]
    live: int = COUNT
    before: Callable[[Stage], None] = lambda stage: None
    held: int = 0
    code: int = DONE

    def came_true(self, stage: Stage, code: int) -> bool:
        kept = stage.sent == self.sends and stage.live == self.live and stage.visitor_untouched()
        return code == self.code and kept and len(stage.held()) == self.held


HALF = COUNT // 2
SIGNALLED = 128
"""Beyond it, a command was ended by a signal (POSIX shells add its number)."""
ACTS = (
    Act(
        f"{COUNT} people in a file; 3 of them have an account at the provider, which has a visitor of its own, too. A plan writes nothing.",
        "plan",
        {"list": 1},
        live=3,
        held=COUNT,
    ),
    Act(
        "The first contact with a provider needs a person's yes: here it is --yes.",
        "sync --yes",
        {"list": 1, "fetch": 3, "create": COUNT - 3, "update": 3},
    ),
    Act("Again: nothing changed, so nothing is written.", "sync --yes", {"list": 1}),
    Act(
        "Edits on both sides: the file renames a person and brings a newcomer; somebody changes an account at the provider by hand.",
        "sync --yes",
        {"list": 1, "create": 1, "update": 2},
        COUNT + 1,
        Stage.edit,
    ),
    Act(
        "A leaver is gone from the file. This provider has no switch, so the `disabled` overlay of the configuration is written.",
        "sync --yes",
        {"list": 1, "fetch": 1, "update": 1},
        COUNT,
        Stage.leave,
    ),
    Act(
        "Half of the file vanishes, as when an export breaks off. Nobody is touched; exit code 3 says that something waits for you.",
        "sync --yes",
        {"list": 1},
        COUNT,
        Stage.lose_half,
        HALF,
        WAITING,
    ),
    Act("What waits, each with the command to paste.", "pending", {}, held=HALF),
    Act("It was meant this time: let exactly these changes go.", "held release {run}", {}, held=HALF),
    Act("The next run sends them.", "sync --yes", {"list": 1, "fetch": HALF, "update": HALF}, HALF),
    Act("In the end nothing waits, and the visitor was never touched.", "status", {}, HALF),
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
            printer.lines([(f"(exit code {code}; {stage.traffic})", DIM), ""])
            if not act.came_true(stage, code):
                raise Failed(f"this did not come out as told\n{stage.log_tail()}")
    printer.lines([("Everything came out as told.", GREEN)] + ([f"Config, store and log: {keep}"] if keep else []))
    return DONE


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
