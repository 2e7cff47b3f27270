"""People in the canonical store."""

from __future__ import annotations

from syncd.environment import stamp
from syncd.store import Store, identities, staging
from tests.store.rows import HOUR, NOW, claim, column, link, people, person, stage


def marked(store: Store) -> set[tuple[str, str]]:
    return {(row.connection, row.identity) for row in store.rows("SELECT connection, identity FROM dirty")}


def test_saving_replaces_the_person_with_all_keys_and_marks_them_at_every_target(store: Store) -> None:
    identities.save(store, [person("p", ("email", "a"), ("email", "b"), ("@id", "p")), person("q", ("email", "c"))], [])
    assert marked(store) == set()
    again = person(
        "p", ("email", "b"), ("email", "b"), attributes='{"x":1}', live="departed", ignored=True, departed_at=NOW, starts=NOW,
        ends=NOW + HOUR, due=NOW + HOUR,
    )  # fmt: skip
    identities.save(store, [again], ["app", "chat"])
    (row,) = identities.documents(store, ["p", "unknown"])
    assert (row.attributes, row.live, row.ignored) == ('{"x":1}', "departed", 1)
    assert (row.departed_at, row.starts_at, row.ends_at, row.due_at) == (stamp(NOW), stamp(NOW), stamp(NOW + HOUR), stamp(NOW + HOUR))
    assert column(store, "identity_key", "key", identity="p") == ["b"]
    assert column(store, "identity_key", "key", identity="q") == ["c"]
    assert marked(store) == {("app", "p"), ("chat", "p")}


def test_who_answers_to_a_key(store: Store) -> None:
    identities.save(store, [person("p", ("email", "a"), ("userName", "a")), person("q", ("email", "a"), live="departed")], [])
    found = identities.by_keys(store, {("email", "a"), ("userName", "a"), ("userName", "b")})
    assert {pair: {(row.identity, row.live) for row in rows} for pair, rows in found.items()} == {
        ("email", "a"): {("p", "live"), ("q", "departed")},
        ("userName", "a"): {("p", "live")},
    }


def test_all_the_names_a_person_answers_to(store: Store) -> None:
    identities.save(store, [person("p", ("@id", "p"), ("@id", "p2"), ("email", "a")), person("q", ("@id", "q")), person("r")], [])
    assert {who: sorted(names) for who, names in identities.aliases(store, ["p", "r"]).items()} == {"p": ["p", "p2"]}


def test_accounts_belong_to_whom_they_were_given(store: Store) -> None:
    people(store, "p", "q")
    rows = stage(store, "people", "a", "b", "c")
    claim(store, {rows["a"]: "p", rows["b"]: "p"})
    assert identities.owners(store, list(rows.values())) == {rows["a"]: "p", rows["b"]: "p"}
    staging.gone(store, [rows["b"]], NOW)
    found = [(row.identity, row.id, row.connection, row.account, row.gone_at) for row in identities.sources(store, ["p", "q"])]
    assert found == [("p", rows["a"], "people", "a", None), ("p", rows["b"], "people", "b", stamp(NOW))]
    assert identities.present_at(store, "people", ["p", "q"]) == {"p"}
    assert identities.present_at(store, "other", ["p", "q"]) == set()
    staging.gone(store, [rows["a"]], NOW)
    assert identities.present_at(store, "people", ["p", "q"]) == set()


def test_marking_everybody_at_one_target(store: Store) -> None:
    people(store, "p", "q", targets=["app"])
    identities.mark_all(store, "chat")
    identities.mark_all(store, "app")
    assert marked(store) == {("app", "p"), ("app", "q"), ("chat", "p"), ("chat", "q")}


def test_time_marks_whom_it_changes_and_knows_when_next(store: Store) -> None:
    later = NOW + 2 * HOUR
    window = {"starts": NOW, "ends": later, "due": NOW}
    identities.save(store, [person("p", **window), person("open", starts=NOW, due=NOW), person("never"), person("later", due=later)], [])
    identities.mark_due(store, ["app", "chat"], NOW - HOUR)
    assert marked(store) == set()
    identities.mark_due(store, ["app", "chat"], NOW)
    assert marked(store) == {(target, who) for target in ("app", "chat") for who in ("p", "open")}
    assert column(store, "identity", "id", due_at=stamp(later)) == ["later", "p"]
    store.run("DELETE FROM dirty")
    identities.mark_due(store, ["app"], later)
    assert marked(store) == {("app", "p"), ("app", "later")}
    assert column(store, "identity", "due_at") == [None, None, None, None]


def test_who_becomes_entitled_later_is_due_at_the_start(store: Store) -> None:
    """Both ends lie behind the moment at which it was due: a run came late."""
    identities.save(store, [person("p", starts=NOW + HOUR, ends=NOW + 2 * HOUR, due=NOW)], [])
    identities.mark_due(store, [], NOW)
    assert column(store, "identity", "due_at") == [stamp(NOW + HOUR)]
    identities.mark_due(store, [], NOW + 3 * HOUR)
    assert column(store, "identity", "due_at") == [None]


def test_the_end_of_a_grace_marks_its_link_where_it_is(store: Store) -> None:
    people(store, "p", "q")
    link(store, "app", "p", b"1", b"1", due_at=NOW)
    link(store, "chat", "p", b"1", b"1", due_at=NOW + HOUR)
    link(store, "app", "q", b"1", b"1")
    identities.mark_due(store, ["app", "chat"], NOW)
    assert marked(store) == {("app", "p")}


def test_everybody_in_blocks(store: Store) -> None:
    people(store, "c", "a", "b")
    assert identities.all_ids(store, "", 2) == ["a", "b"]
    assert identities.all_ids(store, "b", 2) == ["c"]
    assert identities.all_ids(store, "c") == []


def test_people_are_made_anew_when_the_rules_for_it_change_or_a_source_is_forgotten(store: Store) -> None:
    assert identities.merged_under(store) is None
    for rules in ("1", "2"):
        identities.merge_under(store, rules)
        assert identities.merged_under(store) == rules
    identities.unmerge(store)
    assert identities.merged_under(store) is None
