"""What a reading shows of somebody's account that moved outside syncd, as entries of the journal; a first sight is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from syncd.core.moved import Moves, moved
from syncd.core.rule import seen
from syncd.engine.context import Connected, Context
from syncd.store import chain, whose
from syncd.store.chain import Event
from syncd.store.staging import Staged


def changed(context: Context, one: Connected, staged: Sequence[Staged], known: Mapping[str, Any]) -> None:
    """These records are not the bytes they were; called before they are stored, in the same transaction. ``known``: as `whose.known`
    finds them."""
    events = [event for each in staged if each.account in known for event in _events(context, one, known[each.account], each)]
    chain.append(context.store, events, context.environment.now())


def gone(context: Context, one: Connected, accounts: Sequence[str]) -> None:
    """Proven absent; called before they are taken for gone, in the same transaction."""
    _note(context, one, accounts, {"gone": True})


def back(context: Context, one: Connected, accounts: Sequence[str]) -> None:
    """Not absent after all, though what they are like now cannot be read."""
    _note(context, one, accounts, {"gone": False, "back": True})


def _events(context: Context, one: Connected, before: Any, now: Staged) -> Iterator[Event]:
    back = before.gone_at is not None
    for who, source, moves in ((before.makes, True, _as_source(before, now)), (before.linked, False, _as_target(one, before, now))):
        if who is not None and (back or moves):
            yield _event(context, one, who, now.account, {"page": now.page, "source": source, "moved": moves, "back": back})


def _as_source(before: Any, now: Staged) -> Moves:
    """By canonical names."""
    return {} if before.reading == now.reading else moved(_object(before.reading), _object(now.reading))


def _as_target(one: Connected, before: Any, now: Staged) -> Moves:
    """By the provider's own paths; nothing where one of the two views was not kept whole."""
    if before.document == now.document or before.document is None or now.document is None:
        return {}
    return moved(_object(before.document), _object(now.document), partial(seen, one.connector.capability))


def _note(context: Context, one: Connected, accounts: Sequence[str], said: Mapping[str, Any]) -> None:
    """One entry for each person whose account it is, or whom it makes."""
    events = [
        _event(context, one, who, row.account, {"page": None, "source": source, "moved": {}, **said})
        for row in whose.known(context.store, one.name, accounts).values()
        for who, source in ((row.makes, True), (row.linked, False))
        if who is not None
    ]
    chain.append(context.store, events, context.environment.now())


def _event(context: Context, one: Connected, who: str, account: str, said: Mapping[str, Any]) -> Event:
    return Event(chain.OBSERVED, one.name, {"account": account, "gone": False, "back": False, **said}, who, context.run)


def _object(text: str | None) -> dict[str, Any]:
    return orjson.loads(text) if text else {}
