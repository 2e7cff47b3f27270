"""Containers in the plan: made before the people who are to live there, removed after the last of them when they are ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from syncd.core import containers as core
from syncd.core.correlation import identity_id
from syncd.core.forecast import requests
from syncd.engine.context import Connected, Context
from syncd.engine.guarding import standing_hold
from syncd.engine.tree import Place, Tree, around
from syncd.errors import Rejected
from syncd.model import Change, Container, Kind
from syncd.store import journal, staging, verdicts


@dataclass(slots=True)
class Need:
    """Who is to live in a container: the first of them, how many more, and whether any of their changes passed."""

    row: Any
    more: int = 0
    passed: bool = False

    @property
    def told(self) -> str:
        return f"for {self.row.who}" + (f" and {self.more} more" if self.more else "")


def plan(context: Context, one: Connected) -> None:
    """Record the changes to containers that this run's changes to users need, or leave behind; none beside an incomplete listing."""
    tree = context.trees.get(one.name)
    if tree is not None and one.connector.capability.containers:
        planner = _Planner(context, one, tree)
        planner.look()
        with context.store.transaction():
            journal.record(context.store, list(planner.changes()))


class _Planner:
    def __init__(self, context: Context, one: Connected, tree: Tree) -> None:
        assert one.policy is not None
        self.context, self.one, self.tree, self.markers = context, one, tree, one.policy.markers
        self.kinds = one.connector.capability.containers
        self.needs: dict[Place, Need] = {}
        self.leaving: Counter[Place] = Counter()

    def look(self) -> None:
        """Go through the changes to users: where they lead, and what they leave."""
        for state in ("passed", "held"):
            after = 0
            while rows := journal.in_state(self.context.store, self.context.run, self.one.name, state, after):
                after = rows[-1].seq
                for row in rows:
                    self._look(row)

    def _look(self, row: Any) -> None:
        here, there = places(self.context, self.one, row)
        if row.state == "passed":
            self.leaving.update(place for place in here if place not in there)
        problem = why_not(self.one, self.tree, there)
        if problem:
            verdicts.explain(self.context.store, row.seq, f"{row.reason}; {problem}")
            return
        for place in there:
            need = self.needs.setdefault(place, Need(row, -1))
            need.more += 1
            need.passed = need.passed or row.state == "passed"

    def changes(self) -> Iterator[dict[str, Any]]:
        kinds = list(self.kinds)
        for object in kinds:
            yield from self._made(object)
        for object in kinds:
            yield from self._renamed(object)
        for object in reversed(kinds):
            yield from self._removed(object)

    def _made(self, object: str) -> Iterator[dict[str, Any]]:
        for (kind, id), need in sorted(self.needs.items(), key=lambda item: item[0]):
            if kind == object and (kind, id) not in self.tree.found:
                parents = self._parents(object, need.row)
                whole = core.wanted(self.kinds[object], id, parents, self._marker(object, id))
                hold = ("", None) if need.passed else (need.row.hold, need.row.held)
                yield self._row(object, id, Kind.CREATE, {path: (None, value) for path, value in whole.items()}, need.told, hold)

    def _parents(self, object: str, row: Any) -> dict[str, str]:
        _, there = places(self.context, self.one, row)
        named = dict(there)
        kinds = list(self.kinds)
        return {self.kinds[outer].named_by: named[outer] for outer in kinds[: kinds.index(object)] if outer in named}

    def _renamed(self, object: str) -> Iterator[dict[str, Any]]:
        for id in self._ours(object):
            delta = core.changed(self.kinds[object], self.tree.found[object, id])
            if delta:
                yield self._row(object, id, Kind.UPDATE, delta, "the configuration says so", standing_hold(self.context, self.one))

    def _removed(self, object: str) -> Iterator[dict[str, Any]]:
        kind = self.kinds[object]
        for id in self._ours(object):
            place = (object, id)
            named = not kind.open and id in kind.named
            if named or place in self.needs or self.tree.lodgers[place] > self.leaving[place]:
                continue
            self.leaving.update(around(self.kinds, self.tree.found[place].attributes, object))
            yield self._row(object, id, Kind.DELETE, {}, "ours, and nobody lives there any more", standing_hold(self.context, self.one))

    def _ours(self, object: str) -> list[str]:
        found = ((id, account.attributes) for (kind, id), account in sorted(self.tree.found.items()) if kind == object)
        return [id for id, attributes in found if core.bears(self.kinds[object], attributes, self._marker(object, id))]

    def _identity(self, object: str, id: str) -> str:
        return identity_id(self.markers.instance, f"{self.one.connection.namespace}/{object}", id)

    def _marker(self, object: str, id: str) -> str:
        return self.markers.of(self._identity(object, id))

    def _row(
        self, object: str, id: str, kind: Kind, delta: Mapping[str, tuple[Any, Any]], reason: str, hold: tuple[str, str | None]
    ) -> dict[str, Any]:  # fmt: skip
        account = None if kind is Kind.CREATE else id
        text = orjson.dumps({path: list(pair) for path, pair in delta.items()}, option=orjson.OPT_SORT_KEYS).decode()
        digest = blake2b("\0".join((self.one.name, object, id, kind.value, text)).encode(), digest_size=12).hexdigest()
        identity = self._identity(object, id)
        change = Change(digest, self.one.name, kind, identity, id, account, delta, reason, object=object)
        return {
            "run": self.context.run, "id": digest, "connection": self.one.name, "object": object, "kind": kind.value, "identity": identity,
            "link_id": 0, "account_id": None, "account": account, "who": id, "delta": text, "expects": None, "reason": reason,
            "hold": hold[0], "held": hold[1], "state": "held" if hold[0] else "passed", "counted": False, "released": False,
            "cleared": None, "requests": requests(self.one.connector.steps(change), self.one.connector.capability), "revoke": False,
            "replaces": None, "evidence_at": None,
        }  # fmt: skip


def places(context: Context, one: Connected, row: Any) -> tuple[list[Place], list[Place]]:
    """(the containers that an account lives in, those it will live in after the planned change)."""
    kinds: Mapping[str, Container] = one.connector.capability.containers
    text = None if row.account_id is None else staging.document(context.store, row.account_id)
    document: dict[str, Any] = {} if text is None else orjson.loads(text)
    here = around(kinds, document)
    if row.kind == Kind.DELETE:
        return here, []
    after = {path: pair[1] for path, pair in orjson.loads(row.delta).items()}
    names = {kind.named_by for kind in kinds.values()}
    return (here, around(kinds, {**document, **after})) if names & after.keys() else (here, here)


def why_not(one: Connected, tree: Tree, there: list[Place]) -> str:
    """Why nobody can live in these containers, or nothing."""
    kinds = one.connector.capability.containers
    parents: dict[str, str] = {}
    for object, id in there:
        problem = core.why_not(object, kinds[object], id, parents, tree.found.get((object, id)))
        if problem:
            return problem
        parents[kinds[object].named_by] = id
    return ""


def admit(context: Context, one: Connected, row: Any) -> str:
    """Why a change to a user cannot be sent now: a container it needs was not made; or nothing. Raises Rejected where it never can."""
    tree = context.trees.get(one.name)
    if tree is None or not one.connector.capability.containers:
        return ""
    _, there = places(context, one, row)
    problem = why_not(one, tree, there)
    if problem:
        raise Rejected(problem)
    lacking = [place for place in there if place not in tree.found]
    return f"{' '.join(lacking[0])} was not made" if lacking else ""
