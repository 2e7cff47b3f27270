"""Commands about what rests after repeated refusals: quarantine list, retry, drop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.app import command, subgroup
from syncd.cli.exits import DONE, Failed
from syncd.cli.invocation import Invocation
from syncd.cli.waiting import show_waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncd.store import Store

Whose = Annotated[list[str] | None, typer.Argument(metavar="[WHO]...", help="Only these people.", show_default=False)]
quarantine = subgroup("quarantine", "Changes that rest, because they were refused in three runs.")


@command(quarantine, "list")
def listing(invocation: Invocation) -> int:
    """What rests, each with the command to paste."""
    return show_waiting(invocation, "quarantined")


@command(quarantine, "retry")
def retry(invocation: Invocation, who: Whose = None) -> int:
    """End the rest: the next run tries again."""
    from syncd.cli import quarantined
    from syncd.store import quarantine as resting

    with invocation.store() as store:
        rows = _meant(store, who or ())
        with quarantined.said(invocation, store, "retry", rows):
            resting.wake(store, [row.id for row in rows])
    invocation.printer.show(quarantined.document("retry", rows), lambda: quarantined.retried(rows))
    return DONE


@command(quarantine, "drop")
def drop(invocation: Invocation, who: Whose = None) -> int:
    """Say no to what rests, until a side moves.

    It is left as it is; `syncd held release` takes that back.
    """
    from syncd.cli import quarantined
    from syncd.store import quarantine as resting

    with invocation.store() as store:
        rows = _meant(store, who or ())
        with quarantined.said(invocation, store, "drop", rows):
            resting.drop(store, [row.id for row in rows])
    invocation.printer.show(quarantined.document("drop", rows), lambda: quarantined.dropped(rows))
    return DONE


def _meant(store: Store, who: Sequence[str]) -> list[Any]:
    """What rests of these people, or of everybody. Raises Failed where that is nothing, and for somebody unknown."""
    from syncd.cli import people
    from syncd.store import waiting

    rows = waiting.listing(store, state="quarantined")
    wanted = {people.resolve(store, one): one for one in who}
    if idle := [one for identity, one in wanted.items() if identity not in {row.identity for row in rows}]:
        raise Failed(f"nothing of {', '.join(idle)} is quarantined: syncd quarantine list")
    if not rows:
        raise Failed("nothing is quarantined")
    return [row for row in rows if not wanted or row.identity in wanted]
