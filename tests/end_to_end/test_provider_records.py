"""Records that cannot be kept, at the target and at the source: the bad one is shown, the others go on, nobody leaves because of it."""

from __future__ import annotations

import pytest

from syncd.sandbox.faults import ALWAYS
from tests.end_to_end.conftest import MakeOffice
from tests.end_to_end.office import NEWCOMER, Faulty, result

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]

ROLES = {"target": False, "source": True}
POISON: Faulty = {
    "NaN": ("nan", "unexpected character"),
    "nested 100,000 deep": ("deep", "depth limit exceeded"),
    "integer of 5,000 digits": ("huge", "infinity when parsed as double"),
    "lone surrogate": ("surrogate", "surrogate"),
    "NUL": ("nul", "a text holds NUL"),
    "friendly name a number": ("drift;field=friendly_name", "'friendly_name' is a number, not a string"),
    "attributes a list": ("literal;field=attributes;value=%22[1]%22", "'attributes' holds an array, not a JSON object"),
    "attributes no JSON": ("literal;field=attributes;value=%22{%22", "the JSON in 'attributes' cannot be kept"),
    "attributes an object": ("literal;field=attributes;value={}", "'attributes' is an object, not JSON text"),
    "attributes with NaN": ('literal;field=attributes;value=%22{\\"a\\":NaN}%22', "the JSON in 'attributes' cannot be kept"),
    "attributes with NUL": ('literal;field=attributes;value=%22{\\"a\\":\\"\\\\u0000\\"}%22', "a text holds NUL"),
    "identity missing": ("missing", "has no 'identity'"),
    "identity with NUL": ("nul;field=identity", "a text holds NUL"),
}
CASES = {f"{name} at the {role}": (spec, cause, directory) for name, (spec, cause) in POISON.items() for role, directory in ROLES.items()}


@pytest.mark.parametrize(("spec", "cause", "directory"), CASES.values(), ids=CASES)
async def test_one_poisoned_record_is_rejected_and_the_others_go_on(
    make_office: MakeOffice, spec: str, cause: str, directory: bool
) -> None:
    """The last record of the second page, that of somebody who has not left."""
    one = await make_office(directory=directory).opened()
    kind, _, params = spec.partition(";")
    (one.source or one.sandbox).faults = f"{kind}@page:1;{params}" if params else f"{kind}@page:1"
    report = await one.run()
    ((state, _, reason),) = one.pending()
    assert state == "rejected" and cause in reason
    assert not report.failed and result(report, "people" if directory else "chat").rejected == 1
    assert one.accounts() == one.wanted, "the leavers are gone, the newcomer is there, nobody else left"
    await one.recovers()


@pytest.mark.parametrize("directory", ROLES.values(), ids=ROLES)
@pytest.mark.parametrize("field", ["attributes", "friendly_name"])
async def test_a_record_that_lacks_a_field_keeps_what_is_known_of_it(make_office: MakeOffice, field: str, directory: bool) -> None:
    one = await make_office(directory=directory).opened()
    (one.source or one.sandbox).faults = f"missing@page:1;field={field}"
    report = await one.run()
    assert (report.converged, one.pending()) == (True, [])
    assert one.accounts() == one.wanted
    assert result(report, "chat").applied == {"create": 1, "adopt": 0, "update": 1, "disable": 0, "delete": 2}
    await one.recovers()


NAMELESS: Faulty = {
    "NaN for its id": ("nan@page:1;field=sid", "record 5 of its page: unexpected character"),
    "huge integer for its id": ("huge@page:1;field=sid", "record 10: the record cannot be kept: number is infinity"),
}


@pytest.mark.parametrize("directory", ROLES.values(), ids=ROLES)
@pytest.mark.parametrize(("spec", "cause"), NAMELESS.values(), ids=NAMELESS)
async def test_a_poisoned_record_that_names_nobody_may_be_anybodys(make_office: MakeOffice, spec: str, cause: str, directory: bool) -> None:
    one = await make_office(directory=directory).opened()
    (one.source or one.sandbox).faults = spec
    report = await one.run()
    assert report.failed and cause in result(report, "people" if directory else "chat").error
    assert one.deletions() == [] and NEWCOMER in one.accounts()
    await one.recovers()


DRIFT: Faulty = {
    "identity a number": ("drift@list", "'identity' is a number, not a string: the provider's format has changed"),
    "identity an object": ("literal@list;field=identity;value={}", "'identity' is an object, not a string"),
    "id a number": ("drift@list;field=sid", "'sid' is a number, not a text: the provider's format has changed"),
    "id missing": ("missing@page;field=sid", "'sid' is null, not a text"),
    "records that are texts": ("literal@list;field=sid;value=[]", "'sid' is an array, not a text"),
}


@pytest.mark.parametrize("directory", ROLES.values(), ids=ROLES)
@pytest.mark.parametrize(("spec", "cause"), DRIFT.values(), ids=DRIFT)
async def test_an_identity_that_changed_its_type_stops_the_connection_before_anything_is_sent(
    make_office: MakeOffice, spec: str, cause: str, directory: bool
) -> None:
    one = await make_office(directory=directory).opened()
    (one.source or one.sandbox).faults = f"{spec};times={ALWAYS}"
    writes = len(one.twilio.log)
    report = await one.run()
    assert report.failed and cause in result(report, "people" if directory else "chat").error
    assert one.deletions() == []
    if not directory:
        assert len(one.twilio.log) == writes and {each.operation for each in one.twilio.requests} == {"list"}
    await one.recovers()


ANSWERED = {
    "identity a number": "drift@update",
    "NaN": "nan@update",
    "of another account": "literal@update;field=sid;value=%22US0%22",
}


@pytest.mark.parametrize("spec", ANSWERED.values(), ids=ANSWERED)
async def test_an_answer_to_a_write_that_cannot_be_kept_is_not_believed(make_office: MakeOffice, spec: str) -> None:
    one = await make_office().opened()
    one.sandbox.faults = f"{spec};times={ALWAYS}"
    report = await one.run()
    assert result(report).error or result(report).rejected
    one.unharmed()
    await one.recovers()
