"""Who is entitled, from when until when, and what forbids deletion."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from syncd.core.entitlement import Event, entitlement, retained, window
from syncd.core.expression import ExpressionError
from syncd.errors import Rejected

ZONES = ["UTC", "Europe/Paris", "America/Havana", "Africa/Cairo", "Asia/Kolkata", "Pacific/Apia"]
instants = st.integers(0, 4).map(lambda days: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=days))
edges = st.none() | instants


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ---- window ---------------------------------------------------------------------------------------------------------


@given(st.dates(date(1980, 1, 1), date(2040, 1, 1)), st.sampled_from(ZONES))
def test_a_day_ends_when_the_next_begins(day, zone):
    start, end = window(str(day), str(day), zone)
    assert end == window(str(day + timedelta(days=1)), None, zone)[0]
    assert start <= end


@given(st.dates(date(1980, 1, 1), date(2040, 1, 1)), st.sampled_from(ZONES))
def test_just_before_a_day_begins_it_is_the_day_before(day, zone):
    start, _ = window(str(day), None, zone)
    assert start.astimezone(ZoneInfo(zone)).date() >= day
    assert (start - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() < day or zone == "America/Havana"


@given(
    st.datetimes(datetime(1980, 1, 1), datetime(2040, 1, 1), timezones=st.sampled_from([UTC, ZoneInfo("Asia/Kolkata")])),
    st.sampled_from(ZONES),
)
def test_a_time_with_an_offset_is_taken_as_it_is(instant, zone):
    assert window(instant.isoformat(), instant.isoformat(), zone) == (instant, instant)


@pytest.mark.parametrize(
    ("text", "zone", "start", "end"),
    [
        ("2026-03-29", "Europe/Paris", "2026-03-28 23:00", "2026-03-29 22:00"),  # a day of 23 hours
        ("2026-10-25", "Europe/Paris", "2026-10-24 22:00", "2026-10-25 23:00"),  # a day of 25
        ("2023-04-28", "Africa/Cairo", "2023-04-27 22:00", "2023-04-28 21:00"),  # midnight does not exist
        ("2023-11-05", "America/Havana", "2023-11-05 04:00", "2023-11-06 05:00"),  # midnight happens twice
        ("2026-01-31T18:00", "Europe/Paris", "2026-01-31 17:00", "2026-01-31 17:00"),
        ("2026-01-31 18:00:00Z", "Europe/Paris", "2026-01-31 18:00", "2026-01-31 18:00"),
        ("20260131", "UTC", "2026-01-31 00:00", "2026-02-01 00:00"),
    ],
)
def test_days_and_times(text, zone, start, end):
    assert window(text, text, zone) == (utc(start), utc(end))


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_open_window(nothing):
    assert window(nothing, nothing, "UTC") == (None, None)


def test_for_ever_is_a_date_too():
    start, end = window("0001-01-01", "9999-12-31", "Asia/Kolkata")
    assert (start.year, end.year) == (1, 9999)
    assert window("9999-12-31T23:59-10:00", "0001-01-01T00:00+10:00", "UTC") == (end, start)


@pytest.mark.parametrize("text", ["31/12/2026", "tomorrow", "2026-02-30", "2026-13-01", "1767139200", "2026-01-01T25:00"])
def test_what_is_no_date_is_rejected_by_name(text):
    with pytest.raises(Rejected, match="activeFrom"):
        window(text, None, "UTC")
    with pytest.raises(Rejected, match="activeUntil"):
        window(None, text, "UTC")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../passwd", "", "Europe"])
def test_an_unknown_zone_is_rejected(zone):
    with pytest.raises(Rejected, match="time zone"):
        window("2026-01-01", None, zone)


# ---- entitlement ----------------------------------------------------------------------------------------------------


@given(st.booleans(), st.booleans(), st.booleans(), edges, edges, instants, st.integers(0, 96))
def test_the_answer_holds_until_it_is_due_and_changes_then(live, in_scope, active, start, end, now, later):
    def at(instant):
        return entitlement(live=live, in_scope=in_scope, active=active, start=start, end=end, now=instant)

    answer, due = at(now)
    then = now + timedelta(hours=later)
    assert due is None or due > now
    if due is None or then < due:
        assert at(then) == (answer, due)
    else:
        assert at(due)[0] != answer


@given(st.booleans(), st.booleans(), edges, edges, instants)
def test_entitled_is_all_of_them_together(in_scope, active, start, end, now):
    answer, _ = entitlement(live=True, in_scope=in_scope, active=active, start=start, end=end, now=now)
    inside = (start is None or start <= now) and (end is None or now < end)
    assert (answer is None) == (in_scope and active and inside)


@given(st.booleans(), st.booleans(), edges, edges, instants)
def test_departed_comes_first_and_inactive_before_out_of_scope(in_scope, active, start, end, now):
    assert entitlement(live=False, in_scope=in_scope, active=active, start=start, end=end, now=now) == (Event.DEPARTED, None)
    answer, _ = entitlement(live=True, in_scope=False, active=active, start=start, end=end, now=now)
    assume(not active)
    assert answer is Event.INACTIVE


@pytest.mark.parametrize(
    ("now", "answer", "due"),
    [
        ("2026-01-01", Event.INACTIVE, "2026-02-01"),
        ("2026-02-01", None, "2026-03-01"),
        ("2026-02-28", None, "2026-03-01"),
        ("2026-03-01", Event.INACTIVE, None),
    ],
)
def test_the_window_includes_its_start_and_not_its_end(now, answer, due):
    given_ = entitlement(live=True, in_scope=True, active=True, start=utc("2026-02-01"), end=utc("2026-03-01"), now=utc(now))
    assert given_ == (answer, due and utc(due))


def test_out_of_scope_still_ends():
    end = utc("2026-02-01")
    given_ = entitlement(live=True, in_scope=False, active=True, start=None, end=end, now=utc("2026-01-01"))
    assert given_ == (Event.OUT_OF_SCOPE, end)


def test_an_empty_window_is_never_due():
    day = utc("2026-02-01")
    assert entitlement(live=True, in_scope=True, active=True, start=day, end=day, now=utc("2026-01-01")) == (Event.INACTIVE, None)


# ---- retain ---------------------------------------------------------------------------------------------------------

NAMES = ["legalHold", "department", "active", "roles"]


@pytest.mark.parametrize("value", ["yes", "TRUE", "1", "case 12 / 2026", True, ["x"], 5, "a\0"])
def test_retained_by_an_attribute_that_says_so_or_cannot_be_read(value):
    assert retained("legalHold", {"legalHold": value}, NAMES) is True


@pytest.mark.parametrize("value", ["no", "false", "0", False, None, "", []])
def test_not_retained_by_an_attribute_that_says_no_or_nothing(value):
    assert retained("legalHold", {"legalHold": value}, NAMES) is False
    assert retained("legalHold", {}, NAMES) is False


def test_retained_by_an_expression():
    rule = 'legalHold != "" || department == "Law"'
    assert retained(rule, {"department": "Law"}, NAMES) is True
    assert retained(rule, {"department": "Sales"}, NAMES) is False


@pytest.mark.parametrize("rule", ['int(legalHold) > 3 && department == ""', 'roles[0] == "x"'])
def test_an_expression_without_an_answer_retains(rule):
    assert retained(rule, {}, NAMES) is True


def test_a_bad_expression_is_no_answer_at_all():
    with pytest.raises(ExpressionError):
        retained("legalHolt", {}, NAMES)
