"""`syncd forget`: who may be forgotten, what goes, what stays and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncd.cli.documents import document as _document
from syncd.cli.exits import Failed
from syncd.cli.printer import GREEN, YELLOW, Styled
from syncd.cli.text import count, listed
from syncd.store import Store, erasing
from syncd.store.erasing import Erased

FINAL = ("kept", "disabled", "frozen")
"""States of a leaver's link in which nothing more happens to their account."""
ELSEWHERE = "Backups, logs, plan files and what was exported before are not touched: see to them yourself."


def allow(store: Store, identity: str, who: str) -> None:
    """Raises Failed, with the cure, for somebody who has not departed, or to whose accounts something is still to be done."""
    here, known = erasing.present(store, identity), erasing.person(store, identity)
    if known is None or known.live != "departed":
        why = (
            f"{listed(here)} is there" if len(here) == 1 else f"{listed(here)} are there" if here else "no reading has shown that they left"
        )
        raise Failed(
            f"{who} has not departed: {why}\n  only who is gone from every source is forgotten: remove them there, then `syncd sync --full`"
        )
    for row in erasing.holdings(store, identity):
        if cure := _unfinished(row):
            raise Failed(f"{who} is not forgotten yet: {cure}")


def _unfinished(row: Any) -> str:
    """What is still to be done at one target, and the cure; or nothing."""
    name = f"{row.connection}/{row.account}" if row.account else row.connection
    if row.doubt is not None:
        return f"a request to {row.connection} is in doubt\n  `syncd sync` looks for what became of it"
    if row.account is None:
        return ""
    if row.state == "grace" and row.due_at is not None and not row.moving:
        return f"{name} is deleted on {row.due_at[:10]}\n  forget them then; or delete it at the provider now, then `syncd sync --full`"
    if row.state in ("grace", "leaving"):
        return f"{name} is still to be deleted\n  `syncd sync` does it, or `syncd pending` says what it waits for"
    if row.state == "retained":
        return f"`retain` holds {name}: what must be retained is not forgotten\n  lift `retain` first, then `syncd sync`"
    if row.owned and (row.dirty or row.moving or row.state not in FINAL):
        return f"{name} is {row.state}, and not as it should be\n  `syncd sync` brings it there, or `syncd pending` says what it waits for"
    return ""


def question(store: Store, identity: str, who: str) -> str:
    stays = [f"{row.connection}/{row.account}" for row in erasing.holdings(store, identity) if row.account]
    told = f" Their account {listed(stays)} stays, and is nobody's then." if stays else ""
    return f"Forget {who} for good?{told} This cannot be undone."


def document(done: Erased | None) -> dict[str, Any]:
    """None: only the files were cleared of what was forgotten before."""
    if done is None:
        return _document("forget", entries=0, accounts=0, known_as=None, stays=[])
    stays = [{"connection": connection, "account": account} for connection, account in done.stays]
    return _document("forget", entries=done.entries, accounts=done.accounts, known_as=done.alias if stays else None, stays=stays)


def lines(done: Erased | None) -> Iterator[str | Styled]:
    if done is None:
        yield "What was forgotten before stands in no file of the store any more.", GREEN
        return
    gone = f"{count(done.accounts, 'account')} that {'is' if done.accounts == 1 else 'are'} gone"
    yield f"Forgotten: the person, {gone}, what {count(done.entries, 'entry', 'entries')} of the journal said.", GREEN
    for connection, account in done.stays:
        yield f"{connection}/{account} is still there: its id and its keys stay known, as every listing shows them.", YELLOW
    if done.stays:
        yield f"  It is nobody's now ({done.alias}): never written, not made a second time, given to nobody without your yes."
        yield f"  To be rid of that too: delete it at the provider, then `syncd sync --full` and `syncd forget {done.alias}`."
    yield ELSEWHERE
