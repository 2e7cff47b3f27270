"""Which unlinked account, if any, is this identity's: trusted keys first, never a guess.

::

    trusted keys name    one free account       -> Match
                         an account of a leaver  -> Match, held ("rehire, or a reused address?")
                         a living other's, an ignored or a foreign instance's account, or two accounts -> Conflict
    else, by the first other key that names any: one -> Match, held; several -> Conflict
    nothing              -> None: the account is to be created
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.core.correlation import parse_marker


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that answers to one of the identity's keys. ``linked``: whose it is already; ``departed``: that person has left."""

    attribute: str
    trusted: bool
    row: int
    account: str
    ignored: bool = False
    linked: str | None = None
    departed: bool = False
    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """The account to adopt; ``hold`` is empty or the code for which a person must agree, ``text`` says why."""

    row: int
    account: str
    by: str
    hold: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """No account can be made or taken; a person must look. ``code``: ambiguous | taken | ignored | foreign."""

    code: str
    text: str


def match(found: Mapping[str, Sequence[Candidate]], order: Sequence[str], identity: str, instance: str) -> Match | Conflict | None:
    """``found``: attribute -> its candidates; ``order``: attributes, most telling first."""
    ranked = [one for attribute in order for one in found.get(attribute, ()) if one.linked != identity]
    trusted = [one for one in ranked if one.trusted]
    if trusted:
        return _by_trusted(trusted, instance)
    free = [one for one in ranked if one.linked is None and not one.ignored and not _foreign(one, instance)]
    if not free:
        return None
    first = [one for one in free if one.attribute == free[0].attribute]
    if len({one.row for one in first}) > 1:
        return Conflict("ambiguous", f"{_names(first)} both match by {_plain(first[0])}")
    one = first[0]
    return Match(
        one.row, one.account, _plain(one), "untrusted", f"account {one.account} matches by {_plain(one)}, which its holder can edit"
    )


def _by_trusted(trusted: Sequence[Candidate], instance: str) -> Match | Conflict:
    if len({one.row for one in trusted}) > 1:
        return Conflict("ambiguous", f"{_names(trusted)} match by {', '.join(sorted({_plain(one) for one in trusted}))}")
    one = trusted[0]
    if one.ignored:
        return Conflict("ignored", f"account {one.account} is on the ignore list")
    if one.linked is not None and not one.departed:
        return Conflict("taken", f"account {one.account} with this {_plain(one)} belongs to another person ({one.linked})")
    if one.linked is None and _foreign(one, instance):
        return Conflict("foreign", f"account {one.account} carries the marker {one.marker} of another syncd")
    if one.linked is not None:
        return Match(one.row, one.account, _plain(one), "rehire", f"account {one.account} was a leaver's: rehire, or a reused address?")
    return Match(one.row, one.account, _plain(one))


def _foreign(one: Candidate, instance: str) -> bool:
    marker = parse_marker(one.marker) if one.marker else None
    return marker is not None and marker[0] != instance


def _plain(one: Candidate) -> str:
    return {"@key": "the provider's key", "@marker": "marker"}.get(one.attribute, one.attribute)


def _names(candidates: Sequence[Candidate]) -> str:
    return " and ".join(sorted({one.account for one in candidates}))
