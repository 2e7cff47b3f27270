"""What a write map wants of an account, by example."""

from datetime import date

import pytest
from core_strategies import same
from test_mapping import CAPABILITY, applied, cel, name, writing

from syncd.core.mapping import WriteMap, delta, found
from syncd.errors import Refused, Rejected
from syncd.model import AttributeSpec, Capability, MapEntry


def wanted(entry, person, current=None, written=None):
    return writing(entry).wanted(person, current, written)


def test_values_take_the_form_of_the_provider():
    write = writing(
        name("identity", "userName"),
        name("email", "email"),
        name("labels", "roles"),
        name("status", "active"),
        name("level", "title"),
        name("attributes.team", "department"),
        cel("friendly_name", 'displayName + "!"'),
    )
    person = {"userName": "Ann", "email": "Ann@B.example", "roles": ["Lead", "a"], "title": "7", "displayName": "Ann"}
    assert write.wanted(person, None) == {
        "attributes.team": None,
        "email": "ann@b.example",
        "friendly_name": "Ann!",
        "identity": "Ann",
        "labels": ["a", "lead"],
        "level": 7,
        "status": True,
    }


def test_active_is_always_a_boolean():
    for person in ({}, {"active": None}, {"active": ""}):
        assert wanted(name("status", "active"), person) == {"status": True} == wanted(cel("status", "active"), person)
    assert wanted(name("status", "active"), {"active": False}) == {"status": False}


def test_set_once():
    entry = name("friendly_name", "displayName", on_create=True)
    assert wanted(entry, {"displayName": "Ann"}) == {"friendly_name": "Ann"}
    assert wanted(entry, {"displayName": "Ann"}, {}) == {}
    assert wanted(entry, {"displayName": "much too long a name"}, {}) == {}


def test_empty_clears_unless_kept():
    assert wanted(name("email", "email"), {}, {"email": "x"}) == {"email": None}
    kept = name("email", "email", keep_empty=True)
    assert wanted(kept, {}, {"email": "x"}) == {} == wanted(kept, {})
    assert wanted(kept, {"email": "y"}, {"email": "x"}) == {"email": "y"}


def test_members_of_others_stay_in_a_set():
    entry = name("labels", "roles")
    assert wanted(entry, {"roles": ["a"]}, {"labels": ["theirs", "old"]}, {"labels": ["old"]}) == {"labels": ["a", "theirs"]}
    assert wanted(entry, {"roles": ["a"]}, {"labels": ["theirs", "old"]}) == {"labels": ["a", "old", "theirs"]}
    assert wanted(entry, {}, {"labels": ["a"]}, {"labels": ["a"]}) == {"labels": None}


def test_own_members_by_glob():
    entry = name("labels", "roles", own="corp*")
    assert wanted(entry, {"roles": ["corp-a", "x"]}, {"labels": ["corp-b", "theirs"]}) == {"labels": ["corp-a", "theirs", "x"]}


def test_replace_owns_the_whole_list():
    assert wanted(name("labels", "roles", replace=True), {"roles": ["a"]}, {"labels": ["theirs"]}) == {"labels": ["a"]}


def test_a_canonical_set_is_shared_as_a_member_too():
    entry = name("attributes.teams", "labels")
    assert wanted(entry, {"labels": ["b", "a"]}, {"attributes": {"teams": ["z", "old"]}}, {"attributes.teams": ["old"]}) == {
        "attributes.teams": ["a", "b", "z"]
    }


def test_other_members_are_ours_alone():
    entry = cel("attributes.teams", '["b", department]')
    assert wanted(entry, {"department": "a"}, {"attributes": {"teams": ["theirs"]}}) == {"attributes.teams": ["a", "b"]}


def test_an_object_is_shared_by_member():
    entry = cel("attributes", '{"team": department}')
    current = {"attributes": {"theirs": {"deep": ""}, "gone": 1, "team": "old"}}
    assert same(
        wanted(entry, {"department": "x"}, current, {"attributes": {"gone": 1}}), {"attributes": {"theirs": {"deep": ""}, "team": "x"}}
    )


def test_an_object_takes_the_form_of_the_provider_whatever_was_there():
    entry = cel("prefs", '{"Team": department}')
    assert wanted(entry, {"department": "x"}, {"prefs": ["list"]}) == {"prefs": {"team": "x"}}
    assert wanted(entry, {"department": "x"}, {"prefs": {"theirs": 1}}) == {"prefs": {"team": "x", "theirs": 1}}
    assert found({"prefs": {"Team": "x"}}, ["prefs", "prefs.Team"], CAPABILITY) == {"prefs": {"team": "x"}, "prefs.Team": "x"}


def test_a_replaced_object_keeps_its_own_entries_and_our_marker():
    write = writing(
        cel("attributes", '{"team": department}', replace=True),
        name("attributes.externalId", "externalId"),
        name("attributes.once", "title", on_create=True),
    )
    current = {"attributes": {"syncd": "prod:1", "theirs": 1, "once": "first"}}
    asked = write.wanted({"department": "x", "externalId": "7", "title": "now"}, current)
    assert asked == {"attributes": {"team": "x", "externalId": "7", "once": "first", "syncd": "prod:1"}, "attributes.externalId": "7"}
    assert delta(found(applied(current, asked), asked, CAPABILITY), asked) == {}
    assert write.wanted({}, None)["attributes"] is None


def test_entries_nest():
    write = writing(
        cel("attributes", '{"team": {"size": title}, "x": title}', replace=True),
        cel("attributes.team", '{"lead": department}'),
        name("attributes.team.name", "organization"),
        name("attributes.x.y", "locale"),
    )
    team = {"lead": "Ann", "name": "Blue"}
    assert write.wanted({"title": "1", "department": "Ann", "organization": "Blue"}, None) == {
        "attributes": {"team": team, "x": "1"},
        "attributes.team": team,
        "attributes.team.name": "Blue",
        "attributes.x.y": None,
    }


def test_text_has_no_members_to_complete():
    write = writing(cel("attributes.team", "department"), name("attributes.team.name", "organization"))
    assert write.wanted({"department": "x"}, None)["attributes.team"] == "x"


def test_a_provider_without_a_marker():
    write = WriteMap([cel("prefs", '{"a": title}', replace=True)], Capability({"prefs": AttributeSpec("prefs", kind="object")}), ["title"])
    assert write.wanted({"title": "x"}, {"prefs": {"b": 1}}) == {"prefs": {"a": "x"}}


def test_parents_come_before_their_members():
    write = writing(name("attributes.a", "title"), cel("attributes", '{"b": title}'))
    assert list(write.wanted({"title": "x"}, None)) == ["attributes", "attributes.a"]


@pytest.mark.parametrize(
    ("entry", "person", "why"),
    [
        (name("friendly_name", "displayName"), {"displayName": "x" * 300}, "^friendly_name: 300 characters, the limit is 12$"),
        (name("labels", "roles"), {"roles": ["a", "x" * 37]}, "^labels: 37 characters, the limit is 36$"),
        (name("friendly_name", "displayName"), {"displayName": "a\0"}, "^friendly_name: holds a NUL character$"),
        (name("attributes.a", "displayName"), {"displayName": "\ud800"}, "^attributes.a: holds half a surrogate pair$"),
        (name("email", "roles"), {"roles": ["a"]}, "^email: a list where text is expected$"),
        (name("status", "title"), {"title": "perhaps"}, "^status: text that is none of"),
        (cel("friendly_name", "email.substring(5)"), {}, "^friendly_name: .*substring"),
        (cel("friendly_name", '{"a": email}["b"]'), {}, "^friendly_name: Key not found"),
        (name("friendly_name", "title", table={"A": "1"}), {"title": "B"}, "^friendly_name: 'B' is not in its map"),
    ],
)
def test_what_cannot_be_written_is_rejected_by_name(entry, person, why):
    with pytest.raises(Rejected, match=why):
        wanted(entry, person)


def test_a_value_at_the_limit_is_not_over_it():
    assert wanted(name("friendly_name", "displayName"), {"displayName": "é" * 12}) == {"friendly_name": "é" * 12}


def test_an_object_over_its_limit_by_the_size_of_all_of_it():
    write = writing(name("attributes.a", "title"))
    room = 4096 - len('{"b":"","a":"é"}'.encode())
    current = {"attributes": {"b": "x" * room}}
    assert write.oversize(current, {"attributes.a": "é"}) is None
    assert write.oversize(current, {"attributes.a": "éé"}) == "attributes: 4098 bytes, the limit is 4096"
    assert write.oversize(None, {"attributes.a": "x" * 4096, "attributes.syncd": "m"}) == "attributes: 4116 bytes, the limit is 4096"
    assert write.oversize(None, {"free.a": "x" * 9000}) is None
    assert write.wanted({"title": "x" * 5000}, None) == {"attributes.a": "x" * 5000}


def test_only_objects_are_measured_in_bytes_and_whatever_they_hold():
    write = writing(name("friendly_name", "displayName"))
    assert write.oversize(None, {"friendly_name": "x" * 12}) is None
    assert write.oversize({"attributes": {"theirs": "\ud800"}}, {"attributes.a": "x"}) is None


def test_members_are_added_to_the_object_whatever_order_they_come_in():
    asked = {"attributes.a": "x" * 5000, "attributes": {"b": 1}}
    assert writing(name("attributes.a", "title")).oversize(None, asked) == "attributes: 5014 bytes, the limit is 4096"


def test_an_object_that_stays_as_it_is_is_never_too_large():
    write = writing(name("attributes.a", "title"))
    current = {"attributes": {"a": "1", "b": "x" * 5000}}
    assert write.oversize(current, {"attributes.a": "1", "friendly_name": "x"}) is None
    assert write.oversize(current, {"attributes.a": None}) is not None


def test_what_is_immutable_and_what_cannot_be_read_back():
    write = writing(name("identity", "userName"), name("alias", "title"), name("description", "title"), name("attributes.a", "title"))
    assert write.immutable == {"identity"}
    assert write.hidden == {"alias", "description"}


def test_what_is_shared_with_others():
    write = writing(
        name("labels", "roles"),
        name("attributes.a", "labels"),
        name("attributes.b", "title"),
        cel("free", '{"a": title}'),
        name("email", "email"),
    )
    assert write.shared == {"labels", "attributes.a", "free"}
    assert writing(name("labels", "roles", replace=True)).shared == set()


def test_what_we_alone_want():
    write = writing(name("labels", "roles"), cel("attributes", '{"a": title}'), name("friendly_name", "displayName", on_create=True))
    assert write.ours({"roles": ["b", "a"], "displayName": "much too long a name"}, ["labels", "attributes"]) == {
        "labels": ["a", "b"],
        "attributes": None,
    }


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (name("freindly_name", "title"), "unknown attribute 'freindly_name'\n  did you mean 'friendly_name'?"),
        (name("zzz.a", "title"), "unknown attribute 'zzz.a'"),
        (name("online", "active"), "online is read-only"),
        (name("email", "emial"), "email: unknown name 'emial'\n  did you mean 'email'?"),
        (MapEntry("email", "first", "email, zzz"), "email: unknown name 'zzz'"),
        (cel("email", "emial"), "email: unknown name 'emial'; did you mean 'email'? (at 1:1)"),
        (cel("email", "active"), "email: gives bool where string is needed (at 1:1)"),
        (cel("status", "email"), "status: gives string where bool is needed (at 1:1)"),
        (MapEntry("status", "value", value="perhaps"), "status: text that is none of true, false, 1, 0, yes and no"),
        (MapEntry("friendly_name", "value", value="x" * 13), "friendly_name: 13 characters, the limit is 12"),
        (name("level", "title", default="high", has_default=True), "level: text where a number is expected"),
        (name("friendly_name", "title", table={"a": ["b"]}), "friendly_name: a list where text is expected"),
        (MapEntry("attributes.a", "value", value=date(2026, 1, 1)), "attributes.a: a date is not a JSON value"),
        (MapEntry("attributes", "value", value="x"), "attributes: text where an object is expected"),
    ],
)
def test_an_entry_that_can_never_work_is_refused_where_it_stands(entry, message):
    with pytest.raises(Refused) as caught:
        writing(MapEntry(**{field: getattr(entry, field) for field in entry.__slots__} | {"where": "syncd.yaml:3:7"}))
    assert str(caught.value) == f"syncd.yaml:3:7: {message}"


def test_literals_are_typed():
    assert wanted(MapEntry("status", "value", value=False), {}) == {"status": False}
    assert wanted(MapEntry("level", "value", value=2), {}) == {"level": 2}
    assert wanted(MapEntry("attributes.a", "value", value={"b": ["z", "y"]}), {}) == {"attributes.a": {"b": ["z", "y"]}}
    assert wanted(name("level", "title", table={"A": "", "B": None, "C": 3}), {"title": "A"}) == {"level": None}
    assert wanted(name("level", "title", default="", has_default=True), {}) == {"level": None}
    assert wanted(name("status", "title", table={"A": True}, default=False, has_default=True), {"title": "B"}) == {"status": False}


# ---- what is found ---------------------------------------------------------------------------------------------------


def test_found_is_in_the_form_that_is_wanted():
    current = {
        "email": "Ann@B.example",
        "labels": ["B", "a", "b"],
        "attributes": {"teams": ["z", "y"], "team": "", "list": [2, 1]},
        "level": 2.0,
        "further": [2, ""],
    }
    paths = ["email", "labels", "attributes.teams", "attributes.team", "attributes.list", "level", "friendly_name", "unknown", "further"]
    assert found(current, paths, CAPABILITY) == {
        "email": "ann@b.example",
        "labels": ["a", "b"],
        "attributes.teams": ["y", "z"],
        "attributes.team": None,
        "attributes.list": [2, 1],
        "level": 2,
        "friendly_name": None,
        "unknown": None,
        "further": [2, ""],
    }


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("email", 5, 5),
        ("labels", "a", "a"),
        ("status", "true", "true"),
        ("status", 1, 1),
        ("attributes", "text", "text"),
        ("level", True, True),
    ],
)
def test_a_value_of_another_type_stays_and_so_differs(path, value, kept):
    assert same(found({path: value}, [path], CAPABILITY), {path: kept})


def test_what_cannot_be_stored_is_found_and_repaired():
    current = {"attributes": {"externalId": "7\0"}, "friendly_name": "\ud800"}
    seen = found(current, ["attributes.externalId", "friendly_name"], CAPABILITY)
    assert delta(seen, {"attributes.externalId": "7"}) == {"attributes.externalId": (r"<holds a NUL character: '7\x00'>", "7")}
    assert delta(seen, {"friendly_name": None}) == {"friendly_name": (r"<holds half a surrogate pair: '\ud800'>", None)}


def test_a_difference_that_python_does_not_see():
    assert delta({"a": True}, {"a": 1}) == {"a": (True, 1)}
    assert delta({"a": {"x": 1.0, "y": None}}, {"a": {"x": 1}}) == {}
    assert delta({}, {"a": None, "b": "x"}) == {"b": (None, "x")}
