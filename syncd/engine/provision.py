"""The passed plan -> the provider: intent, request, settled outcome, for each step, a bounded number at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from syncd.engine import containers, directory, echoing, places, settling
from syncd.engine.changes import change_of
from syncd.engine.commits import Commits
from syncd.engine.context import Connected, Context
from syncd.engine.doubt import look
from syncd.engine.performing import perform
from syncd.engine.phases import passed, phases
from syncd.engine.renewal import unlike
from syncd.engine.sending import Sending
from syncd.engine.still import Wanted
from syncd.errors import Incomplete, InDoubt, Paused, Quarantined, Rejected, Retryable
from syncd.model import USER, Account, Change, Gone, Ref, Step
from syncd.store import journal, lease, outcomes, staging, verdicts
from syncd.store.entries import Intent


async def provision(context: Context, one: Connected, stopped: str = "") -> Sending:
    """Send every passed change of this run, unless the target is ``stopped``: each after those it waits for (`phases`)."""
    sending, commits, started = Sending(stopped), Commits(context.store), context.environment.monotonic()
    many = journal.passed(context.store, context.run, one.name)
    with one.work.stretch("sending", "changes", many, started) as sending.effort:
        for phase in phases(context, one):
            queue = passed(context, one, phase, lambda: bool(sending.stopped))
            workers = [_work(context, one, commits, queue, sending) for _ in range(max(1, one.connection.rate.concurrency))]
            await asyncio.gather(*workers)
    if many:
        _skip_rest(context, one, sending)
    sending.seconds = context.environment.monotonic() - started
    return sending


async def _work(context: Context, one: Connected, commits: Commits, queue: Iterator[Any], sending: Sending) -> None:
    for row in queue:
        try:
            await _send(context, one, commits, row, sending)
            sending.failures = 0
        except Quarantined as error:
            sending.stop(error)
        except InDoubt as error:
            sending.failure(str(error))
        except Incomplete as error:
            sending.failed, sending.last_error = sending.failed + 1, str(error)
        except Retryable as error:
            sending.failed, sending.last_error = sending.failed + 1, str(error)
            sending.failure(str(error))
        sending.effort.done += 1


async def _send(context: Context, one: Connected, commits: Commits, row: Any, sending: Sending) -> None:
    try:
        why = await unlike(context, one, row)
    except (Incomplete, Retryable) as error:
        await _skip(context, commits, row, str(error))
        raise
    if why:
        await _skip(context, commits, row, why)
        return
    if sending.stopped:
        return
    try:
        if why := places.admit(context, one, row):
            await _skip(context, commits, row, why)
            return
        change = change_of(row, _document(context, one, row))
        steps, wanted = one.connector.steps(change), Wanted(context, one, row)
        for step in steps:
            if not await _step(context, one, commits, row, step, steps, wanted):
                sending.moved += step.n > 1
                return
        if not steps and (why := await commits.do(lambda: _adopt(context, one, row, change, wanted))):
            await _skip(context, commits, row, why)
    except Rejected as error:
        why, gone = str(error), await _is_gone(one, row)
        await commits.do(lambda: _refuse(context, row, why, gone=gone))


async def _is_gone(one: Connected, row: Any) -> bool:
    """Whether a change was refused because its account is there no more: what changed since the last listing never tells that."""
    if row.account is None or row.object != USER or not one.connector.capability.delta:
        return False
    try:
        return isinstance(await one.connector.fetch(Ref(row.account)), Gone)
    except (Retryable, Rejected, Quarantined):
        return False


def _document(context: Context, one: Connected, row: Any) -> str | None:
    """The account as it is known, JSON; None before it is made."""
    if row.object != USER:
        known = context.trees[one.name].found.get((row.object, row.account))
        return None if known is None else orjson.dumps(known.attributes).decode()
    return None if row.account_id is None else staging.document(context.store, row.account_id)


async def _skip(context: Context, commits: Commits, row: Any, why: str) -> None:
    await commits.do(lambda: journal.settle_change(context.store, row, "skipped", why, context.environment.now()))


async def _step(
    context: Context, one: Connected, commits: Commits, row: Any, step: Step, steps: Sequence[Step], wanted: Wanted
) -> bool:  # fmt: skip
    """Whether it was sent: what is not wanted any more is not."""
    context.environment.reached("before_intent")
    creates = step.creates and row.object == USER  # whether a container was made, its next listing says
    try:
        intent = await commits.do(lambda: _intend(context, one, row, step, len(steps), wanted, creates=creates))
    except Paused as error:
        why = str(error)
        await _leave(context, commits, row, step, why)
        raise
    if isinstance(intent, str):
        await _leave(context, commits, row, step, intent)
        return False
    context.environment.reached("after_intent")
    try:
        account = await perform(one, step)
    except InDoubt as error:
        account = await _doubt(context, one, commits, row, intent, step, str(error))
    except (Rejected, Retryable, Quarantined) as error:
        state, why = "rejected" if isinstance(error, Rejected) else "retry", str(error)
        change = _left(step) if isinstance(error, Paused) else state
        await commits.do(lambda: _unsent(context, row, intent, state, why, change))
        raise
    context.environment.reached("after_send")
    await commits.do(lambda: _took(context, one, row, intent, account, wanted, last=step is steps[-1]))
    if account is not None:
        directory.recognise(context, one, directory.told(one, account))
    context.environment.reached("after_settle")
    return True


def _intend(context: Context, one: Connected, row: Any, step: Step, of: int, wanted: Wanted, *, creates: bool) -> Intent | str:
    """The intent, or why there is none."""
    context.go_on()
    if why := wanted.why_not():
        return why
    token = context.token(one.name)
    intent = journal.intend(context.store, row, step.n, creates, step.summary, token, context.environment.now(), of)
    echoing.intend(context, one, row)
    return intent


async def _leave(context: Context, commits: Commits, row: Any, step: Step, why: str) -> None:
    await commits.do(lambda: journal.settle_change(context.store, row, _left(step), why, context.environment.now()))


def _left(step: Step) -> str:
    """What becomes of a change that is kept from going on: nothing of it was sent, or its rest goes on in a later run."""
    return "skipped" if step.n == 1 else "retry"


async def _doubt(context: Context, one: Connected, commits: Commits, row: Any, intent: Intent, step: Step, why: str) -> Account:
    """No answer came. An account that is there is believed at once; one that is not, only in a later view: raises InDoubt.

    An update or a deletion is simply planned again from what the next listing shows: raises Retryable.
    """
    if not step.creates or row.object != USER:
        await commits.do(lambda: _unsent(context, row, intent, "lost", why))
        raise Retryable(why)
    await commits.do(lambda: _stay_in_doubt(context, row, intent, why))
    try:
        account = await look(context, one, row)
    except (Retryable, Rejected):
        account = None
    if account is None:
        raise InDoubt(why)
    return account


def _took(
    context: Context, one: Connected, row: Any, intent: Intent, account: Account | None, wanted: Wanted, *, last: bool
) -> None:  # fmt: skip
    now, moved = context.environment.now(), not last and wanted.moved()
    journal.settle_step(context.store, intent, "applied", None, now, account=None if account is None else account.id)
    if last:
        journal.settle_change(context.store, row, "applied", None, now)
    if row.object != USER:
        places.placed(one, context.trees[one.name], row, account)
        if account is not None:
            containers.kept(context, one, row, account)
        return
    if last:
        places.settled(context, one, row)
    if account is not None:
        settling.arrived(context, one, row, account, last=last)
    elif last:
        settling.left(context, one, row)
    if not moved:
        wanted.follow()


def _adopt(context: Context, one: Connected, row: Any, change: Change, wanted: Wanted) -> str:
    """An adoption that writes nothing: the account is ours from now on, or why not. Raises as an intent does."""
    assert change.account is not None and change.document is not None
    if why := wanted.why_not():
        return why
    now = context.environment.now()
    lease.fence(context.store, one.name, context.token(one.name), now)
    journal.settle_change(context.store, row, "applied", None, now)
    settling.arrived(context, one, row, Account(change.account, change.document), last=True)
    return ""


def _unsent(context: Context, row: Any, intent: Intent, state: str, error: str, change: str = "") -> None:
    """``change``: its state, where that is not the step's."""
    now = context.environment.now()
    journal.settle_step(context.store, intent, state, error, now)
    journal.settle_change(context.store, row, change or state, error, now)
    outcomes.doubt(context.store, row.connection, row.identity, None)


def _refuse(context: Context, row: Any, error: str, *, gone: bool) -> None:
    """Of an account that is ``gone`` a whole listing is to give the proof."""
    now = context.environment.now()
    if gone:
        staging.distrust(context.store, row.connection)
    journal.settle_change(context.store, row, "rejected", error, now)
    outcomes.refused(context.store, row.connection, row.identity, error, now)


def _stay_in_doubt(context: Context, row: Any, intent: Intent, why: str) -> None:
    now = context.environment.now()
    journal.mark_doubt(context.store, intent, why, now, now)
    journal.settle_change(context.store, row, "in_doubt", why, now)


def _skip_rest(context: Context, one: Connected, sending: Sending) -> None:
    with context.store.transaction(durable=False):
        why = sending.stopped or "what it waits for was not done"
        verdicts.skip(context.store, context.run, one.name, why, context.environment.now())
