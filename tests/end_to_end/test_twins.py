"""People whose keys differ only in case or composition: an account can be only one's, so neither is touched until they differ."""

from __future__ import annotations

import pytest

from tests.end_to_end.conftest import MakeOffice
from tests.end_to_end.office import AFTER, result

pytestmark = pytest.mark.anyio

TWINS = {
    "case": ("Kim@corp.example", "kim@corp.example"),
    "NFC and NFD": ("jos\u00e9@corp.example", "jose\u0301@corp.example"),
    "KELVIN SIGN": ("\u212aim@corp.example", "kim@corp.example"),
    "white space": ("kim@corp.example", "kim@corp.example "),
    "the very same": ("kim@corp.example", "kim@corp.example"),
}


def twin(number: int, email: str, name: str) -> tuple[str, ...]:
    return f"t{number}", email, name, "Support"


@pytest.mark.parametrize(("first", "second"), TWINS.values(), ids=TWINS)
async def test_twins_who_come_together_are_both_frozen_and_the_others_go_on(make_office: MakeOffice, first: str, second: str) -> None:
    one = await make_office().opened()
    wanted = one.wanted
    one.employ([twin(1, first, "One"), *AFTER, twin(2, second, "Two")])
    report = await one.run()
    assert not report.failed and result(report).held == 2
    assert all("2 people want the same identity" in reason for _, _, reason in one.pending())
    assert one.accounts() == wanted, "neither has an account, everybody else is in order"
    one.employ([*AFTER, twin(2, second, "Two")])
    await one.recovers()


@pytest.mark.parametrize(("first", "second"), TWINS.values(), ids=TWINS)
async def test_a_twin_of_somebody_who_has_an_account_freezes_both(make_office: MakeOffice, first: str, second: str) -> None:
    """The account stays as it is, even where its own person was renamed at the same time."""
    one = await make_office().opened()
    one.employ([twin(1, first, "One"), *AFTER])
    assert (await one.run()).converged
    before = one.twilio.service().by_identity(first)
    one.employ([twin(1, first, "One Renamed"), *AFTER, twin(2, second, "Two")])
    report = await one.run()
    assert not report.failed and result(report).held == 2
    assert one.twilio.service().by_identity(first) == before
    one.employ([twin(1, first, "One Renamed"), *AFTER])
    await one.recovers()


async def test_who_comes_with_the_key_of_somebody_who_leaves_is_asked_about_and_not_doubled(make_office: MakeOffice) -> None:
    one = await make_office().opened()
    one.employ([twin(1, "Kim@corp.example", "One"), *AFTER])
    assert (await one.run()).converged
    one.employ([*AFTER, twin(2, "\u212aim@corp.example", "Two")])
    report = await one.run()
    assert not report.failed and result(report).held == 2, "the adoption, and the deletion that waits for its answer"
    assert "was a leaver's: rehire, or a reused address?" in one.pending()[0][2]
    assert one.creations()["\u212aim@corp.example"] == 0 and "Kim@corp.example" not in one.deletions()
    one.employ(AFTER)
    await one.recovers()
    assert "Kim@corp.example" in one.deletions(), "nobody is asked about it any more"


async def test_two_accounts_that_answer_to_one_key_are_left_to_a_person(make_office: MakeOffice) -> None:
    """Twilio tells identities apart by case: both are there, and neither was made by syncd."""
    one = await make_office().opened()
    service = one.twilio.service()
    strangers = [service.create("P13@corp.example"), service.create("p13@Corp.Example")]
    report = await one.run()
    assert not report.failed and result(report).held == 1
    assert "match by" in one.pending()[0][2]
    assert [service.users[each["sid"]] for each in strangers] == strangers
    for each in strangers:
        service.delete(each["sid"])
    await one.recovers()
