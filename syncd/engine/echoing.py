"""What syncd writes where it also asks for opinions is remembered, so that it is never taken for one.

::

    before the request leaves   the value asked for, beside what was written last: whichever is found there was ours
    its answer                  the value as it is there now, and that alone
    no answer                   both stay: the next listing shows one of them

A value that the connection itself won with stays an opinion, in whatever form it is written back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from syncd.core.merging import contributor
from syncd.engine import identify
from syncd.engine.context import Connected, Context
from syncd.engine.opinions import Wrote, record, recorded
from syncd.model import USER, Account, Kind
from syncd.store import opinions, staging


def intend(context: Context, one: Connected, change: Any) -> None:
    """In the transaction of the intent to send a request of ``change`` (a row of the journal)."""
    if not _concerns(one, change):
        return
    link = opinions.link(context.store, one.name, change.identity)
    wanted, touched = _wanted(one, change)
    if link is None or not touched:
        return
    before = _before(context, change)
    asked = one.opinions.asked(before.id, before.attributes, wanted)
    own = _won(context, one, change, before)
    wrote = recorded(link) or {}
    for name in touched & asked.keys() - own:
        wrote[name] = [*(value for value in wrote.get(name, ()) if value != asked[name]), asked[name]]
    opinions.keep(context.store, {link.id: record(link.account_id, wrote)})


def pending(context: Context, one: Connected, change: Any) -> Wrote:
    """What was written, or may have been, to the account of ``change``; to be asked before its link is settled."""
    link = opinions.link(context.store, one.name, change.identity) if _concerns(one, change) else None
    return {} if link is None else recorded(link) or {}


def settle(context: Context, one: Connected, change: Any, wrote: Wrote, account: Account, *, last: bool) -> None:
    """A request of ``change`` took, and ``account`` is what the provider has now. ``wrote``: of `pending`."""
    if not _concerns(one, change):
        return
    link = opinions.link(context.store, one.name, change.identity)
    assert link is not None
    wanted, touched = _wanted(one, change)
    asked, held = one.opinions.asked(account.id, account.attributes, wanted), one.opinions.asked(account.id, account.attributes, {})
    for name in touched:
        value, found = asked.get(name), held.get(name)
        if value is None and (last or found is None):
            wrote[name] = [] if found is None else [found]
        elif value in wrote.get(name, ()) and (last or found == value):
            wrote[name] = [value] if found in (None, value) else [value, found]
    if not _was_ours(one, change):
        wrote = {**{name: [] for name in one.opinions.names}, **wrote}
    opinions.keep(context.store, {link.id: record(link.account_id, wrote)})


def _concerns(one: Connected, change: Any) -> bool:
    return bool(one.opinions.names) and change.object == USER


def _wanted(one: Connected, change: Any) -> tuple[Mapping[str, Any], frozenset[str]]:
    wanted = {path: after for path, (_, after) in orjson.loads(change.delta).items()}
    return wanted, one.opinions.touched(wanted)


def _before(context: Context, change: Any) -> Account:
    text = None if change.account_id is None else staging.document(context.store, change.account_id)
    return Account(change.account or "", orjson.loads(text) if text else {})


def _won(context: Context, one: Connected, change: Any, before: Account) -> frozenset[str]:
    """The attributes of which this connection's own value is the one that is written."""
    said = identify.heard(context, [change.identity])[change.identity]
    if change.kind == Kind.ADOPT.value:
        said = identify.joined(said, one, before)
    order, precedence = context.authoritative, context.landscape.precedence
    return frozenset(
        name for name in one.opinions.names if contributor(name, said.readings, order, precedence, said.echoes) == one.name
    )  # fmt: skip


def _was_ours(one: Connected, change: Any) -> bool:
    """What was written to it before is known, or, where it bears our marker of old, unknown; any other account was never written."""
    if change.kind in (Kind.CREATE.value, Kind.ADOPT.value):
        marker = one.connector.capability.marker
        return change.kind == Kind.ADOPT.value and marker is not None and marker not in orjson.loads(change.delta)
    return True
