"""What enters the store is written once, and nothing is asked where nothing is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from syncd.engine import resuming
from syncd.store import Store, staging
from tests.engine.worlds import MakeWorld, mail, people, target

pytestmark = pytest.mark.anyio


def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Those of all that is stored for many at once, from now on."""
    sent: list[str] = []
    many = Store.many

    def remember(self: Store, statement: str, rows: Sequence[Any]) -> None:
        if rows:
            sent.append(statement.partition("(")[0].strip())
        many(self, statement, rows)

    monkeypatch.setattr(Store, "many", remember)
    return sent


async def test_a_newcomer_is_written_once_with_its_identity(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    w = world(target=target("delete"))
    w.write(people(1, 2, 3))
    sent = statements(monkeypatch)
    await w.run(mode="plan")
    assert sent.count("INSERT INTO account") == sent.count("INSERT INTO identity") == 1
    assert not [one for one in sent if one.startswith(("UPDATE account", "UPDATE identity"))]
    assert w.store.value("SELECT COUNT(*) FROM account AS a JOIN identity AS i ON i.id = a.identity") == 3


async def test_what_is_kept_of_a_stranger_is_not_written_first(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer who correlates with somebody is written whole."""
    w = world(target=target("delete"))
    w.write(people(1))
    w.directory.add("x", userName="stranger", displayName="X")
    w.directory.add("y", userName="other", email=mail(1))
    for name in ("forget_strangers", "keep_document"):
        monkeypatch.setattr(staging, name, lambda *given: None)
    await w.run(mode="plan")
    kept = {row.account: row.document for row in w.store.rows("SELECT account, document FROM account WHERE connection = 'app'")}
    assert kept["x"] is None
    assert mail(1) in kept["y"]


async def test_known_bytes_ask_nothing_of_accounts(world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the place of a long listing is stored."""
    w = world(resumes=True, page=3, target=target("delete"))
    w.write([])
    for number in range(20):
        w.directory.add(f"s{number:02}", userName=f"stranger{number}")
    await w.run(mode="plan")
    monkeypatch.setattr(resuming, "EVERY", 0)
    asked: list[Any] = []
    monkeypatch.setattr(staging, "known_digests", lambda *given: asked.append(given) or {})
    stored: list[int] = []
    keep = resuming.keep
    monkeypatch.setattr(resuming, "keep", lambda *given: stored.append(len(given[-1])) or keep(*given))
    report, _ = await w.run(mode="plan", full=True)
    assert report.results[1].listing is not None and report.results[1].listing.complete
    assert len(stored) > 3
    assert not asked
