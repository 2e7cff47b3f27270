"""The file connector: pages, cursors, what changes while it is read, point reads, and real snapshots."""

from __future__ import annotations

import os
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.connectors.file import FileConnector, FileOptions
from syncd.connectors.file_listing import PAGE
from syncd.environment import Environment
from syncd.errors import Incomplete, Refused, Rejected
from syncd.model import CANONICAL, Account, Change, Cursor, Kind, Rate, Ref, Step, Unknown

pytestmark = pytest.mark.anyio

CONGRESS = Path(__file__).parent.parent / "data" / "congress"
COUNTS = {
    "2022-12-20": 538, "2023-02-01": 539, "2023-06-01": 541, "2024-06-01": 536, "2024-12-20": 536,
    "2025-02-01": 539, "2025-06-01": 538, "2026-01-15": 537, "2026-06-15": 537,
}  # fmt: skip


def rows(count: int) -> bytes:
    return b"id,n\n" + b"".join(b"E%d,%d\n" % (n, n) for n in range(count))


def over(path: Path, id: str = "id") -> FileConnector:
    return FileConnector(FileOptions(path=str(path), id=id), environment=Environment(), rate=Rate(), writable=False)


@pytest.mark.parametrize("day", COUNTS)
async def test_real_snapshots_are_complete(day: str, read_all: Any) -> None:
    source = over(CONGRESS / f"{day}.csv", "employeeNumber")
    source.require(["email", "name", "department"])
    reading = await read_all(source)
    assert (reading.complete, reading.defect, reading.flaws, len(reading.records)) == (True, "", [], COUNTS[day])
    first = source.parse(reading.records[0])
    assert first.id == first.attributes["employeeNumber"] == "A000055"
    assert list(first.attributes)[:3] == ["employeeNumber", "email", "name"]


def test_every_snapshot_is_tested() -> None:
    assert {path.stem for path in CONGRESS.glob("*.csv")} == set(COUNTS)


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 7])
async def test_pages_follow_each_other(count: int, read: Any) -> None:
    reading = await read(rows(count))
    assert reading.complete
    assert [orjson.loads(record)["id"] for record in reading.records] == [f"E{n}" for n in range(count)]
    assert [page.first for page in reading.pages] == [n * PAGE for n in range(len(reading.pages))]
    assert all(len(page.records) <= PAGE for page in reading.pages)


async def test_rejected_rows_count_towards_a_page_but_not_as_records(read: Any) -> None:
    reading = await read(b"id,n\n" + b"a,\xe9\n" * PAGE + b"b,1\n")
    assert [(page.first, len(page.records), len(page.flaws)) for page in reading.pages] == [(0, 0, PAGE), (0, 1, 0)]


async def test_a_defect_is_told_once_at_the_end(read: Any) -> None:
    reading = await read(b"id,n\n,x\n" + rows(PAGE).removeprefix(b"id,n\n"))
    assert [page.defect for page in reading.pages] == ["", "people.csv line 2: no id"]


async def test_memory_does_not_grow_with_the_file(people: Callable[..., FileConnector]) -> None:
    source = people(rows(20_000))
    tracemalloc.start()
    try:
        count, page = 0, await source.list(None)
        while page.next is not None:
            count += len(page.records)
            page = await source.list(page.next)
        assert (count + len(page.records), page.complete) == (20_000, True)
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()


async def test_a_cursor_outlives_its_process(people: Callable[..., FileConnector], tmp_path: Path) -> None:
    one = people(rows(3 * PAGE))
    second = await one.list((await one.list(None)).next)
    await one.aclose()
    other = over(tmp_path / "people.csv")
    third = await other.list(second.next)
    assert (third.first, orjson.loads(third.records[0])["id"]) == (2 * PAGE, f"E{2 * PAGE}")
    assert (await other.list(third.next)).complete


@pytest.mark.parametrize("cursor", ["", "nonsense", "1-2-3-4-5"])
async def test_a_foreign_cursor_is_refused_and_a_new_listing_works(cursor: str, people: Callable[..., FileConnector]) -> None:
    source = people(rows(2))
    with pytest.raises(Incomplete, match=r"people\.csv has changed since its listing began"):
        await source.list(Cursor(cursor))
    assert (await source.list(None)).complete


async def test_a_new_listing_starts_at_the_beginning(people: Callable[..., FileConnector]) -> None:
    source = people(rows(PAGE + 1))
    await source.list(None)
    again = await source.list(None)
    assert (again.first, len(again.records)) == (0, PAGE)
    await source.aclose()


def appended(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x,1\n")


def replaced(path: Path) -> None:
    before = path.stat()
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def rewritten(path: Path) -> None:
    before = path.stat()
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


CHANGES = {"appended": appended, "replaced": replaced, "rewritten": rewritten, "removed": Path.unlink}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_file_that_changes_while_it_is_read_proves_nothing(change: str, people: Any, tmp_path: Path) -> None:
    source = people(rows(PAGE))
    first = await source.list(None)
    CHANGES[change](tmp_path / "people.csv")
    last = await source.list(first.next)
    assert not last.complete
    assert last.defect.startswith("people.csv went away" if change == "removed" else "people.csv was changed while it was read")


@pytest.mark.parametrize("change", CHANGES)
async def test_a_cursor_belongs_to_one_state_of_the_file(change: str, people: Any, tmp_path: Path) -> None:
    source = people(rows(2 * PAGE))
    cursor = (await source.list(None)).next
    await source.aclose()
    CHANGES[change](tmp_path / "people.csv")
    with pytest.raises(Incomplete):
        await over(tmp_path / "people.csv").list(cursor)


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"people\.txt: not a people file by its name\n  name it \.csv, \.jsonl, \.json"):
        over(Path("people.txt"))


async def test_what_is_no_file_is_said_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    with socket.socket(socket.AF_UNIX) as pipe:
        pipe.bind(str(tmp_path / "socket.csv"))
        for name, words in {
            "none": "does not exist: correct",
            "folder": "is not a file",
            "socket": "is not a file",
            "loop": "cannot be read",
        }.items():
            source = over(tmp_path / f"{name}.csv")
            with pytest.raises(Incomplete, match=words):
                await source.list(None)
            health = await source.check()
            assert not health.ok and words in health.problems[0]
            assert isinstance(await source.fetch(Ref("a")), Unknown)


async def test_check_reads_no_further_than_the_columns(people: Callable[..., FileConnector]) -> None:
    assert (await people(b"id,n\na,1\n,", "n").check()).ok


async def test_fetch_reads_the_file_again(people: Any, tmp_path: Path) -> None:
    source = people(b"id,n\na,1\nb,\xe9\nc,1\nc,2\n")
    assert await source.fetch(Ref("a")) == Account("a", {"id": "a", "n": "1"})
    assert await source.fetch(Ref("b")) == Unknown("not UTF-8")
    assert await source.fetch(Ref("c")) == Unknown("id 'c' stands 2 times in people.csv")
    assert await source.fetch(Ref("d")) == Unknown("id 'd' stands 0 times in people.csv")
    (tmp_path / "people.csv").write_bytes(b"id,n\na,2\nb,")
    assert isinstance(await source.fetch(Ref("a")), Unknown), "a file that breaks off might hold the account once more"


async def test_find_compares_columns(people: Callable[..., FileConnector]) -> None:
    source = people(b"id,n,m\na,1,x\nb,2,x\nc,1,\xe9\nd,1,y\n,")
    assert [one.id for one in await source.find({"n": "1"})] == ["a", "d"]
    assert [one.id for one in await source.find({"n": "2", "m": "y", "none": "1"})] == ["b", "d"]


@pytest.mark.parametrize("record", [b"[]", b'{"id":""}', b'{"n":1}', b'{"id":1.5}'])
def test_a_record_without_an_account_is_rejected(record: bytes, people: Callable[..., FileConnector]) -> None:
    with pytest.raises(Rejected):
        people(b"").parse(record)


def test_a_number_is_an_id(people: Callable[..., FileConnector]) -> None:
    assert people(b"").parse(b'{"id":7}') == Account("7", {"id": 7})


async def test_it_never_writes(people: Callable[..., FileConnector]) -> None:
    source = people(b"id\n")
    change = Change("c", "people", Kind.DELETE, "i", "who", "a", {}, "left")
    assert source.steps(change) == ()
    with pytest.raises(Rejected, match="read-only"):
        await source.perform(Step(change, 1, "DELETE", "/a"))
    assert (source.capability.writes, source.capability.deletes, source.capability.gone) == (False, False, False)
    assert source.meter.requests == 0


def test_what_is_read_by_default() -> None:
    defaults = FileOptions(path="p.csv", id="nr").capability().read_defaults
    assert set(defaults) == set(CANONICAL)
    assert (defaults["externalId"], defaults["userName"]) == ("nr", ("userName", "email", "nr"))
    assert (defaults["displayName"], defaults["title"]) == (("displayName", "name"), "title")


def test_a_file_is_bound_to_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert FileOptions(path="x/../p.csv", id="nr").binding() == {"root": str(tmp_path / "p.csv")}


HAVING = {
    "people.csv": b"id,active\nE1,no\n",
    "people.jsonl": b'{"id":"E1"}\n{"id":"E2","active":false}\n',
    "people.json": b'[{"id":"E1","active":null}]',
}
LACKING = {"people.csv": b"id,Active\nE1,no\n", "people.jsonl": b'{"id":"E1","Active":1}\n', "people.json": b'[{"id":"E1","Active":1}]'}


@pytest.mark.parametrize("name", HAVING)
async def test_a_remembered_column_is_demanded_with_its_cure(name: str, people: Callable[..., FileConnector], read_all: Any) -> None:
    source = people(HAVING[name], name=name)
    source.remember({"active": "put it back"})
    reading = await read_all(source)
    assert (reading.complete, set(reading.pages[-1].columns)) == (True, {"id", "active"})
    source = people(LACKING[name], name=name)
    source.remember({"active": "put it back"})
    told = rf"^{name}: no column 'active' \(did you mean 'Active'\?\); its columns are 'id', 'Active'; put it back$"
    with pytest.raises(Incomplete, match=told):
        await source.list(None)
    source.remember({})
    assert (await read_all(source)).complete


async def test_the_columns_of_every_page_are_told_on_the_last(people: Callable[..., FileConnector], read_all: Any) -> None:
    lines = [b'{"id":"E%d","%s":1}\n' % (n, b"a" if n else b"b") for n in range(PAGE + 1)]
    reading = await read_all(people(b"".join(lines), name="people.jsonl"))
    assert [set(page.columns) for page in reading.pages] == [set(), {"id", "a", "b"}]
