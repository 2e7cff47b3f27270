"""The store's questions -> core's decisions -> planned changes in the journal, each held or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import orjson

from syncd.core.decide import FLIPS, Case, Decision, decide
from syncd.core.forecast import requests
from syncd.core.matching import Conflict, Match
from syncd.core.paths import present
from syncd.core.project import Projection, project
from syncd.engine import identify
from syncd.engine.context import Connected, Context
from syncd.engine.correlating import Matches, adopted, correlate
from syncd.engine.guarding import at_first_contact
from syncd.engine.projecting import Projected, at, save, who
from syncd.engine.proving import NOBODY, Proofs, proofs
from syncd.engine.reowning import judge
from syncd.environment import stamp
from syncd.errors import Rejected
from syncd.model import FINAL, LEAVING, Change, Kind
from syncd.store import answering, connections, journal, links, outcomes, waiting
from syncd.store.standing import Stands


async def reconcile(context: Context, one: Connected) -> None:
    """Plan everything that is out of step at one target; nothing before one of its listings was sealed."""
    await judge(context, one)
    known = connections.row(context.store, one.name)
    if known is None or known.sealed_at is None:
        return
    evidence = proofs(context, one)
    after, many = 0, links.count_out_of_step(context.store, one.name)
    with one.work.stretch("planning", "changes", many, context.environment.monotonic()) as effort:
        while rows := links.out_of_step(context.store, one.name, after):
            after = rows[-1].link_id
            await _plan_rows(context, one, rows, evidence)
            effort.done += len(rows)
    if unrevoked := outcomes.unrevoked(context.store, one.name):
        owing = links.standing(context.store, one.name, unrevoked)
        await _plan_rows(context, one, [row for row in owing if row.desired == row.actual], evidence)


async def _plan_rows(context: Context, one: Connected, rows: Sequence[Stands], evidence: Proofs) -> None:
    planned = await _plan_block(context, one, [row for row in rows if ready(context, row)], evidence)
    with context.store.transaction(durable=False):
        journal.record(context.store, planned)
    await context.breathe()


async def plan_again(context: Context, one: Connected, identity: str, heard: Mapping[str, datetime] = NOBODY) -> list[dict[str, Any]]:
    """What would be planned now for one identity: rows as the journal takes them, none of them recorded.

    ``heard``: source -> when it was asked about this very person since it was listed.
    """
    rows = links.outstanding(context.store, one.name, identity)
    if not rows and identity in outcomes.unrevoked(context.store, one.name):
        rows = links.standing(context.store, one.name, [identity])
    return await _plan_block(context, one, [row for row in rows if ready(context, row)], proofs(context, one, heard))


async def decisions(context: Context, one: Connected, each: Projected) -> list[dict[str, Any]]:
    """What a plan would hold for one identity by what is stored: rows as the journal takes them. Nothing is written."""
    return await _judged(context, one, [each], proofs(context, one))


def ready(context: Context, row: Stands) -> bool:
    """Not in doubt, not resting after repeated refusals."""
    return row.doubt is None and (row.retry_at is None or row.retry_at <= stamp(context.environment.now()))


async def _plan_block(context: Context, one: Connected, rows: Sequence[Stands], evidence: Proofs) -> list[dict[str, Any]]:
    return await _judged(context, one, _still_out_of_step(context, one, [at(context, one, row) for row in rows]), evidence)


async def _judged(context: Context, one: Connected, projected: Sequence[Projected], evidence: Proofs) -> list[dict[str, Any]]:
    matches = correlate(context, one, [each for each in projected if each.holding is None])
    colliding = _collisions(context, one, projected)
    lately = _lately(context, one, projected)
    planned: list[dict[str, Any]] = []
    for each in projected:
        case = await _case(context, one, each, matches, colliding.get(each.person.id, ""), lately[each.person.id])
        planned += _columns(context, one, each, case, evidence)
    return _mark_released(context, one, _mark_rest(context, one, planned))


def _mark_rest(context: Context, one: Connected, planned: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is left of a change that took in part is no second change: the limits have counted it. The rest of an arrival is an update."""
    left = outcomes.unfinished(context.store, one.name, [row["identity"] for row in planned])
    rest = {(identity, kind if kind in LEAVING else Kind.UPDATE.value) for identity, kind in left}
    for row in planned:
        row["counted"] = row["counted"] and (row["identity"], row["kind"]) not in rest
    return planned


def _still_out_of_step(context: Context, one: Connected, projected: Sequence[Projected]) -> list[Projected]:
    """Without those whom the time that passed since they were projected brought in step: of nothing, no change is made. A leaver whose
    sessions were not ended by the change that disabled them is not in step, though the attributes say so."""
    owing = set(outcomes.unrevoked(context.store, one.name))
    done = [each for each in projected if each.projection.desired == each.projection.actual and not _owes(each, owing)]
    if not done:
        return list(projected)
    with context.store.transaction(durable=False):
        save(context, one, done)
    return [each for each in projected if each not in done]


def in_step(context: Context, one: Connected, each: Projected) -> bool:
    """Whether nothing is to be done for one identity."""
    same = each.projection.desired == each.projection.actual
    return same and not _owes(each, outcomes.unrevoked(context.store, one.name))


def _owes(each: Projected, owing: Collection[str]) -> bool:
    return each.person.id in owing and each.projection.event is not None and each.holding is not None


def _collisions(context: Context, one: Connected, projected: Sequence[Projected]) -> dict[str, str]:
    keys = [each.row.key for each in projected if each.row.key is not None]
    found = answering.collisions(context.store, one.name, keys)
    return {
        identity: f"{len(identities)} people want the same {one.connector.capability.key} ({key}): {', '.join(sorted(identities))}"
        for key, identities in found.items()
        for identity in identities
    }


def _lately(context: Context, one: Connected, projected: Sequence[Projected]) -> Mapping[str, list[dict[str, Any]]]:
    """Identity -> what each of its updates of the last 24 hours wrote."""
    wrote: dict[str, list[dict[str, Any]]] = {each.person.id: [] for each in projected}
    since = context.environment.now() - timedelta(hours=24)
    for row in outcomes.wrote_lately(context.store, one.name, list(wrote), since):
        wrote[row.identity].append({path: after for path, (_, after) in orjson.loads(row.delta).items()})
    return wrote


async def _case(
    context: Context, one: Connected, each: Projected, matches: Matches, collides: str, lately: Sequence[Mapping[str, Any]]
) -> Case:  # fmt: skip
    found, over = matches.get(each.person.id), None
    if isinstance(found, Match):
        answer = await adopted(context, one, each, found)
        found, over = (answer, None) if isinstance(answer, Conflict) else (found, answer)
    origins = identify.origins(context, one, each.person.id) if len(lately) >= FLIPS else {}
    return Case(each.projection, each.holding is not None, found, over, _drifted(each), collides, lately, origins)


def _drifted(each: Projected) -> bool:
    """syncd had brought the account to what is still wanted; or had brought it somewhere, and it is gone."""
    settled = each.row.settled
    return settled is not None and (each.holding is None or bytes(settled) == each.projection.desired)


def _columns(context: Context, one: Connected, each: Projected, case: Case, evidence: Proofs) -> list[dict[str, Any]]:
    assert one.policy is not None
    event = case.projection.event
    decisions = decide(one.policy, case, None if event is None else evidence[event])
    rows: list[dict[str, Any]] = []
    for decision in decisions:
        row = _row(context, one, each, case, decision)
        if decision.replaces and rows:
            row["replaces"] = rows[-1]["id"]
        rows.append(row)
    return rows


def _row(context: Context, one: Connected, each: Projected, case: Case, decision: Decision) -> dict[str, Any]:
    found = case.match if isinstance(case.match, Match) else None
    delta = _fresh_delta(context, one, each) if decision.replaces else decision.delta
    text = orjson.dumps({path: list(pair) for path, pair in delta.items()}, option=orjson.OPT_SORT_KEYS).decode()
    expects = case.adopted.actual if case.adopted is not None else each.projection.actual
    lost = _lost(one, decision, delta)
    creates = decision.kind == Kind.CREATE
    account = None if creates else found.account if found else each.row.account
    return {
        "run": context.run, "id": _id(one, each, decision, text, expects), "connection": one.name, "object": "user",
        "kind": decision.kind.value, "identity": each.person.id, "link_id": each.row.link_id,
        "account_id": None if creates else found.row if found else each.row.account_id, "account": account,
        "who": who(each.person), "delta": text, "expects": expects, "reason": decision.reason, "hold": decision.hold,
        "held": decision.held, "state": "held" if decision.hold else "planned", "counted": decision.counted, "released": False,
        "cleared": orjson.dumps(lost).decode() if lost else None,
        "requests": _requests(one, each, decision, delta, account), "revoke": decision.revoke, "replaces": None,
        "evidence_at": stamp(decision.evidence_at) if decision.evidence_at else None, "choices": _choices(case),
        "wants": _alone(context, one, each).desired if decision.replaces else each.row.desired,
    }  # fmt: skip


def _choices(case: Case) -> str | None:
    accounts = case.match.accounts if isinstance(case.match, Conflict) else ()
    return orjson.dumps(accounts).decode() if accounts else None


def _requests(one: Connected, each: Projected, decision: Decision, delta: Mapping[str, tuple[Any, Any]], account: str | None) -> int:
    """0 where the connector refuses to send it at all; why, the outcome says."""
    change = Change(
        "", one.name, decision.kind, each.person.id, who(each.person), account, delta, decision.reason, revoke=decision.revoke
    )  # fmt: skip
    try:
        return requests(one.connector.steps(change), one.connector.capability)
    except Rejected:
        return 0


def _lost(one: Connected, decision: Decision, delta: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """The attributes of a living account that would lose all they hold; to take back our own overlay is no loss."""
    assert one.policy is not None
    overlay = one.policy.overlay
    emptied = sorted(path for path, (before, after) in delta.items() if present(before) and not present(after))
    return [path for path in emptied if decision.kind in (Kind.UPDATE, Kind.ADOPT) and delta[path][0] != overlay.get(path)]


def _fresh_delta(context: Context, one: Connected, each: Projected) -> Mapping[str, tuple[Any, Any]]:
    """What an account that replaces another is made with: everything, not just what differed."""
    wanted = _alone(context, one, each).wanted or {}
    return {path: (None, value) for path, value in wanted.items() if present(value)}


def _alone(context: Context, one: Connected, each: Projected) -> Projection:
    """As if they had no account."""
    assert one.policy is not None
    return project(one.policy, each.person, None, context.environment.now())


def _id(one: Connected, each: Projected, decision: Decision, delta: str, expects: bytes | None) -> str:
    """The same change has the same id in every run until its account moves or a write settles."""
    parts = (one.name, "user", each.person.id, decision.kind.value, delta, (expects or b"").hex(), str(each.row.generation))
    return blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()


def _mark_released(context: Context, one: Connected, planned: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a person let go passes, uncounted; a replacement follows the deletion it was held with. What is to be asked for another reason
    than the one they knew waits for that.

    Nothing does where `apply` is never, and nothing that ends an account at the first contact.
    """
    assert one.policy is not None
    if one.policy.target.apply == "never":
        return planned
    let_go = waiting.released(context.store, one.name, [row["id"] for row in planned], context.environment.now())
    stay = LEAVING if at_first_contact(context, one) else frozenset()
    for row in planned:
        known = let_go.get(row["id"])
        if row["hold"] not in FINAL and known is not None and row["hold"] in ("", known) and row["kind"] not in stay:
            row.update(state="planned", hold="", held=None, released=True)
    return planned
