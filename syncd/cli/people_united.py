"""`syncd identities merge`: two identities are one person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from syncd.cli import people
from syncd.cli.alone import decided
from syncd.cli.cures import pasted
from syncd.cli.documents import document as _document
from syncd.cli.exits import Failed
from syncd.cli.invocation import Invocation
from syncd.cli.printer import GREEN, Styled
from syncd.engine.context import Context
from syncd.engine.uniting import United, unite
from syncd.errors import Rejected
from syncd.store import Store, chain, connections
from syncd.wiring import connected


@dataclass(frozen=True, slots=True)
class Merged:
    """``one`` and ``other``: (id, name) of who stays and who is no more."""

    one: tuple[str, str]
    other: tuple[str, str]
    united: United


async def merge(invocation: Invocation, store: Store, one: str, other: str) -> Merged:
    """Raises Failed, with nothing done, where they are one already or cannot be."""
    landscape, command = invocation.settings.landscape, f"identities merge {one} {other}"
    known = connections.known(store)
    async with connected(invocation.settings, invocation.environment, writable=False) as each:
        names = [name.name for name in landscape.connections if name.name in known]
        with decided(invocation, store, names):
            ids = _two(store, one, other)
            called = people.typed(store, ids)
            context = Context(invocation.environment, store, landscape, each, names)
            try:
                united = unite(context, *ids)
            except Rejected as error:
                raise Failed(f"{called[ids[0]]} and {called[ids[1]]} cannot be one person: {error}") from None
            merged = Merged((ids[0], called[ids[0]]), (ids[1], called[ids[1]]), united)
            chain.append(store, _events(merged, command), invocation.environment.now())
    return merged


def question(store: Store, one: str, other: str) -> str:
    """Raises Failed as `merge`."""
    ids = _two(store, one, other)
    called = people.typed(store, ids)
    return f"Is {called[ids[1]]} ({ids[1]}) the same person as {called[ids[0]]} ({ids[0]}), for good?"


def _two(store: Store, one: str, other: str) -> tuple[str, str]:
    ids = people.somebody(store, one), people.somebody(store, other)
    if ids[0] == ids[1]:
        raise Failed(f"{one} and {other} are one person already ({ids[0]})")
    return ids


def _events(merged: Merged, command: str) -> list[chain.Event]:
    """Of the merging one, and one for each account that is nobody's for it."""
    (one, who), (other, _) = merged.one, merged.other
    body = {"command": command, "who": who, "merged": other, "moved": [list(pair) for pair in merged.united.moved]}
    events = [chain.Event(chain.DECIDED, "", body, identity=one)]
    for name, account in merged.united.released:
        events.append(chain.Event(chain.DECIDED, name, {"command": command, "who": who, "unlinked": account}, identity=one))
    return events


def document(merged: Merged) -> dict[str, Any]:
    def told(pairs: Any) -> list[dict[str, str]]:
        return [{"connection": name, "account": account} for name, account in pairs]

    return _document(
        "merge", identity=merged.one[0], merged=merged.other[0], who=merged.one[1],
        moved=told(merged.united.moved), unlinked=told(merged.united.released),
    )  # fmt: skip


def lines(merged: Merged) -> Iterator[str | Styled]:
    yield f"{merged.other[1]} is {merged.one[1]} from now on ({merged.one[0]}).", GREEN
    yield from (f"  {name}: account {account} is theirs" for name, account in merged.united.moved)
    for name, account in merged.united.released:
        yield f"  {name}: account {account} is nobody's now, for they have another one there; to change that: syncd unlink the other, then"
        yield f"    {pasted('link', '-c', name, account, merged.one[1])}"
