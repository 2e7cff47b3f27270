"""`syncd pause` and `syncd resume`: nothing is written for a while, by anybody; reading goes on."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.app import app, command
from syncd.cli.exits import DONE, FAILED, Failed, Misused
from syncd.cli.invocation import Invocation
from syncd.cli.sending import Connections

if TYPE_CHECKING:
    from syncd.cli.printer import Styled
    from syncd.settings import Settings

Until = Annotated[
    str | None, typer.Option("--until", metavar="T", help="When it ends by itself: 2h, 7d, 2026-11-22T08:00Z.", show_default=False)
]
Reason = Annotated[str, typer.Option("--reason", metavar="R", help="Why; shown to everybody who meets it.", show_default=False)]


@command(app, "pause")
def pause(invocation: Invocation, reason: Reason, connection: Connections = None, until: Until = None) -> int:
    """Write nothing until you resume; reading and planning go on.

    A run that is sending stops at its next step, on every machine that shares the store.
    """
    from syncd.cli import moments
    from syncd.cli.documents import document
    from syncd.environment import stamp
    from syncd.store import pauses

    if not reason.strip():
        raise Misused("--reason is empty: say why, for whoever finds it paused")
    now = invocation.environment.now()
    end = moments.coming(until, now, "--until") if until is not None else None
    names = _targets(invocation.settings, connection or ())
    typed = _typed("pause", connection, **{"--until": until, "--reason": reason})
    with invocation.store() as store:
        known = [name for name in names if pauses.pause(store, name, reason, end, now, {"command": typed, "until": end and stamp(end)})]
        rows = [row for name in names if (row := pauses.at(store, name, now)) is not None]
    told = [{"connection": row.connection or None, "reason": row.reason, "since": row.since, "until": row.until} for row in rows]
    invocation.printer.show(document("pause", paused=told), lambda: _lines([(row, row.connection in known) for row in rows]))
    return DONE


@command(app, "resume")
def resume(invocation: Invocation, connection: Connections = None) -> int:
    """Write again; the next run sends what is still to be done."""
    from syncd.cli.documents import document
    from syncd.store import pauses

    now, names = invocation.environment.now(), _targets(invocation.settings, connection or ())
    said = {"command": _typed("resume", connection)}
    with invocation.store() as store:
        resumed = [name for name in names if pauses.resume(store, name, now, said)]
        left = [row for one in _all(invocation.settings) if (row := pauses.at(store, one, now)) is not None]
    lines = [f"{_where(name)} is not paused any more. Next: syncd sync" for name in resumed]
    lines += [f"{_where(name)} was not paused." for name in names if name not in resumed]
    lines += [f"{_where(row.connection)} is still {pauses.told(row)}" for row in {row.connection: row for row in left}.values()]
    invocation.printer.show(document("resume", resumed=[name or None for name in resumed]), lambda: lines)
    return DONE if resumed else FAILED


def _targets(settings: Settings, given: Sequence[str]) -> list[str]:
    """Those named, or everywhere. Raises Misused for an unknown name, Failed for one that is never written."""
    from syncd.cli import wiring
    from syncd.store.pauses import EVERYWHERE

    if not given:
        return [EVERYWHERE]
    names = wiring.selected(settings, given)
    for name in names:
        if settings.landscape.connection(name).write is None:
            raise Failed(f"nothing is ever written at {name}: it has no `write`, so there is nothing to pause")
    return names


def _all(settings: Settings) -> list[str]:
    return ["", *(one.name for one in settings.landscape.connections if one.write is not None)]


def _lines(rows: Sequence[tuple[Any, bool]]) -> Iterator[str | Styled]:
    from syncd.store.pauses import told

    for row, again in rows:
        yield f"{_where(row.connection)} {'was paused already; now it' if again else ''} is {told(row)}".replace("  ", " ")
    yield "Nothing is written there; runs go on to read, plan and report."


def _where(name: str) -> str:
    return name or "everything"


def _typed(name: str, connections: Sequence[str] | None, **options: str | None) -> str:
    """The command as it can be pasted."""
    words = [word for one in connections or () for word in ("-c", one)]
    words += [word for option, value in options.items() if value is not None for word in (option, value)]
    return shlex.join(["syncd", name, *words])
