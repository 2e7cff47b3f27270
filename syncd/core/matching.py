"""Which unlinked account, if any, is this identity's: trusted keys first, never a guess.

::

    a person's word names one, and nothing forbids it -> Match
    trusted keys name    one free account        -> Match
                         one that another trusted key contradicts -> Match, held
                         an account of a leaver  -> Match, held ("rehire, or a reused address?")
                         a living other's, an ignored or a foreign instance's account, or two accounts -> Conflict
    else, the first other key that names any but living others' accounts: the same, but every Match is held
    nothing              -> None: the account is to be created; or Conflict, where a person's no is about all that was found
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.core.markers import Owner
from syncd.model import Hold

WORD = "@word"
"""The attribute of the candidate that a person named: it needs no key, and none can dispute it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that answers to one of the identity's keys. ``linked``: whose it is already; ``departed``: that person has left;
    ``contradiction``: what else it carries that only another person's account would. ``refused``: a person said that it is not theirs.
    ``forgeable``: its holder can write its marker.
    """

    attribute: str
    trusted: bool
    row: int
    account: str
    ignored: bool = False
    linked: str | None = None
    departed: bool = False
    marker: Owner | None = None
    contradiction: str = ""
    refused: bool = False
    forgeable: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """The account to adopt; ``hold``: for what a person must agree, ``text`` says it.

    ``ours``: a trusted key and our marker say that it was ours before the store was lost.
    """

    row: int
    account: str
    by: str
    hold: Hold = Hold.NOTHING
    text: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """No account can be made or taken; a person must look. ``accounts``: those between which only a person can choose."""

    code: Hold
    text: str
    accounts: tuple[str, ...] = ()


def match(found: Mapping[str, Sequence[Candidate]], order: Sequence[str], identity: str, instance: str) -> Match | Conflict | None:
    """``found``: attribute -> its candidates; ``order``: attributes, most telling first."""
    if said := [one for one in found.get(WORD, ()) if one.linked != identity]:
        return _only(said, instance)
    others = [one for attribute in order for one in found.get(attribute, ()) if one.linked != identity]
    ranked = [one for one in others if not one.refused]
    trusted = [one for one in ranked if one.trusted]
    if trusted:
        return _only(trusted, instance)
    free = [one for one in ranked if one.linked is None or one.departed]
    if free:
        return _only([one for one in free if one.attribute == free[0].attribute], instance)
    return _kept_apart([one for one in others if one.refused and (one.linked is None or one.departed)])


def _kept_apart(refused: Sequence[Candidate]) -> Conflict | None:
    """What they answer to was taken from them by a person, and is no other's: they are not doubled."""
    if not refused:
        return None
    one = refused[0]
    return Conflict(Hold.UNLINKED, f"account {one.account} matches by {_plain(one)}, and was unlinked from them", (one.account,))


def _only(named: Sequence[Candidate], instance: str) -> Match | Conflict:
    """The account that all of ``named`` are, if they are one and may be had."""
    if len({one.row for one in named}) > 1:
        told = f"{_names(named)} match by {', '.join(sorted({_plain(one) for one in named}))}"
        return Conflict(Hold.AMBIGUOUS, told, tuple(sorted({one.account for one in named})))
    one = named[0]
    if one.ignored:
        return Conflict(Hold.IGNORED, f"account {one.account} is on the ignore list")
    if one.linked is not None and not one.departed:
        by = "that a person linked to them" if one.attribute == WORD else f"with this {_plain(one)}"
        return Conflict(Hold.TAKEN, f"account {one.account} {by} belongs to another person ({one.linked})")
    if _foreign(one, instance):
        assert one.marker is not None
        whose = f" ({':'.join(one.marker)})" if one.marker.instance else ""
        return Conflict(Hold.FOREIGN, f"account {one.account} carries the marker of another syncd{whose}")
    return _match(one, ours=one.marker is not None and one.marker.instance == instance)


def _foreign(one: Candidate, instance: str) -> bool:
    """Another syncd marked it. Where its holder could have written that themselves, a person's word is stronger."""
    marked = one.linked is None and one.marker is not None and one.marker.instance != instance
    return marked and not (one.attribute == WORD and one.forgeable)


def _match(one: Candidate, *, ours: bool) -> Match:
    hold, text = Hold.NOTHING, ""
    if one.attribute == WORD:
        pass
    elif one.linked is not None:
        hold, text = Hold.REHIRE, f"account {one.account} was a leaver's: rehire, or a reused address?"
    elif not one.trusted:
        hold, text = Hold.UNTRUSTED, f"account {one.account} matches by {_plain(one)}, which its holder can edit"
    elif one.contradiction:
        hold, text = Hold.CONTRADICTED, f"account {one.account} matches by {_plain(one)}, but {one.contradiction}"
    return Match(one.row, one.account, _plain(one), hold, text, ours=ours and not hold and not one.contradiction)


def _plain(one: Candidate) -> str:
    return {"@key": "the provider's key", "@marker": "marker", WORD: "your word"}.get(one.attribute, one.attribute)


def _names(candidates: Sequence[Candidate]) -> str:
    return " and ".join(sorted({one.account for one in candidates}))
