"""Records to accounts: declared attributes of their declared types, and whatever bytes come, an account or a named refusal."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.connectors.answer import Answer
from syncd.connectors.pages import PageDecoder
from syncd.connectors.records import Reader
from syncd.connectors.retry import Malformed
from syncd.connectors.tables import Call, Listing, NextUrl, Table
from syncd.connectors.twilio import table
from syncd.errors import Quarantined, Rejected
from syncd.model import Account, AttributeSpec, Capability

SPECS = [
    AttributeSpec("name"),
    AttributeSpec("active", "boolean"),
    AttributeSpec("age", "number"),
    AttributeSpec("labels", "set"),
    AttributeSpec("meta", "object"),
    AttributeSpec("online", "boolean", carried=False),
]
CALL = Call("GET", "/users")
TABLE = Table(
    capability=Capability(attributes={one.name: one for one in SPECS}, key="name"),
    id="id",
    version="changed",
    listing=Listing(CALL, "users", NextUrl("meta", "next", "token")),
    fetch=CALL,
    create=CALL,
    updates=(),
    delete=CALL,
)
READER = Reader(TABLE)
WHOLE = {"id": "1", "name": "Ada", "active": True, "age": 1.5, "labels": ["x"], "meta": {"a": [1]}, "changed": "2026"}
TWILIO = Reader(table(None))
PAGES = PageDecoder("users", ("meta",), "sid")
USER = {"sid": "US1", "identity": "ada", "friendly_name": "Zoë", "attributes": '{"a": {"b": "\\u00e9"}}', "date_updated": "2026"}
PAGE = json.dumps({"meta": {"next_page_url": None}, "users": [USER, {**USER, "sid": "US2", "attributes": "{}"}]}).encode()


def parse(**changes: Any) -> Account:
    return READER.parse(orjson.dumps({**WHOLE, **changes}))


def test_declared_attributes_are_kept_and_nothing_else() -> None:
    account = parse(password="$2b$hash", online=True)
    assert account.id == "1"
    assert account.version == "2026"
    assert account.attributes == {name: WHOLE[name] for name in ("name", "active", "age", "labels", "meta")}


def test_absent_is_not_carried_and_null_is_no_value() -> None:
    account = READER.parse(b'{"id":"1","name":"Ada","age":null,"changed":7}')
    assert account.attributes == {"name": "Ada", "age": None}
    assert account.version is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"active": 1}, "'active' is a number, not a boolean"),
        ({"active": "true"}, "'active' is a text"),
        ({"age": True}, "'age' is a boolean, not a number"),
        ({"labels": {}}, "'labels' is an object, not a set"),
        ({"meta": []}, "'meta' is an array, not a object"),
        ({"name": None}, "has no 'name'"),
    ],
)
def test_a_wrong_type_rejects_the_record_and_names_its_account(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Rejected, match=said) as caught:
        parse(**changes)
    assert caught.value.account == "1"


@pytest.mark.parametrize("changes", [{"id": 1}, {"id": None}, {"id": ""}, {"id": ["1"]}, {"name": 7}, {"name": ["Ada"]}])
def test_a_drifting_id_or_key_stops_the_connection(changes: dict[str, Any]) -> None:
    with pytest.raises(Quarantined, match="format has changed"):
        parse(**changes)
    with pytest.raises(Quarantined):
        READER.parse(b"[]")


def test_an_unreadable_record_is_rejected_under_its_id() -> None:
    with pytest.raises(Rejected, match="cannot be kept") as caught:
        READER.parse(b'{"name":"\\ud800","id":"7"}')
    assert caught.value.account == "7"


def test_a_whole_answer_is_an_account_or_malformed() -> None:
    def answered(body: bytes) -> Account:
        return READER.answered(Answer(200, {}, body))

    assert answered(orjson.dumps(WHOLE)).id == "1"
    for body in (b"", b"[]", b"null", b'{"code":1,"message":"no"}', b'{"id":"1","name":"A', b"{}"):
        with pytest.raises(Malformed):
            answered(body)
    with pytest.raises(Rejected) as caught:
        answered(b' {"id":"7","name":"\\ud800"}\n')
    assert caught.value.account == "7"


mutations = st.lists(
    st.tuples(st.integers(0, len(PAGE) - 1), st.sampled_from([b"", b'"', b"\\", b"{", b"]", b"\xff", b"0", b"\x00", b"\\ud8"])), max_size=4
)


@settings(max_examples=300)
@given(mutations)
def test_whatever_becomes_of_a_page_it_ends_in_accounts_and_named_refusals(changes: list[tuple[int, bytes]]) -> None:
    body = bytearray(PAGE)
    for place, replacement in changes:
        body[place : place + 1] = replacement
    try:
        slices = PAGES.decode(bytes(body))
    except Malformed:
        return
    for record in slices.records:
        try:
            account = TWILIO.parse(record)
        except (Rejected, Quarantined):
            continue
        orjson.dumps(account.attributes)
