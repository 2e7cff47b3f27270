"""Which unlinked account is whose: never a guess."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.markers import Owner
from syncd.core.matching import WORD, Candidate, Conflict, Match, match

ME, OTHER = "00000000-0000-5000-8000-000000000001", "00000000-0000-5000-8000-000000000002"
ORDER = ["@key", "@marker", "externalId", "email"]
MARKERS = {"none": None, "ours": Owner("ours", OTHER), "foreign": Owner("theirs", OTHER), "unknown": Owner("", "")}


@dataclass(frozen=True)
class There:
    """An account at the provider, and whose it is."""

    row: int
    linked: str | None
    departed: bool
    ignored: bool
    marker: str | None
    contradiction: str

    def by(self, attribute: str, trusted: bool) -> Candidate:
        return Candidate(
            attribute, trusted, self.row, f"u{self.row}", self.ignored, self.linked, self.departed and self.linked is not None, self.marker,
            self.contradiction,
        )  # fmt: skip


there = st.builds(
    There, st.integers(1, 3), st.sampled_from([None, None, OTHER, ME]), st.booleans(), st.booleans(),
    st.sampled_from(list(MARKERS.values())), st.sampled_from(["", "its email is another's"]),
)  # fmt: skip
accounts = st.lists(there, max_size=3, unique_by=lambda one: one.row)


@st.composite
def answers(draw: st.DrawFn) -> tuple[dict[int, There], dict[str, list[Candidate]]]:
    known = {one.row: one for one in draw(accounts)}
    hits = draw(st.sets(st.tuples(st.sampled_from(ORDER), st.sampled_from(sorted(known) or [0]), st.booleans())))
    found: dict[str, list[Candidate]] = {}
    for attribute, row, trusted in sorted(hits):
        if row in known:
            found.setdefault(attribute, []).append(known[row].by(attribute, trusted))
    return known, found


def free(one: There) -> bool:
    return one.linked is None or (one.departed and one.linked != ME)


@given(answers())
def test_nobody_gets_what_is_anothers_ignored_or_foreign(found: tuple[dict[int, There], dict[str, list[Candidate]]]) -> None:
    known, candidates = found
    answer = match(candidates, ORDER, ME, "ours")
    if isinstance(answer, Match):
        one = known[answer.row]
        assert free(one)
        assert not one.ignored
        assert one.linked is not None or one.marker not in (MARKERS["foreign"], MARKERS["unknown"])
        assert answer.account == f"u{answer.row}"


@given(answers())
def test_trusted_keys_decide_alone_and_two_accounts_are_never_chosen_between(
    found: tuple[dict[int, There], dict[str, list[Candidate]]],
) -> None:
    known, candidates = found
    answer = match(candidates, ORDER, ME, "ours")
    others = [one for attribute in ORDER for one in candidates.get(attribute, []) if one.linked != ME]
    trusted = {one.row for one in others if one.trusted}
    if len(trusted) > 1:
        assert isinstance(answer, Conflict)
        assert answer.code == "ambiguous"
    elif trusted:
        assert answer is not None
        assert isinstance(answer, Conflict) or answer.row in trusted
    else:
        first = next((one.attribute for one in others if free(known[one.row])), None)
        named = {one.row for one in others if one.attribute == first and free(known[one.row])}
        assert (answer is None) == (not named)
        assert len(named) < 2 or isinstance(answer, Conflict)
        assert not isinstance(answer, Match) or (answer.hold and {answer.row} == named)


@given(answers())
def test_only_an_undisputed_trusted_match_of_a_free_account_goes_without_a_person(
    found: tuple[dict[int, There], dict[str, list[Candidate]]],
) -> None:
    known, candidates = found
    answer = match(candidates, ORDER, ME, "ours")
    if isinstance(answer, Match):
        one = known[answer.row]
        trusted = any(each.trusted for group in candidates.values() for each in group if each.linked != ME)
        assert (not answer.hold) == (trusted and one.linked is None and not one.contradiction)
        assert bool(answer.text) == bool(answer.hold)
        assert answer.ours == (not answer.hold and one.marker == MARKERS["ours"])


@given(answers(), there)
def test_a_persons_yes_outweighs_every_key_and_takes_nothing_of_anothers(
    found: tuple[dict[int, There], dict[str, list[Candidate]]], named: There
) -> None:
    _, candidates = found
    answer = match({**candidates, WORD: [named.by(WORD, True)]}, ORDER, ME, "ours")
    if named.linked == ME:
        assert answer == match(candidates, ORDER, ME, "ours")
    elif named.ignored or not free(named) or (named.linked is None and named.marker in (MARKERS["foreign"], MARKERS["unknown"])):
        assert isinstance(answer, Conflict)
    else:
        assert isinstance(answer, Match)
        assert (answer.row, answer.hold, answer.by) == (named.row, "", "your word")


@given(answers(), st.integers(1, 3))
def test_what_a_person_took_from_somebody_is_never_theirs_by_a_key(
    found: tuple[dict[int, There], dict[str, list[Candidate]]], row: int
) -> None:
    known, candidates = found
    refused = {name: [replace(each, refused=each.row == row) for each in group] for name, group in candidates.items()}
    without = {name: [each for each in group if each.row != row] for name, group in candidates.items()}
    answer, other = match(refused, ORDER, ME, "ours"), match(without, ORDER, ME, "ours")
    if other is not None:
        assert answer == other, "as if it were not there"
    elif row in known and free(known[row]) and known[row].linked != ME and any(each.row == row for one in refused.values() for each in one):
        assert isinstance(answer, Conflict), "and nobody is doubled for it"
        assert answer.code == "unlinked"
    else:
        assert answer is None


def one(attribute: str = "email", *, trusted: bool = True, row: int = 7, linked: str | None = None, departed: bool = False,
        ignored: bool = False, marker: str | None = None, contradiction: str = "", refused: bool = False) -> Candidate:  # fmt: skip
    return Candidate(attribute, trusted, row, f"u{row}", ignored, linked, departed, marker, contradiction, refused)


@pytest.mark.parametrize(
    ("candidates", "answer"),
    [
        ([], None),
        ([one(linked=ME)], None),
        ([one(trusted=False, linked=OTHER)], None),
        ([one()], Match(7, "u7", "email")),
        ([one("@key")], Match(7, "u7", "the provider's key")),
        ([one("email"), one("@marker", marker=MARKERS["ours"])], Match(7, "u7", "marker", ours=True)),
        ([one("@key", marker=MARKERS["none"])], Match(7, "u7", "the provider's key")),
        ([one(trusted=False)], Match(7, "u7", "email", "untrusted", "account u7 matches by email, which its holder can edit")),
        ([one(trusted=False), one("externalId")], Match(7, "u7", "externalId")),
        ([one(linked=OTHER, departed=True)], Match(7, "u7", "email", "rehire", "account u7 was a leaver's: rehire, or a reused address?")),
        ([one(linked=OTHER, departed=True, marker=MARKERS["foreign"])],
         Match(7, "u7", "email", "rehire", "account u7 was a leaver's: rehire, or a reused address?")),
        ([one(trusted=False, marker=MARKERS["ours"])],
         Match(7, "u7", "email", "untrusted", "account u7 matches by email, which its holder can edit")),
        ([one(contradiction="its externalId is another's")],
         Match(7, "u7", "email", "contradicted", "account u7 matches by email, but its externalId is another's")),
        ([one(linked=OTHER)], Conflict("taken", f"account u7 with this email belongs to another person ({OTHER})")),
        ([one(ignored=True)], Conflict("ignored", "account u7 is on the ignore list")),
        ([one(trusted=False, ignored=True)], Conflict("ignored", "account u7 is on the ignore list")),
        ([one(marker=MARKERS["foreign"])], Conflict("foreign", f"account u7 carries the marker of another syncd (theirs:{OTHER})")),
        ([one(marker=MARKERS["unknown"])], Conflict("foreign", "account u7 carries the marker of another syncd")),
        ([one(), one("@key", row=8)], Conflict("ambiguous", "u7 and u8 match by email, the provider's key", ("u7", "u8"))),
        ([one(trusted=False), one(trusted=False, row=8)], Conflict("ambiguous", "u7 and u8 match by email", ("u7", "u8"))),
        ([one("externalId", trusted=False, row=8), one(trusted=False)],
         Match(8, "u8", "externalId", "untrusted", "account u8 matches by externalId, which its holder can edit")),
        ([one("externalId", trusted=False, row=8, linked=OTHER), one(trusted=False)],
         Match(7, "u7", "email", "untrusted", "account u7 matches by email, which its holder can edit")),
        ([one("title")], None),
        ([one(WORD, contradiction="it is another's", linked=OTHER, departed=True)], Match(7, "u7", "your word")),
        ([one(WORD, row=8, refused=True), one("@key"), one("email")], Match(8, "u8", "your word")),
        ([one(WORD, marker=MARKERS["ours"])], Match(7, "u7", "your word", ours=True)),
        ([one(WORD, marker=MARKERS["foreign"])], Conflict("foreign", f"account u7 carries the marker of another syncd (theirs:{OTHER})")),
        ([replace(one(WORD, marker=MARKERS["foreign"]), forgeable=True)], Match(7, "u7", "your word")),
        ([replace(one("email", marker=MARKERS["unknown"]), forgeable=True)],
         Conflict("foreign", "account u7 carries the marker of another syncd")),
        ([one(WORD, linked=OTHER)], Conflict("taken", f"account u7 that a person linked to them belongs to another person ({OTHER})")),
        ([one(WORD, linked=ME), one(linked=ME)], None),
        ([one(refused=True)], Conflict("unlinked", "account u7 matches by email, and was unlinked from them", ("u7",))),
        ([one(refused=True, trusted=False), one("externalId", row=8)], Match(8, "u8", "externalId")),
        ([one(refused=True, linked=OTHER)], None),
        ([one(refused=True, linked=OTHER, departed=True)],
         Conflict("unlinked", "account u7 matches by email, and was unlinked from them", ("u7",))),
    ],
)  # fmt: skip
def test_by_example(candidates: list[Candidate], answer: Match | Conflict | None) -> None:
    found: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        found.setdefault(candidate.attribute, []).append(candidate)
    assert match(found, ORDER, ME, "ours") == answer
