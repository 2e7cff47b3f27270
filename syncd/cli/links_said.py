"""`syncd link` and `syncd unlink`: what a person says about one account, checked against whose it is, and what is answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from syncd.cli import people
from syncd.cli.alone import decided
from syncd.cli.cures import pasted
from syncd.cli.documents import document
from syncd.cli.exits import Failed
from syncd.cli.invocation import Invocation
from syncd.cli.printer import GREEN, Styled
from syncd.cli.text import count, listed
from syncd.core.correlation import fold, parse_marker
from syncd.settings import Settings
from syncd.store import Store, answering, answers, chain, links, words

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Said:
    """One account and whose it is, or is not any more. ``who``: as a command takes it. ``expected``: they are to have an account there."""

    connection: str
    row: int
    account: str
    identity: str
    who: str
    expected: bool = False


def link(invocation: Invocation, store: Store, connection: str, account: str, who: str) -> Said:
    """Raises Failed, with nothing done."""
    target(invocation.settings, connection)
    with decided(invocation, store, [connection]):
        said = asked(invocation.settings, store, connection, account, who)
        record(invocation, store, said, f"link -c {connection} {account} {who}")
    return said


def target(settings: Settings, connection: str) -> None:
    """Raises Failed unless accounts there can be adopted."""
    from syncd.cli.wiring import selected

    (name,) = selected(settings, [connection])
    write = settings.landscape.connection(name).write
    if write is None:
        raise Failed(f"{name} is not written: accounts are linked at targets; two people who are one: syncd identities merge A B")
    if write.adopt == "never":
        raise Failed(f"{name} adopts nothing: say `adopt: matched` under its `write` first")


def asked(settings: Settings, store: Store, connection: str, account: str, who: str) -> Said:
    """Whom and what the words mean. Raises Failed where that cannot be: unknown, another's, left alone, or in doubt."""
    row = known(store, connection, account)
    identity = people.somebody(store, who)
    names = people.typed(store, [identity])
    _free(settings, store, connection, row, identity)
    stands = links.standing(store, connection, [identity])[0]
    if stands.doubt is not None:
        raise Failed(f"whether {names[identity]} was given an account is in doubt: syncd pending shows how to settle it")
    if stands.account_id not in (None, row.id) and stands.gone_at is None:
        cure = pasted("unlink", "-c", connection, stands.account or "")
        raise Failed(f"{names[identity]} has account {stands.account} at {connection}\n  take it from them first: {cure}")
    return Said(connection, row.id, row.account, identity, names[identity], stands.desired is not None or stands.state == "unlinked")


def known(store: Store, connection: str, account: str) -> Any:
    """The one account that is meant. Raises Failed for none, naming those that are spelt alike, and for several, naming them."""
    found = answers.accounts(store, connection, account, fold(account))
    if len(found) == 1:
        return found[0]
    if found:
        raise Failed(f"{account} is the key of {len(found)} accounts: {listed([row.account for row in found[:SHOWN]], len(found) - SHOWN)}")
    if theirs := _of_person(store, connection, account):
        raise Failed(f"{account} is a person; their account at {connection} is {theirs}")
    near = get_close_matches(account, answers.accounts_beginning(store, connection, account[:2], fold(account)[:2]), n=SHOWN, cutoff=0.5)
    raise Failed(
        f"{connection} has no account {account}"
        + (f"; did you mean {' or '.join(near)}?" if near else " that syncd has seen (`syncd plan` looks again)")
    )


def _of_person(store: Store, connection: str, who: str) -> str | None:
    """The account there of the one person of this name, if they have one."""
    named = answers.named(store, who, fold(who))
    return links.standing(store, connection, named)[0].account if len(named) == 1 else None


def _free(settings: Settings, store: Store, connection: str, row: Any, identity: str) -> None:
    """Raises Failed for an account that nobody can be given: another living person's, an ignored or a foreign one."""
    owner = words.owner(store, connection, row.id)
    if owner is not None and owner.identity != identity and owner.live != "departed":
        whose = people.typed(store, [owner.identity])[owner.identity]
        cure = pasted("unlink", "-c", connection, row.account)
        raise Failed(f"account {row.account} is {whose}'s ({owner.identity})\n  take it from them first: {cure}")
    if row.ignored:
        raise Failed(f"account {row.account} is on the ignore list, or protected: take it off the list first")
    marker = parse_marker(answering.trusted_keys(store, [row.id]).get(row.id, {}).get("@marker"))
    if owner is None and marker is not None and marker[0] != settings.landscape.instance:
        raise Failed(f"account {row.account} carries the marker of another syncd ({marker[0]}): take it off there first")


def record(invocation: Invocation, store: Store, said: Said, command: str) -> None:
    """In the caller's transaction."""
    now = invocation.environment.now()
    words.give(store, said.connection, said.row, said.identity, now)
    body = {"command": command, "who": said.who, "account": said.account}
    chain.append(store, [chain.Event(chain.DECIDED, said.connection, body, identity=said.identity)], now)


def unlink(invocation: Invocation, store: Store, connection: str, account: str) -> Said:
    """Raises Failed, with nothing done, for an account that is unknown, or nobody's."""
    from syncd.cli.wiring import selected

    (name,) = selected(invocation.settings, [connection])
    if invocation.settings.landscape.connection(name).authoritative:
        raise Failed(f"{name} is a source: its accounts are people, and cannot be taken from them")
    now = invocation.environment.now()
    with decided(invocation, store, [name]):
        row = known(store, name, account)
        owner = words.owner(store, name, row.id)
        if owner is None:
            raise Failed(f"account {row.account} is nobody's")
        who = people.typed(store, [owner.identity])[owner.identity]
        words.take(store, name, row.id, owner.identity, now)
        body = {"command": f"unlink -c {name} {account}", "who": who, "account": row.account}
        chain.append(store, [chain.Event(chain.DECIDED, name, body, identity=owner.identity)], now)
    return Said(name, row.id, row.account, owner.identity, who)


def linked(made: Sequence[Said]) -> dict[str, Any]:
    return document("link", linked=[_told(one) for one in made])


def linked_lines(made: Sequence[Said], file: Path | None) -> Iterator[str | Styled]:
    if file is not None:
        yield f"{count(len(made), 'account')} linked; the next `syncd sync` adopts those whose people are to have one.", GREEN
        return
    for one in made:
        when = "the next `syncd sync` adopts it" if one.expected else "adopted once they are to have an account there"
        yield f"{one.connection}: account {one.account} is {one.who}'s from now on; {when}.", GREEN


def unlinked(made: Said) -> dict[str, Any]:
    return document("unlink", unlinked=_told(made))


def unlinked_lines(made: Said) -> Iterator[str | Styled]:
    yield f"{made.connection}: account {made.account} is nobody's from now on, and {made.who} gets no other there: kept by you.", GREEN
    yield f"  to take it back: {pasted('link', '-c', made.connection, made.account, made.who)}"


def _told(one: Said) -> dict[str, Any]:
    return {"connection": one.connection, "account": one.account, "identity": one.identity, "who": one.who}
