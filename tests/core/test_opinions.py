"""Where a target is asked, and what of its answers counts."""

from __future__ import annotations

from typing import Any

import pytest

from syncd.core.opinions import Opinions, contributed, echoing, trustworthy
from syncd.errors import Rejected
from syncd.model import Account, AttributeSpec, Capability, Connection, MapEntry, Mutability, Target

CAPABILITY = Capability(
    attributes={
        spec.name: spec
        for spec in (
            AttributeSpec("key", mutability=Mutability.IMMUTABLE, trusted=True),
            AttributeSpec("name"),
            AttributeSpec("mail", trusted_if="proven"),
            AttributeSpec("proven", "boolean"),
            AttributeSpec("tags", "set"),
            AttributeSpec("extra", "object"),
            AttributeSpec("secret", mutability=Mutability.WRITE_ONLY),
            AttributeSpec("rare", carried=False),
        )
    },
)


def plain(name: str, source: str, **more: Any) -> MapEntry:
    return MapEntry(name, "name", source, **more)


def connection(*write: MapEntry, read: tuple[MapEntry, ...] = (), explicit: frozenset[str] = frozenset()) -> Connection:
    return Connection("app", "x", {}, "app", read=read, explicit=explicit, write=Target(attributes=write))


def test_the_configured_entry_comes_before_the_inverse_and_that_before_the_default() -> None:
    default, own = plain("phone", "extra.old"), plain("phone", "extra.mine")
    assert contributed("phone", connection(read=(default,)), CAPABILITY) == default
    assert contributed("phone", connection(plain("name", "phone"), read=(default,)), CAPABILITY).text == "name"
    one = connection(plain("name", "phone"), read=(own,), explicit=frozenset({"phone"}))
    assert contributed("phone", one, CAPABILITY) == own


@pytest.mark.parametrize(
    "write",
    [
        MapEntry("name", "expr", "lower(phone)"),
        MapEntry("name", "value", value="x"),
        plain("name", "title"),
        plain("name", "phone", table={"a": "b"}),
        plain("name", "phone", has_default=True),
    ],
)
def test_what_is_written_from_something_else_is_never_read_back(write: MapEntry) -> None:
    one = connection(write, read=(plain("phone", "name"),))
    with pytest.raises(Rejected, match="writes name from something else than phone alone"):
        contributed("phone", one, CAPABILITY)


def test_an_object_and_its_members_are_one_place() -> None:
    whole = MapEntry("extra", "expr", '{"phone": title}')
    with pytest.raises(Rejected, match="writes extra from something else"):
        contributed("phone", connection(whole, read=(plain("phone", "extra.phone"),)), CAPABILITY)
    first = MapEntry("phone", "first", "extra.a, name")
    with pytest.raises(Rejected, match="writes name from something else"):
        contributed("phone", connection(plain("name", "title"), read=(first,)), CAPABILITY)


@pytest.mark.parametrize("path", ["secret", "rare"])
def test_what_no_listing_shows_cannot_be_asked_for(path: str) -> None:
    with pytest.raises(Rejected, match=f"no listing of app shows {path}"):
        contributed("phone", connection(plain(path, "phone")), CAPABILITY)


def test_nothing_that_says_it() -> None:
    with pytest.raises(Rejected, match="nothing at app is read as phone"):
        contributed("phone", connection(), CAPABILITY)


def test_a_value_that_cannot_be_read_is_none_and_keeps_no_other_from_counting() -> None:
    opinions = Opinions([plain("phone", "extra.phone"), plain("title", "name"), plain("activeFrom", "extra.from")], CAPABILITY)
    said = opinions.read(Account("1", {"extra": {"phone": {"a": 1}, "from": "soon"}, "name": " Chef "}))
    assert said == {"title": "Chef"}
    assert opinions.read(Account("1", {"extra": {"from": "2026-01-01"}})) == {"activeFrom": "2026-01-01"}


def test_what_its_holder_has_yet_to_prove_does_not_count() -> None:
    opinions = Opinions([plain("email", "mail")], CAPABILITY)
    assert opinions.read(Account("1", {"mail": "a@b"})) == {}
    assert opinions.read(Account("1", {"mail": "a@b", "proven": True})) == {"email": "a@b"}
    assert opinions.asked("1", {}, {"mail": "a@b"}) == {"email": "a@b"}, "what syncd writes is an echo, proven or not"


def test_what_an_account_will_say() -> None:
    opinions = Opinions([plain("phone", "extra.phone"), plain("roles", "tags")], CAPABILITY)
    assert opinions.asked("1", {"extra": {"phone": "1", "b": 2}}, {"extra.phone": "3", "tags": ["b", "a"]}) == {
        "phone": "3", "roles": ["a", "b"]
    }  # fmt: skip
    assert opinions.asked("1", {"extra": {"phone": "1"}}, {"extra.phone": None}) == {}
    assert opinions.touched(["extra", "name"]) == {"phone"}
    assert opinions.touched(["extra.phone.x", "tags"]) == {"phone", "roles"}
    assert opinions.touched(["extra.b"]) == frozenset()


def test_whom_to_trust() -> None:
    found = {path: trustworthy(plain("x", path), CAPABILITY) for path in ("key", "mail", "name", "extra.a", "nowhere")}
    assert found == {"key": True, "mail": True, "name": False, "extra.a": False, "nowhere": False}
    assert not trustworthy(MapEntry("x", "expr", "key"), CAPABILITY)


def test_what_comes_back_is_what_is_written_as_it_is() -> None:
    one = connection(plain("name", "phone"), plain("mail", "email", table={}))
    assert echoing(plain("phone", "name"), one)
    assert not echoing(plain("email", "mail"), one) and not echoing(plain("title", "name"), one)
