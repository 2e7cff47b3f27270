"""What a person knows of a create that is in doubt: looked up, checked, settled as a run would have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from syncd.cli import cures, people
from syncd.cli.alone import decided
from syncd.cli.documents import document as _document
from syncd.cli.exits import Failed
from syncd.cli.invocation import Invocation
from syncd.cli.printer import GREEN, Styled
from syncd.engine import doubt
from syncd.engine.context import Connected, Context
from syncd.errors import Quarantined, Rejected, Retryable
from syncd.model import Account, Ref
from syncd.store import Store, answers, chain, journal, waiting, words
from syncd.wiring import connected


@dataclass(frozen=True, slots=True)
class Settled:
    """``account``: what was made; None = nothing was."""

    row: Any
    account: str | None


async def settle(invocation: Invocation, store: Store, id: int, exists: str | None) -> Settled:
    """Raises Failed, with nothing done, for a row that is not in doubt, and for an account that is not there or another's."""
    row = _row(invocation, store, id)
    landscape = invocation.settings.landscape
    async with connected(invocation.settings, invocation.environment, writable=False) as each:
        context = Context(invocation.environment, store, landscape, each, [row.connection])
        one = each[row.connection]
        account = None if exists is None else await _fetched(store, one, exists)
        with decided(invocation, store, [row.connection]):
            step = _step(store, row)
            if account is None:
                doubt.not_made(context, one, step)
            else:
                _free(store, one, account, row.identity)
                doubt.made(context, one, step, account, believed=True)
            store_row = {"change": row.change, "who": row.who, "account": None if account is None else account.id}
            command = f"pending resolve {id} " + ("--absent" if exists is None else f"--exists {exists}")
            event = chain.Event(chain.DECIDED, row.connection, {"command": command, **store_row}, identity=row.identity)
            chain.append(store, [event], invocation.environment.now())
            waiting.settled(store, [row.id])
    return Settled(row, None if account is None else account.id)


def _row(invocation: Invocation, store: Store, id: int) -> Any:
    rows = {row.id: row for row in waiting.listing(store)}
    row = rows.get(id)
    if row is None:
        doubts = [str(one.id) for one in rows.values() if one.state == "in_doubt"]
        raise Failed(f"nothing waits under {id}" + (f"; in doubt are {', '.join(doubts)}" if doubts else "; nothing is in doubt"))
    if row.state != "in_doubt":
        command = cures.commands(row, invocation.environment.now(), people.about(store, [row]))[0]
        raise Failed(f"{id} is {row.state}, not in doubt\n  what helps: {command}")
    if row.connection not in [one.name for one in invocation.settings.landscape.connections]:
        raise Failed(f"{row.connection} is not configured any more")
    return row


def _step(store: Store, row: Any) -> Any:
    """The open step that the row is about. Raises Failed when a run has settled it meanwhile."""
    for step in journal.open_steps(store, row.connection):
        if step.id == row.change:
            return step
    raise Failed(f"{row.id} was settled meanwhile: syncd pending")


async def _fetched(store: Store, one: Connected, name: str) -> Account:
    """The account as the provider has it now; ``name`` may be its key, where syncd has seen it."""
    known = answers.accounts(store, one.name, name, name)
    id = known[0].account if len(known) == 1 else name
    try:
        answer = await one.connector.fetch(Ref(id))
    except (Retryable, Rejected, Quarantined) as error:
        raise Failed(f"{one.name} did not show account {name}: {error}") from None
    if not isinstance(answer, Account):
        raise Failed(f"{one.name} has no account {name}: nothing was settled")
    return answer


def _free(store: Store, one: Connected, account: Account, identity: str) -> None:
    """Raises Failed for an account that is another's already."""
    found = answers.accounts(store, one.name, account.id, account.id)
    owner = words.owner(store, one.name, found[0].id) if found else None
    if owner is not None and owner.identity != identity:
        whose = people.typed(store, [owner.identity])[owner.identity]
        raise Failed(f"account {account.id} is {whose}'s: it was not made by this")


def document(settled: Settled) -> dict[str, Any]:
    row = settled.row
    return _document("resolve", id=row.id, connection=row.connection, change=row.change, who=row.who, account=settled.account)


def lines(settled: Settled) -> Iterator[str | Styled]:
    row = settled.row
    if settled.account is None:
        yield f"{row.connection}: {row.kind} {row.who} was not made; the next `syncd sync` plans it again.", GREEN
    else:
        yield f"{row.connection}: account {settled.account} is {row.who}'s: it was made by this.", GREEN
