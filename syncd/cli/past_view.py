"""`syncd explain --at`: how somebody stood then, and what happened before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from syncd.cli.documents import document as _document
from syncd.cli.explain_causes import Cause, line, mapped, precedence, scope, seen
from syncd.cli.printer import BOLD, CYAN, Styled
from syncd.cli.text import listed, utc, value
from syncd.engine.past import Happened, Past, Then
from syncd.environment import stamp

NOTE = "maps, scope and precedence are those of the configuration of now: those of then are not kept"
FEW = 3
"""Entries of the journal before and after the moment that are said in brief."""


class PastView:
    """``names``: the attributes that are asked about; None = all. ``whole``: everything that is known."""

    def __init__(self, made: Past, *, whole: bool = False, names: frozenset[str] | None = None) -> None:
        self.made, self._whole, self._names = made, whole, names

    def document(self) -> dict[str, Any]:
        someone = self.made.someone
        return _document(
            "explain", identity=someone.id, who=someone.who, live=someone.live, at=stamp(self.made.at), note=NOTE,
            attributes={name: held for name, held in someone.attributes.items() if self._names is None or name in self._names},
            before=[_entry(one) for one in self.made.before], after=[_entry(one) for one in self.made.after],
            connections=[
                {
                    "name": then.one.name, "account": then.held.account, "verdict": verdict(then), "document": then.held.document,
                    "causes": [{"step": one.step, "text": one.text} for one in self._causes(then)],
                    "before": [_entry(one) for one in then.before], "after": [_entry(one) for one in then.after],
                }
                for then in self.made.targets
            ],
        )  # fmt: skip

    def lines(self) -> Iterator[str | Styled]:
        someone = self.made.someone
        yield f"{someone.who} on {utc(self.made.at)}: {someone.live} ({someone.id})", BOLD
        for one in someone.sightings:
            there = "gone" if one.gone_at is not None else seen(one) if one.run is not None else "there, and moved since"
            yield f"  {one.connection}/{one.account}: {there}"
        yield from (line(one) for one in precedence(someone) if self._said(one))
        yield from self._history(self.made.before, "before")
        for then in self.made.targets:
            yield ""
            yield f"{then.one.name}: {verdict(then)}", CYAN
            yield from (line(one) for one in self._causes(then) if self._said(one))
            yield from self._history(then.before, "before")
        yield ""
        yield f"note: {NOTE}"
        yield from self._endings()

    def _endings(self) -> Iterator[str | Styled]:
        after = sorted([*self.made.after, *(one for then in self.made.targets for one in then.after)], key=lambda one: one.seq)
        shown = after if self._whole else after[:FEW]
        yield "What happened next:" if after else "Nothing happened since.", BOLD
        yield from (f"  {one.connection}: {told(one)}" for one in shown)
        yield from [f"  ... and {more} more (-v)"] if (more := len(after) - len(shown)) else []

    def _history(self, happened: Sequence[Happened], word: str) -> Iterator[str]:
        """The last entries before the moment."""
        yield from (line(Cause(word, told(one))) for one in (happened if self._whole else happened[-FEW:]))

    def _causes(self, then: Then) -> Iterator[Cause]:
        found = then.projection.found or {}
        for one in (
            *mapped(then.derived, then.projection.wanted or {}, found, rejected=then.projection.state == "rejected"),
            *scope(then.scoped),
        ):
            if self._names is None or one.names & self._names:
                yield one

    def _said(self, one: Cause) -> bool:
        return (self._whole or one.brief or self._names is not None) and (self._names is None or bool(one.names & self._names))


def verdict(then: Then) -> str:
    """What they had, and what the rules of now make of it."""
    had = f"account {then.held.account}" if then.held.account is not None else "no account"
    found = then.projection
    if then.held.account is not None and then.held.document is None:
        return f"{had}; what it was like is not known"
    if found.state in ("frozen", "rejected"):
        return f"{had}; {found.state}: {found.reason}"
    if found.event is not None:
        return f"{had}; not entitled: {found.event.replace('_', ' ')}"
    same = "as it should be" if found.desired == found.actual else "not yet as it should be"
    return f"{had}; entitled, {same}"


def told(one: Happened) -> str:
    """``run 3 (2026-01-01 00:00 UTC): update applied: PATCH ...; title "A" -> "B"``."""
    when = f"run {one.run} ({utc(one.at)})" if one.run else utc(one.at)
    body = one.body
    if one.what == "observed":
        return f"{when}: account {body['account']} {_observed(body)}"
    if one.what == "decided":
        return f"{when}: a person said: {body['command']}"
    if body.get("request") is None:
        return f"{when}: {body.get('kind', 'a change')} {_outcome(body)}: {body.get('reason', '')}".rstrip(": ")
    return f"{when}: {body['kind']} {_outcome(body)}: {body['request']}{_moves(_changed(body))}"


def _changed(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a request moved; of a creation that is everything, and the map says it."""
    return {} if body["kind"] == "create" else body.get("delta") or {}


def _outcome(body: Mapping[str, Any]) -> str:
    error = f" ({body['error']})" if body.get("error") else ""
    return f"{str(body['outcome']).replace('_', ' ')}{error}"


def _observed(body: Mapping[str, Any]) -> str:
    if body["gone"]:
        return "is gone"
    return ("is back" if body["back"] else "moved") + _moves(body["moved"])


def _moves(moves: Mapping[str, Sequence[Any]]) -> str:
    shown = [f"{path} {value(was)} -> {value(now)}" for path, (was, now) in moves.items()]
    return f": {listed(shown[:4], len(shown) - 4)}" if shown else ""


def _entry(one: Happened) -> dict[str, Any]:
    return {"at": stamp(one.at), "run": one.run, "connection": one.connection, "what": one.what, **one.body}
