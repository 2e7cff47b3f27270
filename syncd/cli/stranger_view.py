"""`syncd explain CONNECTION/ACCOUNT` of an account that is nobody's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncd.cli.documents import document as _document
from syncd.cli.explain_causes import Cause, line, seen
from syncd.cli.explain_verdict import verdict
from syncd.cli.printer import BOLD, CYAN, Styled
from syncd.cli.text import listed, value
from syncd.engine.stranger import Key, Stranger
from syncd.environment import stamp

NAMES = {"@key": "the provider's key", "@marker": "the marker"}


class StrangerView:
    """``instance``: ours."""

    def __init__(self, made: Stranger, instance: str) -> None:
        self.made, self._instance = made, instance

    def document(self) -> dict[str, Any]:
        sight = self.made.sighting
        return _document(
            "explain", identity=None, who=f"{sight.connection}/{sight.account}", verdict=self._verdict(), run=sight.run, page=sight.page,
            at=None if sight.at is None else stamp(sight.at), ignored=sight.ignored,
            keys=[
                {
                    "attribute": key.attribute, "value": key.value, "trusted": key.trusted,
                    "people": [one.at.each.person.id for one in key.people],
                }
                for key in self.made.keys
            ],
            causes=[{"step": cause.step, "text": cause.text} for cause in self._causes()], would_change=list(self._remedies()),
        )  # fmt: skip

    def lines(self) -> Iterator[str | Styled]:
        sight = self.made.sighting
        yield f"{sight.connection}/{sight.account}: nobody's account", BOLD
        yield self._verdict(), CYAN
        yield from map(line, self._causes())
        yield ""
        yield "What would change it:", BOLD
        yield from (f"  {text}" for text in self._remedies())

    def _verdict(self) -> str:
        sight = self.made.sighting
        if sight.gone_at is not None:
            return "gone: it was there once, and is not any more"
        if sight.ignored:
            return "left alone: it is on the ignore list, or one that syncd must not touch (its own, or one with more rights)"
        if self._foreign():
            return "left alone: it carries the marker of another syncd"
        if self.made.apart:
            return f"unlinked: you said that it is not {listed(list(self.made.apart))}'s; nothing is written to it"
        return "unmanaged: syncd neither made nor adopted it, and never writes it"

    def _foreign(self) -> bool:
        return any(key.owner is not None and key.owner.instance != self._instance for key in self.made.keys)

    def _causes(self) -> Iterator[Cause]:
        yield Cause("observation", seen(self.made.sighting))
        for key in self.made.keys:
            trusted = "trusted" if key.trusted else "its holder can edit it"
            yield Cause("correlation", f"{NAMES.get(key.attribute, key.attribute)} is {value(key.value)} ({trusted}): {self._answers(key)}")
        if not self.made.keys and self.made.one.policy is not None:
            yield Cause("correlation", "it has nothing that a person could be found by")

    def _answers(self, key: Key) -> str:
        if key.owner is not None and key.owner.instance != self._instance:
            return "another instance of syncd wrote it"
        if not key.people:
            return "of a person that this store does not know" if key.owner is not None else "nobody answers to it"
        return "; ".join(f"{one.who} answers to it, and has {verdict(one.at)}" for one in key.people)

    def _remedies(self) -> Iterator[str]:
        sight = self.made.sighting
        if sight.ignored:
            yield "take it off `ignore`, and it is judged like any other"
            return
        if self._foreign():
            yield "its marker taken away at the provider, once no other syncd keeps the account"
            return
        people = {one.who: one for key in self.made.keys for one in key.people}
        for who in people:
            yield f"why {who} does not have it: syncd explain {who}"
        if self.made.one.policy is None:
            yield "a reading that can be mapped: then it makes a person"
            return
        yield f"somebody in a source with one of its keys, by the order of `correlate`: {', '.join(self.made.one.policy.target.correlate)}"
        yield f"a person says whose it is: syncd link -c {sight.connection} {sight.account} WHO"
