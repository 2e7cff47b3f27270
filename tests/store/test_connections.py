"""What the store knows of each configured connection."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import SQLModel

from syncd.errors import Fatal
from syncd.store import Store, connections, identities, journal, lease, staging, waiting
from tests.store.rows import HOUR, NOW, applied, change, claim, column, link, people, record, register, stage, staged


def bind(store: Store, name: str, connector: str = "twilio", **binding: str) -> None:
    connections.register(store, name, connector, binding or {"root": "r", "service": "IS1"}, "ns", authoritative=False, target=True)


def test_a_connection_is_bound_once_and_its_role_may_change(store: Store) -> None:
    bind(store, "chat", root="r", service="IS1")
    connections.register(store, "chat", "twilio", {"service": "IS1", "root": "r"}, "other", authoritative=True, target=False)
    row = connections.row(store, "chat")
    assert row is not None
    assert (row.connector, row.namespace, row.authoritative, row.target) == ("twilio", "other", 1, 0)
    assert (row.settled, row.complete, row.listing, row.accounts, row.sealed_at) == (0, 0, 0, 0, None)
    bind(store, "also", root="s")
    assert connections.known(store) == ["also", "chat"]
    assert connections.row(store, "other") is None


@pytest.mark.parametrize(
    ("connector", "binding"), [("appwrite", {"root": "r", "service": "IS1"}), ("twilio", {"root": "r", "service": "IS2"})]
)
def test_a_changed_binding_is_refused_with_its_cures(store: Store, connector: str, binding: dict[str, str]) -> None:
    bind(store, "chat")
    with pytest.raises(Fatal) as refused:
        bind(store, "chat", connector, **binding)
    assert str(refused.value) == (
        f"connection chat was bound to twilio root r, service IS1 and now points to {connector} root r, service {binding['service']}\n"
        "  the same directory under a new address: syncd connection forget chat; another directory: give it a name of its own"
    )
    assert refused.value.exit_code == 78


def test_a_directory_is_recognised_under_a_new_name(store: Store) -> None:
    bind(store, "old", root="r", service="IS1")
    found = {"service": "IS1", "root": "r"}
    assert connections.renamed_from(store, "twilio", found, ["new"]) == "old"
    assert connections.renamed_from(store, "twilio", found, ["new", "old"]) is None
    assert connections.renamed_from(store, "appwrite", found, ["new"]) is None
    assert connections.renamed_from(store, "twilio", {"root": "r"}, ["new"]) is None


def test_who_is_not_configured_any_more_is_neither_source_nor_target(store: Store) -> None:
    register(store, "b", "a", authoritative=True)
    connections.retire(store, ["b"])
    assert [(row.name, row.authoritative, row.target) for row in connections.every(store)] == [("a", 0, 0), ("b", 1, 1)]


def test_another_reading_makes_all_bytes_unknown(store: Store) -> None:
    register(store, "app", "chat")
    for reading, known in (("1", False), ("1", True), ("2", False)):
        stage(store, "chat", "b")
        connections.read_under(store, "app", reading)
        assert bool(staging.known_digests(store, "app", ["a"])) is known
        assert staging.known_digests(store, "chat", ["b"])
        stage(store, "app", "a")


def test_rules_and_errors_are_remembered(store: Store) -> None:
    register(store, "app", "chat")
    connections.projected_under(store, "app", "f1")
    connections.consented_to(store, "app", "f2")
    connections.failed(store, "app", "401")
    rows = [(row.name, row.projected, row.consented, row.error) for row in connections.every(store)]
    assert rows == [("app", "f1", "f2", "401"), ("chat", None, None, "")]


def test_the_rules_of_a_target_that_was_none_meanwhile_are_forgotten(store: Store) -> None:
    def projected(*, target: bool) -> str | None:
        register(store, "app", target=target)
        row = connections.row(store, "app")
        assert row is not None
        return row.projected

    assert projected(target=True) is None
    connections.projected_under(store, "app", "f1")
    assert [projected(target=target) for target in (True, False, True)] == ["f1", "f1", None]


def full(store: Store, name: str) -> None:
    """Something in every table that names a connection."""
    register(store, name, "other")
    people(store, "p", targets=[name])
    rows = staging.upsert(store, name, [staged("a", 0, ("email", "x", True))])
    claim(store, {rows["a"]: "p"})
    link(store, name, "p", b"1", b"2", account_id=rows["a"])
    run = journal.start_run(store, "delta", NOW)
    held, sent = record(store, change(run, "h", "p", connection=name, state="held"), change(run, "s", "p", connection=name))
    applied(store, sent)
    waiting.refresh(store, run, name, NOW)
    lease.acquire(store, [name], "me", NOW + 2 * HOUR, HOUR)
    assert held.connection == name


def named(store: Store, name: str) -> set[str]:
    """The tables in which a connection is named."""
    tables = {table.name: "name" if table.name == "connection" else "connection" for table in SQLModel.metadata.tables.values()}
    holding = {table: key for table, key in tables.items() if key in SQLModel.metadata.tables[table].columns}
    return {table for table, key in holding.items() if store.value(f"SELECT COUNT(*) FROM {table} WHERE {key} = :name", name=name)}


ALL = {"connection", "lease", "account", "account_key", "dirty", "link", "change", "step", "pending"}


def test_renaming_carries_everything(store: Store) -> None:
    full(store, "old")
    before = {table: store.value(f"SELECT COUNT(*) FROM {table}") for table in ALL}
    assert named(store, "old") == {*ALL, "entry"}
    connections.rename(store, "old", "new")
    assert (named(store, "old"), named(store, "new")) == ({"entry"}, ALL), "what happened under the old name keeps it, or the chain broke"
    assert {table: store.value(f"SELECT COUNT(*) FROM {table}") for table in ALL} == before
    row = connections.row(store, "new")
    assert row is not None
    assert (row.binding, row.settled) == ('{"root":"old"}', 1)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [("none", "new", "no connection 'none' in the store; it knows old, other"), ("old", "other", "already has a connection 'other'")],
)
def test_only_what_is_known_can_be_renamed_and_only_to_what_is_not(store: Store, old: str, new: str, why: str) -> None:
    register(store, "old", "other")
    with pytest.raises(Fatal, match=why):
        connections.rename(store, old, new)
    assert connections.known(store) == ["old", "other"]


def test_forgetting_drops_everything_but_the_journal(store: Store) -> None:
    full(store, "old")
    stage(store, "other", "b", "c")
    identities.merge_under(store, "rules")
    assert connections.forget(store, "old") == 1
    assert named(store, "old") == {"change", "step", "entry"}
    assert column(store, "account", "account") == ["b", "c"]
    assert identities.merged_under(store) is None, "who had an account there is made anew from what is left"


def test_forgetting_what_is_not_known_says_what_is(store: Store) -> None:
    with pytest.raises(Fatal, match="no connection 'x' in the store; it knows none"):
        connections.forget(store, "x")


def test_a_forgotten_name_may_be_bound_again(store: Store) -> None:
    bind(store, "chat", root="r")
    connections.forget(store, "chat")
    bind(store, "chat", root="elsewhere")
    row: Any = connections.row(store, "chat")
    assert row.binding == '{"root":"elsewhere"}'


def test_what_accounts_tell_of_their_directory_is_kept_beside_what_is_configured(store: Store) -> None:
    bind(store, "chat", root="r")
    assert connections.directory(store, "chat") == {"root": "r"}
    connections.learn(store, "chat", {"service": "IS1"})
    bind(store, "chat", root="r")
    assert connections.directory(store, "chat") == {"root": "r", "service": "IS1"}
    assert connections.directory(store, "unknown") == {}


def test_two_targets_are_one_directory_by_all_that_is_known_of_it(store: Store) -> None:
    bind(store, "chat", root="r")
    bind(store, "named", root="r", service="IS1")
    bind(store, "other", "appwrite", root="r", service="IS1")
    connections.register(store, "read", "twilio", {"root": "r", "service": "IS1"}, "ns", authoritative=False, target=False)
    assert connections.twins(store) == []
    connections.learn(store, "chat", {"service": "IS1"})
    assert connections.twins(store) == [("chat", "named", "twilio root r, service IS1")]
    connections.retire(store, ["chat"])
    assert connections.twins(store) == []


def test_the_columns_of_a_file_are_remembered(store: Store) -> None:
    register(store, "people")
    assert connections.columns(store, "people") == []
    connections.keep_columns(store, "people", ["active", "email"])
    assert connections.columns(store, "people") == ["active", "email"]


def test_only_who_was_present_at_a_forgotten_source_is_bereaved(store: Store) -> None:
    register(store, "old", "other", authoritative=True)
    rows = {**stage(store, "old", "a", "b"), **stage(store, "other", "c")}
    people(store, "pa", "pb", "pc")
    claim(store, {rows["a"]: "pa", rows["b"]: "pb", rows["c"]: "pc"})
    staging.gone(store, [rows["b"]], NOW)
    connections.forget(store, "old")
    assert [row.id for row in store.rows("SELECT id FROM identity WHERE forgotten")] == ["pa"]
