"""WHO on the command line: an identity id, userName, e-mail, externalId or CONNECTION/ACCOUNT, and whom that means."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any

from syncd.cli.exits import Failed
from syncd.cli.text import listed
from syncd.core.correlation import fold
from syncd.engine.narrowing import Narrowing
from syncd.store import Store, answers
from syncd.store.nameless import NAMELESS

SHOWN = 5


def resolve(store: Store, who: str) -> str:
    """The identity that ``who`` names. Raises Failed for nobody, naming those that are spelt alike, and for several, naming them."""
    connection, slash, account = who.partition("/")
    found = answers.named(store, who, fold(who)) or (answers.holders(store, connection, account) if slash else [])
    if len(found) == 1:
        return found[0]
    if found:
        told = [f"{name} ({id})" for id, name in answers.called(store, found[:SHOWN])]
        raise Failed(f"{who} names {len(found)} people: {listed(told, len(found) - SHOWN)}; say the id")
    if not answers.living(store):
        raise Failed("nobody is known yet: `syncd plan` reads everybody")
    near = get_close_matches(fold(who), answers.beginning(store, fold(who)[:2]), n=SHOWN, cutoff=0.5)
    raise Failed(f"nobody is called {who}" + (f"; did you mean {' or '.join(near)}?" if near else ""))


def somebody(store: Store, who: str) -> str:
    """The same where a person is needed: raises Failed also for who was forgotten, of whom only an account is left."""
    identity = resolve(store, who)
    if identity.startswith(NAMELESS):
        raise Failed(
            f"{who} was forgotten, and is nobody any more: give the account itself to whoever it is: syncd link -c NAME ACCOUNT WHO"
        )
    return identity


def typed(store: Store, identities: Iterable[str]) -> dict[str, str]:
    """Identity -> what a command takes for WHO: their userName; the id, where that is missing or another's, too."""
    names = dict(answers.called(store, sorted(set(identities))))
    meant = answers.meaning(store, sorted(set(names.values())))
    return {id: name if meant.get(name) == {id} else id for id, name in names.items()}


def about(store: Store, rows: Iterable[Any]) -> dict[str, str]:
    """The same for everybody whom rows of pending are about."""
    return typed(store, [row.identity for row in rows if row.identity is not None])


def narrowing(store: Store, only: Collection[str], most: int | None = None) -> Narrowing:
    """`--only` and `--max-changes`; newcomers can be named, too, because people are looked up once the sources were read."""
    return Narrowing((lambda: resolved(store, only)) if only else None, most)


def resolved(store: Store, who: Iterable[str]) -> set[str]:
    return {resolve(store, one) for one in who}
