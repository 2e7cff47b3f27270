"""`syncd explain`: why somebody's accounts are as they are, as text and as a document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from syncd.cli import people
from syncd.cli.documents import document as _document
from syncd.cli.exits import Failed
from syncd.cli.explain_causes import Cause, causes, line, precedence, seen
from syncd.cli.explain_verdict import remedies, verdict
from syncd.cli.invocation import Invocation
from syncd.cli.past_view import PastView
from syncd.cli.printer import BOLD, CYAN, Styled
from syncd.cli.stranger_view import StrangerView
from syncd.cli.text import did_you_mean, utc
from syncd.core.merging import Claim, Say
from syncd.engine.context import Context
from syncd.engine.explain import At, Explanation, Sighting, Someone, explain
from syncd.engine.past import Then, earliest, past
from syncd.engine.stranger import Stranger, stranger
from syncd.environment import stamp
from syncd.store import Store, about
from syncd.wiring import connected


class Explaining:
    """``attribute``: the one that is asked about, canonical or the provider's; None = all. ``whole``: every reason is said. ``typed``: what
    a command takes for this person; by default the id."""

    def __init__(
        self, made: Explanation, now: datetime, *, whole: bool = False, attribute: str | None = None, typed: str | None = None
    ) -> None:  # fmt: skip
        self.made, self._now, self._whole = made, now, whole
        self._called = {made.someone.id: typed or made.someone.id}
        self._names = None if attribute is None else concerned(made.someone, made.targets, attribute)

    def document(self) -> dict[str, Any]:
        someone = self.made.someone
        return _document(
            "explain", identity=someone.id, who=someone.who, live=someone.live, at=stamp(self._now),
            accounts=[_sighting(one) for one in someone.sightings],
            attributes={
                name: {"value": someone.attributes.get(name), "claims": [_claim(one) for one in claims]}
                for name, claims in someone.claims.items() if self._names is None or name in self._names
            },
            connections=[self._target(at) for at in self.made.targets],
        )  # fmt: skip

    def _target(self, at: At) -> dict[str, Any]:
        return {
            "name": at.one.name, "account": at.each.row.account if at.each.holding is not None else None, "state": at.each.projection.state,
            "verdict": verdict(at), "account_seen": None if at.sighting is None else _sighting(at.sighting),
            "scope": {"expression": at.scoped.text, "values": dict(at.scoped.values), "answer": at.scoped.answer},
            "causes": [{"step": one.step, "text": one.text} for one in self._causes(at)],
            "would_change": self._remedies(at),
        }  # fmt: skip

    def lines(self) -> Iterator[str | Styled]:
        someone = self.made.someone
        yield f"{someone.who}: {someone.live} ({someone.id})", BOLD
        yield from (f"  {one.connection}/{one.account}: {seen(one)}" for one in someone.sightings)
        yield from (line(one) for one in precedence(someone) if self._said(one, everything=self._names is not None))
        for at in self.made.targets:
            yield ""
            yield f"{at.one.name}: {verdict(at)}", CYAN
            yield from (line(one) for one in self._causes(at) if self._said(one, everything=self._names is not None))
        yield from self._endings()

    def _endings(self) -> Iterator[str | Styled]:
        told = [f"  {at.one.name}: {text}" for at in self.made.targets for text in self._remedies(at)]
        yield ""
        yield (
            "What would change it:" if told else "Nothing waits and nothing differs: only other values or another configuration would.",
            BOLD,
        )
        yield from told

    def _remedies(self, at: At) -> list[str]:
        return list(dict.fromkeys(remedies(at, self.made, self._now, self._called)))

    def _causes(self, at: At) -> Iterator[Cause]:
        return (one for one in causes(at, self.made, self._now) if self._names is None or one.names & self._names)

    def _said(self, one: Cause, *, everything: bool) -> bool:
        return (self._whole or everything or one.brief) and (self._names is None or bool(one.names & self._names))


View = Explaining | PastView | StrangerView


@asynccontextmanager
async def _offline(invocation: Invocation, store: Store) -> AsyncIterator[Context]:
    """No provider is asked: the connections are there for what they declare."""
    landscape = invocation.settings.landscape
    async with connected(invocation.settings, invocation.environment, writable=False) as each:
        names = [one.name for one in landscape.connections]
        yield Context(invocation.environment, store, landscape, each, names, offline=True)


async def view(invocation: Invocation, store: Store, who: str, attribute: str | None, at: datetime | None) -> View:
    """WHO now, or ``at`` a past time. Raises Failed."""
    async with _offline(invocation, store) as context:
        try:
            identity = people.resolve(store, who)
        except Failed:
            nobody = await _stranger(context, who)
            if nobody is None:
                _unread(context, who)
                raise
            return StrangerView(nobody, context.landscape.instance)
        if at is None:
            made = await explain(context, identity)
            typed = people.typed(store, [identity])[identity]
            return Explaining(made, invocation.environment.now(), whole=invocation.verbose, attribute=attribute, typed=typed)
        return _then(context, who, identity, attribute, at, whole=invocation.verbose)


async def _stranger(context: Context, who: str) -> Stranger | None:
    """The account that CONNECTION/ACCOUNT names, if it is nobody's."""
    connection, _, account = who.partition("/")
    return await stranger(context, context.connected[connection], account) if connection in context.connected else None


def _unread(context: Context, who: str) -> None:
    """Raises Failed where CONNECTION/ACCOUNT names a record that could not be read, of nobody known."""
    connection, _, account = who.partition("/")
    if why := about.refused(context.store, connection, account):
        raise Failed(f"{who} is nobody: its record is refused: {why}\n  mend it at {connection}; syncd pending has them all")


def _then(context: Context, who: str, identity: str, attribute: str | None, at: datetime, *, whole: bool) -> PastView:
    """Raises Failed for a time of which nothing is known."""
    first = earliest(context, identity)
    if at > context.environment.now():
        raise Failed(f"{utc(at)} has not come yet")
    if first is None or at < first:
        told = f"the earliest instant known is {stamp(first)}" if first else "the journal has nothing about them"
        raise Failed(f"nothing is known of {who} at {stamp(at)}: {told}")
    made = past(context, identity, at)
    names = None if attribute is None else concerned(made.someone, made.targets, attribute)
    return PastView(made, whole=whole, names=names)


def concerned(someone: Someone, targets: Sequence[At | Then], attribute: str) -> frozenset[str]:
    """The attribute, and what is made of it, or it is made of. Raises Failed for a name that nothing knows."""
    lines = [one.reads.keys() | {one.path} for at in targets for one in at.derived]
    known = set(someone.claims).union(*lines, *(at.scoped.values for at in targets))
    if attribute not in known:
        raise Failed(f"neither they nor a map has an attribute {attribute!r}{did_you_mean(attribute, known)}")
    return frozenset({attribute}).union(*(names for names in lines if attribute in names))


def _sighting(one: Sighting) -> dict[str, Any]:
    return {
        "connection": one.connection, "account": one.account, "run": one.run, "page": one.page, "at": _text(one.at),
        "gone_at": _text(one.gone_at), "ignored": one.ignored,
        "refused": one.refused,
    }  # fmt: skip


def _claim(one: Claim) -> dict[str, Any]:
    return {"connection": one.connection, "value": one.value, "wins": one.say is Say.WINS, "echo": one.say is Say.ECHO}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)
