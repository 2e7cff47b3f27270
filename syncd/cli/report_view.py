"""A report as text: a line for each connection, and a last one that says what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from syncd.cli import cures
from syncd.cli.printer import BOLD, GREEN, RED, YELLOW, Styled
from syncd.cli.text import called, count, duration, listed
from syncd.engine.planning import Plan
from syncd.engine.report import Report, Result
from syncd.store import journal

SHOWN, MOST = 20, 10_000
"""Changes of one connection that are told one by one, at first and at most."""
DONE = {"create": "created", "adopt": "adopted", "update": "updated", "disable": "disabled", "delete": "deleted"}


def lines(report: Report, waits: Sequence[Any], now: datetime, names: cures.Names) -> Iterator[str | Styled]:
    """``waits``: what waits for a person at these connections, rows of pending; ``names``: who they are about."""
    for one in report.results:
        yield _line(one)
        if one.error:
            yield f"{one.name}: FAILED: {one.error}", RED
        if one.paused:
            yield f"{one.name}: {one.paused}", YELLOW
    yield _last(report, waits, now, names)


def skipped(made: Plan, *, whole: bool = False) -> list[str | Styled]:
    """The changes of an applied plan that were not sent, each with the reason; the first `SHOWN` of a connection unless ``whole``."""
    told: list[str | Styled] = []
    for part in made.connections:
        rows = journal.ended(made.store, made.run, part.name, "skipped", MOST if whole else SHOWN + 1)
        told += [(f"{part.name}: skipped: {row.kind} {called(row)}: {row.error}", YELLOW) for row in (rows if whole else rows[:SHOWN])]
        told += [f"{part.name}: and more were skipped (-v shows them)"] if len(rows) > SHOWN and not whole else []
    return told


def _line(one: Result) -> str:
    told = [f"{number:,} {DONE[kind]}" for kind, number in one.applied.items() if number] or [_nothing(one)]
    waits = {"held": one.held, "in doubt": one.in_doubt, "quarantined": one.quarantined, "rejected": one.rejected}
    waits |= {"not sent": one.skipped, "kept": one.kept}
    told += [f"{number:,} {name}" for name, number in waits.items() if number]
    if one.requests:
        told.append(f"{count(one.requests, 'request')} in {duration(one.seconds)}")
    if one.throttled:
        told.append(f"{one.throttled:,} told to slow down")
    return f"{one.name}: {', '.join(told)}"


def _nothing(one: Result) -> str:
    if one.listing is None:
        return "not read"
    return f"{count(one.listing.changed, 'change')} read" if one.listing.delta else f"{count(one.listing.accounts, 'account')} read"


def _last(report: Report, waits: Sequence[Any], now: datetime, names: cures.Names) -> Styled:
    if report.declined:
        return "Nothing was sent.", BOLD
    if report.failed:
        failed = [one.name for one in report.results if one.error]
        return f"Failed: {listed(failed)}. The next run goes on where this one stopped; `syncd check` tells whether it can.", RED
    if report.waiting:
        commands = dict.fromkeys(cures.commands(row, now, names)[0] for row in waits if not cures.let_go(row, now))
        first = next(iter(commands)) if len(commands) == 1 else "syncd pending"
        return f"{count(_waiting(report), 'change waits', 'changes wait')} for you. Next: {first}", YELLOW
    return _left(report) or (("Applied." if report.mode == "apply" else "In step."), GREEN)


def _left(report: Report) -> Styled | None:
    """What was planned and not sent, for no fault and nobody's word on it."""
    skipped = sum(one.skipped for one in report.results)
    if paused := [one.name for one in report.results if one.paused]:
        return (
            f"{count(skipped, 'change is', 'changes are')} not sent: {listed(paused)} {'is' if len(paused) == 1 else 'are'} paused.",
            YELLOW,
        )
    if skipped and report.mode == "apply":
        return f"{count(skipped, 'change was', 'changes were')} not sent. Next: syncd plan", YELLOW
    if left := skipped + report.left:
        others = " to others" if report.left else ""
        return f"Done; {count(left, 'change')}{others} {'is' if left == 1 else 'are'} left. Next: syncd sync", BOLD
    return None


def _waiting(report: Report) -> int:
    return sum(one.held + one.in_doubt + one.quarantined + one.rejected for one in report.results)
