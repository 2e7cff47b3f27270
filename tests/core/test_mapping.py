"""Attribute maps both ways, by their laws."""

import pytest
from core_strategies import same, texts
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.mapping import ReadMap, WriteMap, delta, found, inverse
from syncd.core.paths import clean, get, with_value
from syncd.core.source import compile_source
from syncd.errors import Rejected
from syncd.model import CANONICAL, Account, AttributeSpec, Capability, MapEntry, Mutability

SPECS = [
    AttributeSpec("identity", mutability=Mutability.IMMUTABLE, trusted=True, limit=256),
    AttributeSpec("friendly_name", limit=12),
    AttributeSpec("email", normalize=str.lower),
    AttributeSpec("attributes", kind="object", limit=4096),
    AttributeSpec("free", kind="object"),
    AttributeSpec("prefs", kind="object", normalize=lambda members: {name.lower(): value for name, value in members.items()}),
    AttributeSpec("labels", kind="set", limit=36, normalize=lambda members: [member.lower() for member in members]),
    AttributeSpec("status", kind="boolean"),
    AttributeSpec("level", kind="number"),
    AttributeSpec("alias", mutability=Mutability.WRITE_ONLY),
    AttributeSpec("online", kind="boolean", mutability=Mutability.READ_ONLY),
    AttributeSpec("description", carried=False),
]
CAPABILITY = Capability({spec.name: spec for spec in SPECS}, key="identity", marker="attributes.syncd")


def name(path, source, **more):
    return MapEntry(path, "name", source, **more)


def cel(path, text, **more):
    return MapEntry(path, "expr", text, **more)


def writing(*entries, canonical=CANONICAL):
    return WriteMap(entries, CAPABILITY, canonical)


def reading(*entries):
    return ReadMap(entries, CAPABILITY)


def applied(current, wanted):
    """What the provider keeps after a write: the asked values at their paths."""
    document = dict(current or {})
    for path, value in wanted.items():
        document = with_value(document, path, value)
    return document


EVERYTHING = (
    name("identity", "userName"),
    name("friendly_name", "displayName", on_create=True),
    name("email", "email", keep_empty=True),
    name("labels", "roles"),
    name("status", "active"),
    cel("attributes", '{"dept": department, "x": title}'),
    name("attributes.externalId", "externalId"),
    name("attributes.teams", "labels"),
    cel("free", '{"a": title}', replace=True),
    name("free.locale", "locale", keep_empty=True),
    name("free.once", "timezone", on_create=True),
)
short = texts.filter(lambda text: len(text) <= 6)
sets = st.lists(short, max_size=3)
people = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("userName", "displayName", "email", "department", "title", "externalId", "locale", "timezone"), st.none() | short),
        "roles": sets,
        "labels": sets,
        "active": st.booleans(),
    },
)
members = st.dictionaries(
    st.sampled_from(["dept", "x", "externalId", "teams", "theirs", "syncd", "locale", "a"]), st.none() | short | sets, max_size=4
)
accounts = st.fixed_dictionaries(
    {},
    optional={
        "identity": short,
        "friendly_name": short,
        "email": short,
        "labels": sets,
        "status": st.booleans(),
        "attributes": members | short,
        "free": members,
    },
)
WRITE = writing(*EVERYTHING)


# ---- laws -----------------------------------------------------------------------------------------------------------


@given(people, st.none() | accounts, people)
def test_what_was_applied_is_what_is_wanted(person, account, before):
    written = WRITE.ours(before, WRITE.wanted(before, None))
    wanted = WRITE.wanted(person, account, written)
    after = applied(account, wanted)
    again = WRITE.wanted(person, after, WRITE.ours(person, wanted))
    assert delta(found(after, wanted, CAPABILITY), wanted) == {}
    assert delta(found(after, again, CAPABILITY), again) == {}
    assert all(same(clean(wanted[path]), clean(again[path])) for path in again)


@given(people, people, accounts)
def test_the_delta_is_empty_when_and_only_when_nothing_differs(person, other, account):
    wanted, wanted_too = WRITE.wanted(person, account), WRITE.wanted(other, account)
    changed = delta(wanted, wanted_too)
    assert (changed == {}) == all(same(clean(wanted.get(path)), clean(wanted_too[path])) for path in wanted_too)
    assert all(not same(clean(one), clean(two)) for one, two in changed.values())
    assert delta(found(account, wanted, CAPABILITY), found(account, wanted, CAPABILITY)) == {}


@given(people, accounts)
def test_a_delta_applied_is_wanted_applied(person, account):
    wanted = WRITE.wanted(person, account)
    changed = {path: after for path, (_, after) in delta(found(account, wanted, CAPABILITY), wanted).items()}
    assert same(found(applied(account, changed), wanted, CAPABILITY), found(applied(account, wanted), wanted, CAPABILITY))


@given(people, accounts)
def test_what_others_put_there_stays(person, account):
    after = applied(account, WRITE.wanted(person, account))
    theirs = get(account, "attributes.theirs")
    assert same(clean(get(after, "attributes.theirs")), clean(theirs))
    assert {one.lower() for one in account.get("labels", []) if one} <= set(after.get("labels", [])) | {""}
    assert same(clean(get(after, "attributes.syncd")), clean(get(account, "attributes.syncd")))


@given(people)
def test_a_plain_entry_reads_back_as_its_inverse(person):
    entries = (
        name("identity", "userName"),
        name("attributes.team.externalId", "externalId"),
        name("labels", "roles"),
        name("status", "active"),
    )
    read = reading(*inverse(entries))
    once = read.read(Account("1", applied({}, writing(*entries).wanted(person, None))))
    assert same(read.read(Account("1", applied({}, writing(*entries).wanted(once, None)))), once)
    assert once.get("userName") == ((person.get("userName") or "").strip() or None)
    assert once["active"] is person.get("active", True)


@given(st.dictionaries(st.sampled_from(CANONICAL), texts | st.integers() | st.booleans() | sets))
def test_reading_is_idempotent(row):
    entries = [MapEntry(one, "first", one) for one in CANONICAL]
    read = ReadMap(entries, CAPABILITY, columns=True)
    try:
        once = read.read(Account("1", row))
    except Rejected:
        return
    assert same(read.read(Account("1", once)), once)


# ---- reading --------------------------------------------------------------------------------------------------------


def row(entries, columns):
    return ReadMap(entries, Capability({}), columns=True).read(Account("7", columns))


def test_types_of_canonical_attributes():
    entries = [name(one, one) for one in ("userName", "roles", "active", "phone", "costCenter")]
    columns = {"userName": " Ann ", "roles": "b; a;;b ", "active": "No", "phone": 331234, "costCenter": True}
    assert row(entries, columns) == {"userName": "Ann", "roles": ["a", "b"], "active": False, "phone": "331234", "costCenter": "true"}


@pytest.mark.parametrize("nothing", [None, "", "  ", [], {}])
def test_nothing_is_read_as_nothing(nothing):
    assert row([name("title", "t")], {"t": nothing}) == {}


@pytest.mark.parametrize("nothing", [" ; ", ["", " "]])
def test_a_set_of_nothing_is_nothing(nothing):
    assert row([name("roles", "r")], {"r": nothing}) == {}


@pytest.mark.parametrize(
    ("entry", "value", "why"),
    [
        (name("active", "x"), "maybe", "^active: text that is none of true, false, 1, 0, yes and no$"),
        (name("title", "x"), ["secret"], "^title: a list where text is expected$"),
        (name("roles", "x"), {"secret": 1}, "^roles: an object where text is expected$"),
        (name("title", "x"), "secret\0", "^title: holds a NUL character$"),
        (name("title", "y"), "secret", "^title: column y is missing$"),
        (cel("title", 'row["y"]'), "secret", '^title: Key not found in map : "y"$'),
        (cel("title", 'row["x"]'), "secret\0", "^column x: holds a NUL character$"),
    ],
)
def test_what_cannot_be_read_is_rejected_by_name_without_its_value(entry, value, why):
    with pytest.raises(Rejected, match=why):
        row([entry], {"x": value})


def test_the_first_alternative_that_has_a_value():
    entry = MapEntry("userName", "first", "userName, email,id")
    assert row([entry], {"userName": "", "email": "a@b"}) == {"userName": "a@b"}
    assert row([entry], {}) == {"userName": "7"}
    assert row([entry], {"id": "from the column"}) == {"userName": "from the column"}
    assert row([MapEntry("title", "first", "t,u")], {}) == {}


def test_columns_are_names_not_paths():
    assert row([name("title", "job.title")], {"job.title": "Lead", "job": {"title": "no"}}) == {"title": "Lead"}


def test_expressions_see_the_row_as_a_csv_file_would_hold_it():
    columns = {"First Name": "Ann", "n": 5, "none": None, "set": ["b", "a"], "deep": {"a": [1]}, "yes": True}
    entries = [
        cel("displayName", 'row["First Name"] + row["n"] + row["none"]'),
        cel("roles", 'row["set"]'),
        cel("title", 'row["deep"] + row["yes"]'),
        cel("active", 'row["yes"] == "true"'),
    ]
    assert row(entries, columns) == {"displayName": "Ann5", "roles": ["a", "b"], "title": '{"a":[1]}true', "active": True}


def test_words_from_an_expression_become_a_boolean():
    assert row([cel("active", 'row["x"]')], {"x": "no"}) == {"active": False}


def test_accounts_are_read_by_path_and_by_expression():
    account = Account("US1", {"identity": "ann", "attributes": {"team": {"name": "x"}}, "labels": ["b", "a"], "status": False, "level": 2})
    read = reading(
        name("externalId", "id"),
        name("department", "attributes.team.name"),
        name("labels", "labels"),
        cel("displayName", "upper(identity) + email + string(level)"),
        cel("title", 'status ? "on" : "off"'),
    )
    assert read.read(account) == {"externalId": "US1", "department": "x", "labels": ["a", "b"], "displayName": "ANN2", "title": "off"}


def test_tables_and_defaults():
    entry = name("title", "x", table={"A": "Lead", "true": "Yes", "": "None"})
    assert row([entry], {"x": "A"}) == {"title": "Lead"}
    assert row([entry], {"x": True}) == {"title": "Yes"}
    assert row([entry], {"x": ""}) == {"title": "None"}
    with pytest.raises(Rejected, match=r"^title: 'B' is not in its map, and the map has no default$"):
        row([entry], {"x": "B"})
    assert row([name("title", "x", table={"A": "Lead"}, default="Rest", has_default=True)], {"x": "B"}) == {"title": "Rest"}
    assert row([name("title", "x", table={"A": "Lead"}, default="Rest", has_default=True)], {"x": None}) == {"title": "Rest"}
    assert row([name("title", "x", table={"A": "Lead"})], {"x": None}) == {}
    assert row([name("title", "x", default="Rest", has_default=True)], {"x": None}) == {"title": "Rest"}
    assert row([name("title", "x", default="Rest", has_default=True)], {"x": "kept"}) == {"title": "kept"}
    assert row([name("title", "x", default="", has_default=True)], {"x": None}) == {}


def test_a_table_maps_a_set_member_by_member():
    entry = name("roles", "x", table={"a": "admin", "u": "user"})
    assert row([entry], {"x": ["u", "a"]}) == {"roles": ["admin", "user"]}
    with pytest.raises(Rejected, match="'z' is not in its map"):
        row([entry], {"x": ["u", "z"]})


def test_a_table_takes_any_answer_of_an_expression():
    assert row([cel("title", "size(row) > 1", table={"true": "many", "false": "one"})], {"x": "1"}) == {"title": "one"}


def test_a_literal():
    assert row([MapEntry("title", "value", value="Guest")], {}) == {"title": "Guest"}


def test_inverse_takes_plain_names_only():
    entries = [
        name("identity", "userName", where="a:1:1"),
        name("attributes.login", "userName"),
        name("email", "email", keep_empty=True),
        name("friendly_name", "displayName", table={"a": "b"}),
        name("alias", "title", default="x", has_default=True),
        name("labels", "roles", own="corp*"),
        cel("status", "active"),
        MapEntry("level", "value", value=1),
    ]
    assert inverse(entries) == (name("userName", "identity", where="a:1:1"), name("email", "email"))


def test_sources_keep_their_entry():
    entry = name("title", "t")
    assert compile_source(entry, {}, "string").entry is entry
