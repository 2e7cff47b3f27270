"""`syncd revert`: what would be taken back, what cannot be, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from syncd.cli import report_view
from syncd.cli.documents import document as _document
from syncd.cli.printer import BOLD, CYAN, RED, YELLOW, Styled
from syncd.cli.text import called, count, value
from syncd.engine.report import Report
from syncd.engine.reverting import Draft
from syncd.model import Kind

Line = str | Styled
PASSED = "Passwords, sessions and ids that the provider gives do not come back; what is taken back stays so until either side moves."


def lines(draft: Draft) -> Iterator[Line]:
    """The plan."""
    yield f"Revert of run {draft.reverts}", BOLD
    for row in draft.rows:
        sign, style = ("-", RED) if row["kind"] == Kind.DISABLE else ("~", YELLOW)
        account = f" ({row['account']})" if row["account"] != row["who"] else ""
        yield f"  {sign} {row['kind']} {row['who']}{account} at {row['connection']}: {row['reason']}", style
        moved = orjson.loads(row["delta"])
        width = max(map(len, moved), default=0)
        yield from (f"      {path.ljust(width)}  {value(before)} -> {value(after)}" for path, (before, after) in moved.items())
    for row, path, why in draft.stays:
        yield f"  ! {row.kind} {called(row)} at {row.connection} stays{f': {path}' if path else ''}: {why}", CYAN
    yield ""
    told = f"{count(len(draft.rows), 'change')} to take back; {count(len(draft.stays), 'thing stays', 'things stay')} as it is."
    yield told.replace("things stay as it is", "things stay as they are"), BOLD
    if draft.rows:
        yield PASSED


@dataclass(frozen=True, slots=True)
class Outcome:
    """``undone``: changes of the journal that were planned and not done."""

    report: Report
    undone: Sequence[Any]


def document(draft: Draft | None, done: Outcome | None, run: int) -> dict[str, Any]:
    """``applied``: how many were done; None where nothing was sent."""
    rows, stays = (draft.rows, draft.stays) if draft is not None else ((), ())
    results = done.report.results if done is not None else []
    return _document(
        "revert", reverts=run, run=done.report.run if done is not None else None,
        applied=None if done is None else sum(sum(one.applied.values()) for one in results),
        error=next((f"{one.name}: {one.error}" for one in results if one.error), None),
        changes=[
            {**{name: row[name] for name in ("connection", "kind", "identity", "account", "who", "reason")},
             "attributes": orjson.loads(row["delta"])}
            for row in rows
        ],
        undone=[
            {"connection": row.connection, "kind": row.kind, "who": row.who, "state": row.state, "error": row.error}
            for row in (done.undone if done is not None else ())
        ],
        stays=[
            {"connection": row.connection, "kind": row.kind, "who": row.who, "account": row.held_account, "attribute": path or None,
             "reason": why}
            for row, path, why in stays
        ],
    )  # fmt: skip


def outcome(done: Outcome) -> Iterator[Line]:
    for row in done.undone:
        yield f"  ! {row.kind} {row.who} at {row.connection} was not done: {row.error}", RED
    for one in done.report.results:
        made = [f"{number:,} {report_view.DONE[kind]}" for kind, number in one.applied.items() if number] or ["nothing done"]
        yield f"{one.name}: {', '.join(made)}"
        if one.error:
            yield f"{one.name}: FAILED: {one.error}", RED
    if any(any(one.applied.values()) for one in done.report.results):
        yield f"To do it all the same: syncd revert {done.report.run}"
