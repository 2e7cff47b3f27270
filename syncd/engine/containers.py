"""Containers in the plan: made before the people who are to live there, removed after the last of them when they are ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from syncd.core import containers as core
from syncd.core.correlation import identity_id
from syncd.core.forecast import requests
from syncd.engine.context import Connected, Context
from syncd.engine.guarding import CONSENTED, standing_hold
from syncd.engine.places import move, why_not
from syncd.engine.projecting import at
from syncd.engine.tree import Place, Tree, around
from syncd.environment import stamp
from syncd.errors import Rejected
from syncd.model import Account, Change, Hold, Kind
from syncd.store import journal, links, verdicts, waiting

Delta = Mapping[str, tuple[Any, Any]]


@dataclass(slots=True)
class Need:
    """Who is to live in a container: the first of them, how many more, whether any of their changes passed. ``around``: where it lies."""

    row: Any
    around: Sequence[Place]
    more: int = -1
    passed: bool = False

    @property
    def told(self) -> str:
        return f"for {self.row.who}" + (f" and {self.more} more" if self.more else "")


def plan(context: Context, one: Connected) -> bool:
    """Record the changes to containers that this run's changes to users need, or leave behind; none beside an incomplete listing, and
    where only some people's are provisioned, only what they need.

    True = a yes to the first contact would let some of it go.
    """
    tree = context.trees.get(one.name)
    if tree is None or not tree.whole:
        return False
    with context.store.transaction(durable=False):
        rows = _unanswered(context, one, list(Planner(context, one, tree).changes()))
        journal.record(context.store, rows)
    return any(row["hold"] == Hold.FIRST_CONTACT and row["kind"] in CONSENTED for row in rows)


def kept(context: Context, one: Connected, row: Any, account: Account) -> None:
    """Remember a write that took and reads back different: it is not tried again until either side moves."""
    planner = Planner(context, one, context.trees[one.name])
    left = core.changed(planner.kinds[row.object], account)
    if left:
        told = ", ".join(f"{path} = {orjson.dumps(now).decode()}" for path, (now, _) in left.items())
        again = planner.row(row.object, account.id, Kind.UPDATE, left, f"{one.name} kept {told}")
        waiting.in_vain(context.store, again, context.environment.now())


def _unanswered(context: Context, one: Connected, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what a person said no to, or what was tried in vain; what a person let go passes, but for an end at the first contact."""
    ids = [row["id"] for row in rows]
    let_go = waiting.released(context.store, one.name, ids, context.environment.now())
    answered = waiting.answered(context.store, context.run, one.name, [row["id"] for row in rows if row["kind"] != Kind.CREATE])
    for row in rows:
        agreed = row["hold"] == Hold.REVIEW or (row["hold"] == Hold.FIRST_CONTACT and row["kind"] in CONSENTED)
        if row["id"] in let_go and agreed:
            row.update(state="passed", hold="", held=None, released=True)
    return [row for row in rows if row["id"] not in answered]


@dataclass
class Planner:
    """What a directory's containers should be, as rows of the journal."""

    context: Context
    one: Connected
    tree: Tree
    needs: dict[Place, Need] = field(default_factory=dict)
    leaving: Counter[Place] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        assert self.one.policy is not None
        self.markers, self.kinds = self.one.policy.markers, self.one.connector.capability.containers

    def changes(self) -> Iterator[dict[str, Any]]:
        """Go through the changes to users, where they lead and what they leave; then what follows from that, the outermost made first."""
        for state in ("passed", "held"):
            after = 0
            while rows := journal.in_state(self.context.store, self.context.run, self.one.name, state, after):
                after = rows[-1].seq
                for row in rows:
                    self._look(row)
        for object in self.kinds:
            yield from self._made(object)
        if self.context.narrowed:
            return
        removed = self._empty()
        for place in self._ours():
            yield from self._renamed(*place) if place not in removed else ()
        for object, id in removed:
            yield self.row(object, id, Kind.DELETE, {}, "ours, and nobody lives there any more", self._standing(Kind.DELETE))

    def _standing(self, kind: Kind) -> tuple[str, str | None]:
        return standing_hold(self.context, self.one, kind)

    def _look(self, row: Any) -> None:
        moving = move(self.context, self.one, row)
        problem = why_not(self.one, self.tree, moving.needs)
        if problem:
            verdicts.explain(self.context.store, row.seq, f"{row.reason}; {problem}")
            return
        if row.state == "passed":
            self.leaving.update(moving.left)
        for nth, place in enumerate(moving.needs):
            need = self.needs.setdefault(place, Need(row, moving.needs[:nth]))
            need.more += 1
            need.passed = need.passed or row.state == "passed"

    def _made(self, object: str) -> Iterator[dict[str, Any]]:
        for (kind, id), need in sorted(self.needs.items(), key=lambda item: item[0]):
            if kind == object and (kind, id) not in self.tree.found:
                parents = {self.kinds[outer].named_by: named for outer, named in need.around}
                whole = core.wanted(self.kinds[object], id, parents, self._marker(object, id))
                hold = ("", None) if need.passed else (need.row.hold, need.row.held)
                yield self.row(object, id, Kind.CREATE, {path: (None, value) for path, value in whole.items()}, need.told, hold)

    def _renamed(self, object: str, id: str) -> Iterator[dict[str, Any]]:
        delta = core.changed(self.kinds[object], self.tree.found[object, id])
        if delta:
            yield self.row(object, id, Kind.UPDATE, delta, "the configuration says so", self._standing(Kind.UPDATE))

    def _empty(self) -> list[Place]:
        """What is to be removed, the innermost first; nothing while somebody lives who knows where."""
        ours = [] if self.tree.blind else self._ours()
        empty = [place for place in ours if self._may_go(*place)]
        awaited = self._awaited() if empty else set()
        removed: list[Place] = []
        for object, id in sorted(empty, key=lambda place: -list(self.kinds).index(place[0])):
            if (object, id) not in awaited and self.tree.lodgers[object, id] <= self.leaving[object, id]:
                self.leaving.update(around(self.kinds, self.tree.found[object, id].attributes, object))
                removed.append((object, id))
        return removed

    def _may_go(self, object: str, id: str) -> bool:
        named = not self.kinds[object].open and id in self.kinds[object].named
        return not named and (object, id) not in self.needs

    def _awaited(self) -> set[Place]:
        """Where those are to live of whom no change is planned for now: their account is in doubt, or rests after refusals."""
        rows = links.postponed(self.context.store, self.one.name, stamp(self.context.environment.now()))
        wanted = (at(self.context, self.one, row).projection.wanted or {} for row in rows)
        return {place for each in wanted for place in around(self.kinds, each)}

    def _ours(self) -> list[Place]:
        return [place for place, account in sorted(self.tree.found.items()) if self.ours(place, account)]

    def ours(self, place: Place, account: Account) -> bool:
        return core.bears(self.kinds[place[0]], account.attributes, self._marker(*place))

    def _identity(self, object: str, id: str) -> str:
        """Not of the connection's name, which may change."""
        return identity_id(self.markers.instance, f"{self.one.connection.connector}/{object}", id)

    def _marker(self, object: str, id: str) -> str:
        return self.markers.of(self._identity(object, id))

    def row(self, object: str, id: str, kind: Kind, delta: Delta, reason: str, hold: tuple[str, str | None] = ("", None)) -> dict[str, Any]:
        """As the journal takes it."""
        account = None if kind is Kind.CREATE else id
        text = orjson.dumps({path: list(pair) for path, pair in delta.items()}, option=orjson.OPT_SORT_KEYS).decode()
        digest = blake2b("\0".join((self.one.name, object, id, kind.value, text)).encode(), digest_size=12).hexdigest()
        identity = self._identity(object, id)
        change = Change(digest, self.one.name, kind, identity, id, account, delta, reason, object=object)
        return {
            "run": self.context.run, "id": digest, "connection": self.one.name, "object": object, "kind": kind.value, "identity": identity,
            "link_id": 0, "account_id": None, "account": account, "who": id, "delta": text, "expects": None, "reason": reason,
            "hold": hold[0], "held": hold[1], "state": "held" if hold[0] else "passed", "counted": False, "released": False,
            "cleared": None, "requests": self._requests(change), "revoke": False, "replaces": None, "evidence_at": None,
        }  # fmt: skip

    def _requests(self, change: Change) -> int:
        """None where the connector refuses to send it at all; why, the outcome says."""
        try:
            return requests(self.one.connector.steps(change), self.one.connector.capability)
        except Rejected:
            return 0
