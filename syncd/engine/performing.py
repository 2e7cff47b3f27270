"""One request to a provider, and the account as it is afterwards."""

from __future__ import annotations

from syncd.engine.context import Connected
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable
from syncd.model import USER, Account, Kind, Ref, Step


async def perform(one: Connected, step: Step) -> Account | None:
    """The provider's answer; where it answers without the account, or with a part of it, it is fetched. None for a delete."""
    answer = await one.connector.perform(step)
    whole = answer is not None and (step.change.object != USER or one.needed <= answer.attributes.keys())
    if step.change.kind is Kind.DELETE or whole:
        return answer
    return await _read_back(one, step, step.change.account if answer is None else answer.id)


async def _read_back(one: Connected, step: Step, account: str | None) -> Account:
    """What the account is after a write that was done: whatever goes wrong here, it is not undone. Raises InDoubt."""
    why = "the provider answered without it"
    if account is not None:
        try:
            answer = await one.connector.fetch(Ref(account, step.change.object))
        except (Retryable, Rejected, Quarantined) as error:
            why = str(error)
        else:
            if isinstance(answer, Account):
                return answer
            why = "it is not there"
    raise InDoubt(f"{step.summary}: the account could not be read back after the write: {why}")
