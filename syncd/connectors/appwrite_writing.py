"""How a change becomes requests to Appwrite: one for each attribute, journalled one by one, merged into what others put there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from syncd.connectors import strict
from syncd.connectors.answer import Answer, Conflict, NotFound
from syncd.connectors.appwrite_table import CAPABILITY, LABELS, MARK, PREFS, SESSIONS, TABLE
from syncd.connectors.rest import RestConnector
from syncd.connectors.retry import Budget, Malformed, Patience
from syncd.connectors.tables import Call, fitting
from syncd.connectors.url import segment
from syncd.errors import Rejected, Retryable
from syncd.model import Account, Change, Kind, Step

_ID = re.compile("[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}")
_FRESH: Mapping[str, Any] = {"status": True, "emailVerification": False, "phoneVerification": False}
"""What a user just created has without being asked."""
_UNIQUE = ("$id", "email", "phone")
_LEFTOVERS = Budget(tries=5, seconds=60.0, base=1.0)
"""Patience with what a deleted user leaves behind for a while (issues 7332, 8135 and 8725 of appwrite/appwrite)."""


class AppwriteWriting(RestConnector):
    """The writing half of the connector."""

    def steps(self, change: Change) -> tuple[Step, ...]:
        """A create is followed by one request for each attribute that it cannot carry, and whose value is not that of a new user."""
        if change.kind is Kind.CREATE:
            return self._creation(change)
        steps = super().steps(change)
        if not change.revoke:
            return steps
        place = 1 if change.kind is Kind.DISABLE and steps else 0  # the switch is thrown by the first step
        return _numbered([*steps[:place], self._step(change, 0, SESSIONS, {}), *steps[place:]])

    def _creation(self, change: Change) -> tuple[Step, ...]:
        asked = {path: after for path, (_, after) in change.delta.items() if after is not None}
        id = asked.setdefault("$id", change.identity)
        if not isinstance(id, str) or not _ID.fullmatch(id):
            raise Rejected(f"$id {id!r} is none: at most 36 of a-z, A-Z, 0-9, period, hyphen and underscore, a letter or digit first", "id")
        first = {path: value for path, value in asked.items() if TABLE.create.carries(path)}
        rest = {path: (None, value) for path, value in asked.items() if path not in first and _FRESH.get(path) != value}
        if any(path.startswith("prefs.") for path in rest):
            rest.setdefault("prefs", (None, {}))  # known to be empty: not read before it is written
        later = super().steps(replace(change, kind=Kind.UPDATE, account=id, delta=rest))
        following = [replace(one, change=replace(change, account=id)) for one in later]
        return _numbered([self._step(change, 1, TABLE.create, first), *following])

    async def perform(self, step: Step) -> Account | None:
        """None after the requests that do not answer the user: new prefs, ended sessions, a delete.

        Raises Retryable while something that nobody has is still taken: a deleted user's id, e-mail or phone.
        """
        patience = Patience(self._environment, _LEFTOVERS)
        while True:
            try:
                return await self._once(step)
            except Conflict as error:
                settled = await self._taken(step, error)
                wait = patience.wait(None)
                if settled is not None:
                    return settled
                if wait is None:
                    raise Retryable(f"{error}; nobody has it: what a deleted user leaves behind is not yet removed") from error
            await self._environment.sleep(wait)

    async def _once(self, step: Step) -> Account | None:
        id = step.change.account or ""
        call = None if step.creates else _call(step, id)
        if call is None:
            return await super().perform(step)
        if call is SESSIONS:
            await self._end_sessions(step.change.kind, id)
            return None
        values = await self._labels(step, id) if call is LABELS else await self._values(call, id, step.body)
        request = self._request(call, {"id": id}, values)
        if call is PREFS:
            return await self._http.send(request, _prefs)
        return await self._http.send(request, lambda answer: self._same(answer, id))

    async def _end_sessions(self, kind: Kind, id: str) -> None:
        try:
            await self._http.send(self._request(SESSIONS, {"id": id}, {}), lambda answer: None)
        except NotFound as error:
            if kind is not Kind.DELETE or error.code not in TABLE.gone:
                raise

    async def _labels(self, step: Step, id: str) -> dict[str, Any]:
        """All labels, since the provider replaces them: those that are there now, with this change made to them."""
        now = {} if step.change.kind is Kind.CREATE else (await self._get(TABLE.fetch, "id", id)).attributes
        labels, mark = set(now.get("labels") or ()), now.get(MARK)
        if "labels" in step.body:
            before, after = (set(one or ()) for one in step.change.delta["labels"])
            labels = labels - (before - after) | after
        if MARK in step.body:
            mark = fitting(CAPABILITY.attributes[MARK], step.body[MARK])
        return {"labels": sorted(labels | set((mark or "").split()))}

    async def _taken(self, step: Step, error: Conflict) -> Account | None:
        """The user, where it already is as asked (a repeated request meets its own first sending). None: nobody has what is taken.

        Raises Conflict, naming who has it: the provider does not.
        """
        id = None if step.creates else step.change.account
        asked = {name: fitting(CAPABILITY.attributes[name], step.body[name]) for name in _UNIQUE if (step.body or {}).get(name)}
        if not asked:
            raise error
        for name, value in asked.items():
            for holder in await self.find({name: value}):
                if holder.id == id:
                    return holder
                raise Conflict(f"{error} User {holder.id} has this {name}.", error.code) from error
        return None


def _call(step: Step, id: str) -> Call | None:
    """The request of an update, or the one that ends sessions; None for a delete."""
    return next(
        (one for one in (*TABLE.updates, SESSIONS) if (one.method, one.path.format(id=segment(id))) == (step.method, step.path)), None
    )


def _numbered(steps: Sequence[Step]) -> tuple[Step, ...]:
    return tuple(replace(one, n=n) for n, one in enumerate(steps, 1))


def _prefs(answer: Answer) -> None:
    """The answer is the new prefs alone."""
    try:
        prefs = strict.loads(answer.body)
    except ValueError as error:
        raise Malformed(f"the answer is no JSON: {error}") from None
    if not isinstance(prefs, dict) and prefs != []:
        raise Malformed("the answer is no prefs object")
