"""A run taken back: each account is asked for, the inverse of what was written there is planned, shown, and sent like any plan."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any

import orjson

from syncd.core.forecast import requests
from syncd.core.reverting import Inverse, inverse
from syncd.engine import observing, records, rules
from syncd.engine.context import Connected, Context
from syncd.engine.leasing import WAIT, leased
from syncd.engine.opening import begin
from syncd.engine.projecting import person_of, project_dirty
from syncd.engine.provision import provision
from syncd.engine.report import Report, Result, result
from syncd.engine.sending import Sending
from syncd.environment import Environment
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable
from syncd.model import USER, Account, Change, Gone, Kind, Landscape, Ref
from syncd.store import Store, chain, journal, links, reverting, runs, staging, waiting, whose

AT_ONCE = 16
"""Accounts asked for at once; each connector keeps to its own pace within that."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What taking back ``reverts`` means. ``rows``: as the journal takes them. ``stays``: (row of the change, attribute or "", why) of all
    that does not come back."""

    reverts: int
    rows: Sequence[dict[str, Any]]
    stays: Sequence[tuple[Any, str, str]]


Approve = Callable[[Draft], Awaitable[bool]]


async def revert(
    environment: Environment, landscape: Landscape, connected: Mapping[str, Connected], store: Store, run: int, approve: Approve, *,
    wait: float = WAIT,
) -> Report | None:  # fmt: skip
    """None where nothing can be taken back, or a person said no. Raises Busy and Fatal as `cycle`."""
    names = sorted({row.connection for row in reverting.written(store, run)})
    selection = [name for name in connected if name in names]
    context = Context(environment, store, landscape, connected, selection, narrowed=True)
    async with leased(context, sorted({*selection, *context.authoritative}), wait, partial(begin, context, "apply")):
        await rules.register(context)
        stopped: dict[str, str] = {}
        draft = await _draft(context, run, stopped)
        context.planned_at = environment.now()
        agreed = await approve(draft) and bool(draft.rows)
        sent = await _send(context, draft, stopped) if agreed else {}
        report = Report(context.run, "apply", [_result(context, name, sent.get(name), stopped) for name in selection], not agreed)
        runs.finish(store, context.run, "", environment.now())
        return report if agreed else None


async def _draft(context: Context, run: int, stopped: dict[str, str]) -> Draft:
    rows: list[dict[str, Any]] = []
    stays: list[tuple[Any, str, str]] = []
    done = reverting.written(context.store, run)
    for start in range(0, len(done), AT_ONCE):
        block = done[start : start + AT_ONCE]
        for row, found in zip(block, await asyncio.gather(*(_inverse(context, row, stopped) for row in block)), strict=True):
            stays += [(row, path, why) for path, why in found.stays.items()]
            if found.why_not:
                stays.append((row, "", found.why_not))
            if found.does:
                rows.append(_row(context, context.connected[row.connection], row, found, run))
    return Draft(run, rows, stays)


async def _inverse(context: Context, row: Any, stopped: dict[str, str]) -> Inverse:
    why = _why_not(context, row, stopped)
    if why or row.kind == Kind.DELETE:
        return Inverse(why_not=why) if why else _of(context.connected[row.connection], row, {})
    one = context.connected[row.connection]
    try:
        answer = await one.connector.fetch(Ref(row.held_account, container=row.container))
    except Quarantined as error:
        stopped[one.name] = str(error)
        return Inverse(why_not=str(error))
    except (Retryable, Rejected, InDoubt) as error:
        return Inverse(why_not=f"its account could not be asked for: {error}")
    if not isinstance(answer, Account):
        return Inverse(why_not="its account is gone" if isinstance(answer, Gone) else "its account could not be asked for")
    return _of(one, row, _stage(context, one, answer))


def _why_not(context: Context, row: Any, stopped: Mapping[str, str]) -> str:
    """Why a change cannot be taken back, before its account is asked for."""
    one = context.connected.get(row.connection)
    if one is None or one.policy is None:
        return f"{row.connection} is not written any more"
    if row.connection in stopped:
        return stopped[row.connection]
    if row.object != USER:
        return f"a {row.object} is not taken back: it goes when nobody lives there any more"
    if one.policy.target.apply == "never":
        return "write.apply is never"
    if row.doubt is not None:
        return "a request about them is in doubt: `syncd sync` looks for what became of it"
    if row.kind == Kind.DELETE:
        return ""
    if row.row is None:
        return "they have no account there any more"
    if row.account is not None and row.held_account != row.account:
        return f"they have another account there by now ({row.held_account})"
    return "" if row.owned else "the account is not owned by syncd any more"


def _of(one: Connected, row: Any, document: Mapping[str, Any]) -> Inverse:
    assert one.policy is not None
    done = {path: (before, after) for path, (before, after) in orjson.loads(row.delta).items()}
    return inverse(one.policy, Kind(row.kind), done, document)


def _stage(context: Context, one: Connected, account: Account) -> Mapping[str, Any]:
    """What the provider has now, through the door by which all accounts enter."""
    (whole,) = records.carry_over(context, one, [account])
    staged = records.stage(context, one, whole)
    with context.store.transaction():
        observing.changed(context, one, [staged], whose.known(context.store, one.name, [account.id]))
        staging.mark_linked(context.store, list(staging.upsert(context.store, one.name, [staged]).values()))
    return whole.attributes


def _row(context: Context, one: Connected, row: Any, found: Inverse, run: int) -> dict[str, Any]:
    """As the journal takes it; a person confirmed it, so that no limit counts it."""
    assert one.policy is not None
    changed = dict(found.delta)
    if changed and found.kind is Kind.UPDATE:
        (standing,) = links.standing(context.store, one.name, [row.identity])
        changed = {path: (None, value) for path, value in one.policy.map.kept(person_of(standing).attributes).items()} | changed
    text = orjson.dumps({path: list(pair) for path, pair in changed.items()}, option=orjson.OPT_SORT_KEYS).decode()
    parts = (one.name, "revert", str(run), row.identity, found.kind.value, text)
    id = blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
    reason = f"revert of run {run}: {row.kind} taken back" + (", the account is given up" if found.gives_up else "")
    change = Change(id, one.name, found.kind, row.identity, row.who, row.held_account, changed, reason, revoke=found.revoke)
    return {
        "run": context.run, "id": id, "connection": one.name, "object": USER, "kind": found.kind.value, "identity": row.identity,
        "link_id": row.link, "account_id": row.row, "account": row.held_account, "who": row.who, "delta": text, "expects": row.actual,
        "reason": reason, "hold": "", "held": None, "state": "passed", "counted": False, "released": True, "cleared": None,
        "requests": _requests(one, change), "revoke": found.revoke, "replaces": None, "evidence_at": None, "reverts": run,
    }  # fmt: skip


def _requests(one: Connected, change: Change) -> int:
    try:
        return requests(one.connector.steps(change), one.connector.capability)
    except Rejected:
        return 0


async def _send(context: Context, draft: Draft, stopped: Mapping[str, str]) -> dict[str, Sending]:
    now = context.environment.now()
    with context.store.transaction():
        journal.record(context.store, draft.rows)
        events = [
            chain.Event(
                chain.DECIDED, row["connection"],
                {"command": f"revert {draft.reverts}", "who": row["who"], "change": row["id"], "kind": row["kind"]},
                row["identity"], context.run,
            )
            for row in draft.rows
        ]  # fmt: skip
        chain.append(context.store, events, now)
    sent = {one.name: await provision(context, one, stopped.get(one.name, "")) for one in context.chosen(context.targets)}
    for one in context.chosen(context.targets):
        await project_dirty(context, one)
    return sent


def _result(context: Context, name: str, sending: Sending | None, stopped: Mapping[str, str]) -> Result:
    if sending is not None:
        waiting.refresh(context.store, context.run, name, context.environment.now(), whole=False)
    made = result(context, context.connected[name], None)
    made.rejected = journal.tally(context.store, context.run, name, "state").get("rejected", 0)
    made.error = stopped.get(name, "")
    if sending is not None:
        made.seconds = sending.seconds
        made.error = made.error or sending.stopped or (f"{sending.failed} changes could not be sent" if sending.failed else "")
    return made
