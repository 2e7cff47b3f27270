"""The door by which accounts enter."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.environment import stamp
from syncd.store import Store, connections, identities, links, staging, tombstones, whose
from tests.store.rows import HOUR, NOW, column, link, people, person, register, stage, staged


def keys(store: Store, row: int) -> set[tuple[str, str, bool]]:
    rows = store.rows("SELECT attribute, key, trusted FROM account_key WHERE account_id = :id", id=row)
    return {(one.attribute, one.key, bool(one.trusted)) for one in rows}


def dirty(store: Store) -> set[tuple[str, str]]:
    return {(row.connection, row.identity) for row in store.rows("SELECT connection, identity FROM dirty")}


def test_nothing_staged_is_nothing_stored(store: Store) -> None:
    assert staging.upsert(store, "app", []) == {}


def test_an_account_is_stored_once_with_what_was_seen_last(store: Store) -> None:
    first = staging.upsert(store, "app", [staged("a", 1, ("email", "x", True), ("userName", "y", False), version="1")])
    again = staging.upsert(
        store, "app", [staged("a", 7, ("email", "z", False), digest=b"new", document="{}", reading="[]", version="2", ignored=True)]
    )
    assert first == again
    row = store.one("SELECT * FROM account")
    assert row is not None
    assert (row.ordinal, row.digest, row.document, row.reading, row.version, row.ignored) == (7, b"new", "{}", "[]", "2", 1)
    assert keys(store, again["a"]) == {("email", "z", False)}


def test_a_listing_that_shows_an_account_twice_keeps_the_later_view(store: Store) -> None:
    twice = [staged("a", 0, ("email", "x", True)), staged("b", 1, ("email", "b", True)), staged("a", 2, ("email", "y", True), digest=b"2")]
    rows = staging.upsert(store, "app", twice)
    assert set(rows) == {"a", "b"}
    assert keys(store, rows["a"]) == {("email", "y", True)}
    assert column(store, "account", "digest", account="a") == [b"2"]


def test_connections_do_not_share_accounts(store: Store) -> None:
    app, chat = stage(store, "app", "a"), stage(store, "chat", "a")
    assert app != chat
    assert staging.row_ids(store, "app", ["a", "b"]) == app


def test_who_was_gone_is_back(store: Store) -> None:
    rows = stage(store, "app", "a")
    staging.gone(store, list(rows.values()), NOW)
    assert stage(store, "app", "a") == rows
    assert column(store, "account", "gone_at") == [None]


def test_known_digests_are_those_that_are_known(store: Store) -> None:
    rows = stage(store, "app", "a", "b", "c")
    stage(store, "chat", "a")
    staging.gone(store, [rows["b"]], NOW)
    assert staging.known_digests(store, "app", ["a", "b", "x"]) == {"a": (rows["a"], b"a")}


def test_the_ledger_comes_in_the_order_of_the_listing_and_moves_with_it(store: Store) -> None:
    rows = stage(store, "app", "a", "b", "c", "d")
    stage(store, "chat", "e")

    def listing(limit: int) -> list[bytes]:
        after, found = (-1, 0), list[bytes]()
        while part := staging.ledger(store, "app", after, limit):
            found += [digest for _, _, digest in part]
            after = part[-1][:2]
        return found

    assert listing(10) == listing(3) == [b"a", b"b", b"c", b"d"]
    staging.moved(store, [(rows["a"], 2), (rows["c"], 0)])
    assert listing(10) == listing(1) == [b"c", b"b", b"a", b"d"], "two at the same place: in order of their rows"
    staging.moved(store, [])


def test_a_void_ledger_knows_no_bytes(store: Store) -> None:
    stage(store, "app", "a")
    stage(store, "chat", "b")
    staging.void_ledger(store, "app")
    assert staging.known_digests(store, "app", ["a"]) == {}
    assert set(staging.known_digests(store, "chat", ["b"])) == {"b"}


def test_a_listing_is_open_until_it_is_sealed(store: Store) -> None:
    register(store, "app", "chat")

    def state(name: str = "app") -> tuple[object, ...]:
        row = connections.row(store, name)
        assert row is not None
        return (
            row.listing, bool(row.complete), row.defect, row.accounts, row.pages, row.attempted_at, row.sealed_at, row.last_full,
        )  # fmt: skip

    untouched = state("chat")
    assert staging.begin(store, "app", NOW) == 1
    assert state() == (1, False, "not read to its end", 0, 0, stamp(NOW), None, None)
    staging.finish(store, "app", NOW + HOUR, defect="", accounts=7, pages=2)
    sealed = stamp(NOW + HOUR)
    assert state() == (1, True, "", 7, 2, stamp(NOW), sealed, sealed)
    assert staging.last_count(store, "app") == 7
    assert staging.begin(store, "app", NOW + 2 * HOUR) == 2
    assert state()[1:3] == (False, "not read to its end")
    staging.finish(store, "app", NOW + 3 * HOUR, defect="half", accounts=3, pages=1)
    assert state() == (2, False, "half", 3, 1, stamp(NOW + 2 * HOUR), sealed, sealed)
    assert state("chat") == untouched


def test_a_new_listing_forgets_the_error_of_the_last_run(store: Store) -> None:
    register(store, "app")
    connections.failed(store, "app", "401")
    staging.begin(store, "app", NOW)
    row = connections.row(store, "app")
    assert row is not None
    assert row.error == ""


def test_the_count_of_a_listing_that_never_was_is_none(store: Store) -> None:
    assert staging.last_count(store, "app") == 0


def test_who_is_present_comes_in_blocks_without_who_is_gone(store: Store) -> None:
    with store.transaction():
        rows = stage(store, "app", *(f"a{number:05}" for number in range(20_001)))
        stage(store, "chat", "b")
        staging.gone(store, [rows["a00007"]], NOW)
    found = [row.account for row in staging.present(store, "app")]
    assert found == [name for name in rows if name != "a00007"]


def test_who_is_gone_leaves_a_tombstone_without_attributes_and_is_projected_again(store: Store) -> None:
    register(store, "app")
    rows = staging.upsert(store, "app", [staged("a", 0, ("email", "x", True)), staged("b", 1, ("email", "y", True))])
    people(store, "p", "q")
    link(store, "app", "p", b"1", b"1", account_id=rows["a"])
    link(store, "app", "q", b"1", b"1", account_id=rows["b"])
    staging.gone(store, [rows["a"]], NOW)
    gone = store.one("SELECT * FROM account WHERE account = 'a'")
    assert gone is not None
    assert (gone.gone_at, gone.digest, gone.document) == (stamp(NOW), None, None)
    assert (keys(store, rows["a"]), keys(store, rows["b"])) == (set(), {("email", "y", True)})
    assert dirty(store) == {("app", "p")}
    assert [row.account for row in staging.present(store, "app")] == ["b"]


def test_a_tombstone_whose_record_is_back_unreadable_is_none_any_more(store: Store) -> None:
    rows = stage(store, "people", "a", "b", "c", reading="{}")
    stage(store, "other", "a")
    staging.gone(store, [rows["a"], rows["b"]], NOW)
    assert tombstones.back_unread(store, "people", ["a", "c", "x"]) == [rows["a"]]
    found = {row.account: (row.gone_at, row.reading) for row in store.rows("SELECT * FROM account WHERE connection = 'people'")}
    assert found == {"a": (None, None), "b": (stamp(NOW), "{}"), "c": (None, "{}")}
    assert tombstones.back_unread(store, "people", []) == []


def test_marking_the_linked_marks_nobody_else_and_twice_is_once(store: Store) -> None:
    rows = stage(store, "app", "a", "b", "c")
    people(store, "p", "q")
    link(store, "app", "p", b"1", b"1", account_id=rows["a"])
    link(store, "app", "q", b"1", b"1", account_id=rows["b"])
    staging.mark_linked(store, [rows["a"], rows["c"]])
    staging.mark_linked(store, [rows["a"]])
    assert dirty(store) == {("app", "p")}


def test_a_recent_tombstone_is_one_that_syncd_made(store: Store) -> None:
    rows = stage(store, "app", "ours", "theirs", "old", "alive")
    store.run("UPDATE account SET touched_at = :at WHERE account IN ('ours', 'alive')", at=stamp(NOW))
    store.run("UPDATE account SET touched_at = :at WHERE account = 'old'", at=stamp(NOW - 2 * HOUR))
    staging.gone(store, [rows["ours"], rows["theirs"]], NOW)
    staging.gone(store, [rows["old"]], NOW - 2 * HOUR)
    assert tombstones.recent(store, "app", list(rows), NOW - HOUR) == {"ours"}
    assert tombstones.recent(store, "app", ["alive", "theirs"], NOW - HOUR) == set()
    assert tombstones.recent(store, "chat", ["ours"], NOW - HOUR) == set()


def test_a_container_is_another_than_the_account_of_its_name(store: Store) -> None:
    user = staging.upsert(store, "app", [staged("a")])["a"]
    tenant = staging.upsert(store, "app", [staged("a", document="{}", object="tenant")])["a"]
    assert tenant != user
    assert (staging.row_ids(store, "app", ["a"]), whose.known(store, "app", ["a"])["a"].id) == ({"a": user}, user)
    assert staging.upsert(store, "app", [staged("a", document="[]", object="tenant")]) == {"a": tenant}
    assert (staging.document(store, user), staging.document(store, tenant)) == ('{"name":"a"}', "[]")


def test_an_account_keeps_whom_it_makes_and_its_place(store: Store) -> None:
    """Also where neither is known to who stores it: the answer to a request."""
    rows = staging.upsert(store, "app", [staged("a", 5), staged("new", ordinal=None)], makes={"a": "p", "b": "nobody"})
    staging.upsert(store, "app", [staged("a", ordinal=None)])
    assert identities.owners(store, list(rows.values())) == {rows["a"]: "p"}
    staging.upsert(store, "app", [staged("a", ordinal=None), staged("new", ordinal=None)], rows, {"a": "q", "new": "r"})
    assert identities.owners(store, list(rows.values())) == {rows["a"]: "p", rows["new"]: "r"}
    assert [place for place, *_ in staging.ledger(store, "app", (-1, 0), 10)] == [5, 2**40]


@pytest.mark.parametrize(
    ("linked", "key", "kept"),
    [(False, ("email", "stranger", True), False), (True, ("email", "stranger", True), True), (False, ("email", "ann", False), True),
     (False, ("userName", "ann", True), False)],
)  # fmt: skip
def test_only_who_is_linked_or_correlates_keeps_attributes(store: Store, linked: bool, key: tuple[str, str, bool], kept: bool) -> None:
    identities.save(store, [person("p", ("email", "ann"))], [])
    rows = staging.upsert(store, "app", [staged("a", 0, key), staged("other", 1)])
    if linked:
        link(store, "app", "p", b"1", b"1", account_id=rows["a"])
    staging.forget_strangers(store, [rows["a"]])
    assert (staging.document(store, rows["a"]) is not None) is kept
    assert keys(store, rows["a"]) == {key}, "to be found by, later"
    assert staging.document(store, rows["other"]) is not None, "not asked about"


def test_a_document_is_kept_from_now_on(store: Store) -> None:
    rows = stage(store, "app", "a", "b", document=None)
    staging.keep_document(store, rows["a"], '{"x":1}')
    assert staging.document(store, rows["a"]) == '{"x":1}'
    assert staging.document(store, rows["b"]) is None


@settings(deadline=None, max_examples=50)
@given(pages=st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=4))
def test_however_it_was_paged_the_last_view_of_each_account_stands(scratch: Store, pages: list[list[str]]) -> None:
    """An account's bytes are here the number of the page that showed it."""
    latest: dict[str, bytes] = {}
    for number, page in enumerate(pages):
        views = [staged(name, place, ("k", name, True), digest=b"%d" % number) for place, name in enumerate(page)]
        rows = staging.upsert(scratch, "app", views)
        assert set(rows) == set(page)
        latest.update(dict.fromkeys(page, b"%d" % number))
    known = staging.known_digests(scratch, "app", list("abcdef"))
    assert {name: digest for name, (_, digest) in known.items()} == latest
    assert scratch.value("SELECT COUNT(*) FROM account_key") == len(latest)
    scratch.run("DELETE FROM account")
    scratch.run("DELETE FROM account_key")


def test_a_link_tells_what_the_account_it_had_is(store: Store) -> None:
    """A tombstone stays with the link until it is projected: `gone_at` says so."""
    people(store, "p")
    rows = stage(store, "app", "a")
    link(store, "app", "p", b"1", b"1", account_id=rows["a"])
    staging.gone(store, [rows["a"]], NOW)
    (row,) = links.dirty(store, "app")
    assert (row.account, row.gone_at, row.document) == ("a", stamp(NOW), None)
