"""Which unlinked account, if any, is this identity's: trusted keys first, never a guess.

::

    trusted keys name    one free account        -> Match
                         one that another trusted key contradicts -> Match, held
                         an account of a leaver  -> Match, held ("rehire, or a reused address?")
                         a living other's, an ignored or a foreign instance's account, or two accounts -> Conflict
    else, the first other key that names any but living others' accounts: the same, but every Match is held
    nothing              -> None: the account is to be created
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.core.markers import Owner
from syncd.model import Hold


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that answers to one of the identity's keys. ``linked``: whose it is already; ``departed``: that person has left;
    ``contradiction``: what else it carries that only another person's account would."""

    attribute: str
    trusted: bool
    row: int
    account: str
    ignored: bool = False
    linked: str | None = None
    departed: bool = False
    marker: Owner | None = None
    contradiction: str = ""


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
    """No account can be made or taken; a person must look."""

    code: Hold
    text: str


def match(found: Mapping[str, Sequence[Candidate]], order: Sequence[str], identity: str, instance: str) -> Match | Conflict | None:
    """``found``: attribute -> its candidates; ``order``: attributes, most telling first."""
    ranked = [one for attribute in order for one in found.get(attribute, ()) if one.linked != identity]
    trusted = [one for one in ranked if one.trusted]
    if trusted:
        return _only(trusted, instance)
    free = [one for one in ranked if one.linked is None or one.departed]
    return _only([one for one in free if one.attribute == free[0].attribute], instance) if free else None


def _only(named: Sequence[Candidate], instance: str) -> Match | Conflict:
    """The account that all of ``named`` are, if they are one and may be had."""
    if len({one.row for one in named}) > 1:
        return Conflict(Hold.AMBIGUOUS, f"{_names(named)} match by {', '.join(sorted({_plain(one) for one in named}))}")
    one = named[0]
    if one.ignored:
        return Conflict(Hold.IGNORED, f"account {one.account} is on the ignore list")
    if one.linked is not None and not one.departed:
        return Conflict(Hold.TAKEN, f"account {one.account} with this {_plain(one)} belongs to another person ({one.linked})")
    if one.linked is None and one.marker is not None and one.marker.instance != instance:
        whose = f" ({':'.join(one.marker)})" if one.marker.instance else ""
        return Conflict(Hold.FOREIGN, f"account {one.account} carries the marker of another syncd{whose}")
    return _match(one, ours=one.marker is not None and one.marker.instance == instance)


def _match(one: Candidate, *, ours: bool) -> Match:
    hold, text = Hold.NOTHING, ""
    if one.linked is not None:
        hold, text = Hold.REHIRE, f"account {one.account} was a leaver's: rehire, or a reused address?"
    elif not one.trusted:
        hold, text = Hold.UNTRUSTED, f"account {one.account} matches by {_plain(one)}, which its holder can edit"
    elif one.contradiction:
        hold, text = Hold.CONTRADICTED, f"account {one.account} matches by {_plain(one)}, but {one.contradiction}"
    return Match(one.row, one.account, _plain(one), hold, text, ours=ours and not hold)


def _plain(one: Candidate) -> str:
    return {"@key": "the provider's key", "@marker": "marker"}.get(one.attribute, one.attribute)


def _names(candidates: Sequence[Candidate]) -> str:
    return " and ".join(sorted({one.account for one in candidates}))
