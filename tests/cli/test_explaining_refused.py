"""A record that cannot be read is told where its person is explained: what is known of them is older than the file."""

from __future__ import annotations

from syncd.store import Store
from tests import stores
from tests.cli.office import Office
from tests.cli.schemas import valid

HEAD = "employeeNumber,email,displayName,department,active\n"
GOOD, BAD = "E1,p1@corp.example,Person 1,Support,yes\n", "E1,p1@corp.example,Person One,Support,perhaps\n"
NEW = "E7,p7@corp.example,Person 7,Support,perhaps\n"


def read(office: Office, *rows: str) -> None:
    (office.root / "people.csv").write_text(HEAD + "".join(rows))
    office.run("sync", "--yes")


def test_what_is_refused_now_is_told_beside_what_was_read(office: Office) -> None:
    read(office, GOOD)
    assert "refused" not in office.run("explain", "p1@corp.example").out
    read(office, BAD)
    said = office.run("explain", "p1@corp.example")
    first = said.out.splitlines()[1]
    assert first.startswith("  people/E1: as read in run 1, page 1 (")
    assert "; what is there now is refused: people record 1: active" in first and "perhaps" not in first
    (account,) = valid(office.run("explain", "p1@corp.example", "--json").json, "explain")["accounts"]
    assert account["refused"].startswith("people record 1: active")
    read(office, GOOD)
    assert "refused" not in office.run("explain", "p1@corp.example").out


def test_who_is_nobody_for_their_record_is_refused(office: Office) -> None:
    read(office, GOOD, NEW)
    said = office.run("explain", "people/E7")
    assert (said.code, said.out) == (1, "") and "people/E7 is nobody: its record is refused: people record 2: active" in said.err
    assert "refused" not in office.run("explain", "people/E8").err


def test_a_refused_record_of_a_target_is_told_with_its_account(office: Office) -> None:
    office.settled(1)
    sid = office.users["p1@corp.example"]["sid"]
    store = Store(stores.url(office.root))
    store.run(
        "INSERT INTO pending (change, connection, object, kind, account, who, state, hold, reason, run, seen, since)"
        " VALUES (:change, 'chat', 'user', '', :sid, :sid, 'rejected', '', 'users[0]: no identity', 1, 1, '2026-01-01T00:00:00.000000Z')",
        change=f"record:{sid}", sid=sid,
    )  # fmt: skip
    store.close()
    said = office.run("explain", "p1@corp.example")
    assert "what is there now is refused: users[0]: no identity" in said.out.partition("chat:")[2]
