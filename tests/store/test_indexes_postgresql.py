"""PostgreSQL goes about the questions of every cycle by their indexes, whatever the size of the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from syncd.store import Store, links, staging
from syncd.store.backend import Parameters
from syncd.store.postgresql import Postgresql
from tests import stores
from tests.store.rows import people, register, stage, standing

MANY = 20_000


@pytest.fixture(scope="module")
def filled() -> Iterator[Store]:
    store = Store(stores.empty())
    register(store, "app")
    with store.transaction():
        stage(store, "app", *(f"{number:06}" for number in range(MANY)))
        people(store, *(f"p{number:06}" for number in range(MANY)), targets=["app"])
        links.save(store, "app", [standing(f"p{number:06}", b"1", b"2" if number % 100 == 0 else b"1") for number in range(MANY)])
    store.run("ANALYZE")
    yield store
    store.close()
    stores.server().drop(store.url)


def plan(store: Store, ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> str:
    """How it goes about the statements that ``ask`` sends."""
    sent: list[tuple[str, Parameters]] = []
    execute = Postgresql.execute

    def remember(self: Postgresql, statement: str, values: Parameters) -> object:
        sent.append((statement, values))
        return execute(self, statement, values)

    with monkeypatch.context() as patch:
        patch.setattr(Postgresql, "execute", remember)
        ask()
    assert sent
    return "\n".join(row[0] for statement, values in sent for row in store.rows(f"EXPLAIN (COSTS OFF) {statement}", **values))


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda store: links.out_of_step(store, "app", 0), "link_out_of_step"),
        (lambda store: links.count_out_of_step(store, "app"), "link_out_of_step"),
        (lambda store: links.dirty(store, "app"), "dirty_pkey"),
        (lambda store: staging.ledger(store, "app", (MANY // 2, MANY // 2), 1000), "account_by_place"),
        (lambda store: next(staging.present(store, "app", range(100, MANY + 1))), "account_by_place"),
        (lambda store: staging.row_ids(store, "app", ["000001", "000002"]), "account_by_id"),
        (lambda store: links.standing(store, "app", ["p000001"]), "link_by_identity"),
    ],
    ids=["out of step", "how many are", "dirty", "ledger", "present", "row ids", "standing"],
)
def test_by_index(filled: Store, ask: Callable[[Store], object], index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = plan(filled, lambda: ask(filled), monkeypatch)
    assert index in told
    assert not [line for line in told.splitlines() if "Seq Scan on" in line and "on word" not in line]
    assert "Sort" not in told


def test_a_whole_table_read_would_be_noticed(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Seq Scan on account" in plan(filled, lambda: filled.rows("SELECT * FROM account WHERE version IS NULL"), monkeypatch)
