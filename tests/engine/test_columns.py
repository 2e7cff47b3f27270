"""Columns of a people file that nobody configured: they may never have been there, but they do not vanish unnoticed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from syncd.connectors.file import FileConnector, FileOptions
from syncd.model import Connection, Rate
from tests.engine.worlds import MakeWorld, literal, mail, people, settle
from tests.world import World, columns, entries, person, planned

pytestmark = pytest.mark.anyio

STAFF = [person(1, active="no"), person(2, active="yes", activeUntil="2025-01-01"), person(3)]


async def test_a_default_column_that_vanishes_enables_nobody(world: MakeWorld) -> None:
    w = world()
    await settle(w, *STAFF)
    everybody = list(w.columns)
    w.columns.remove("active")
    w.write(STAFF)
    for _ in range(2):
        report, plan = await w.run()
        assert (planned(plan), report.failed) == ([], True)
        assert "people.csv: no column 'active'" in report.results[0].error
        assert "the last complete reading had 'active': put it back, or say in read.attributes of people" in report.results[0].error
        assert "`active: null` if it is gone for good" in report.results[0].error
    w.columns = everybody
    await settle(w, *STAFF)


async def test_a_column_that_somebody_says_is_gone_is_gone(world: MakeWorld) -> None:
    w = world()
    await settle(w, *STAFF)
    w.columns.remove("title")
    w.write(STAFF)
    w.read = {"title": literal(None)}
    report, _ = await w.run()
    assert not report.failed
    w.read = {}
    report, _ = await w.run()
    assert not report.failed, "it was not there in the last complete reading"


async def test_a_column_that_was_never_there_is_not_missed_and_one_that_comes_is(world: MakeWorld) -> None:
    w = world()
    w.columns = ["employeeNumber", "email"]
    await settle(w, *people(1))
    w.columns.append("title")
    await settle(w, person(1, title="Chef"))
    w.columns.remove("title")
    w.write(people(1))
    report, _ = await w.run()
    assert "no column 'title'" in report.results[0].error


async def test_a_new_name_is_suggested(world: MakeWorld) -> None:
    w = world()
    await settle(w, *STAFF)
    w.columns[w.columns.index("active")] = "Active"
    w.write(STAFF)
    report, _ = await w.run()
    assert "(did you mean 'Active'?)" in report.results[0].error


def json_source(w: World, name: str) -> tuple[Connection, FileConnector]:
    options = FileOptions(path=str(w.root / name), id="id")
    read = (*columns(options.capability().read_defaults), *entries({}))
    one = Connection("hr", "file", options.binding(), "hr", authoritative=True, read=read)
    return one, FileConnector(options, environment=w.clock, rate=Rate(), writable=False)


def write_json(w: World, name: str, rows: list[dict[str, Any]]) -> None:
    text = orjson.dumps(rows) if name.endswith(".json") else b"".join(orjson.dumps(row) + b"\n" for row in rows)
    (w.root / name).write_bytes(text)


@pytest.mark.parametrize("name", ["hr.json", "hr.jsonl"])
async def test_a_member_may_be_absent_in_any_record_but_not_vanish_from_all(world: MakeWorld, name: str) -> None:
    w = world()
    await settle(w, *people(1))
    w.extra = [json_source(w, name)]
    write_json(w, name, [{"id": 7, "userName": mail(7), "active": False}, {"id": 8, "userName": mail(8), "active": False}])
    await w.run()
    write_json(w, name, [{"id": 7, "userName": mail(7), "active": False}, {"id": 8, "userName": mail(8)}])
    report, _ = await w.run()
    assert not report.failed
    assert mail(8) in {one["userName"] for one in w.directory.accounts.values()}, "no value is active"
    write_json(w, name, [{"id": 7, "userName": mail(7)}, {"id": 8, "userName": mail(8)}])
    report, plan = await w.run()
    assert planned(plan) == []
    assert f"{name}: no column 'active'" in report.results[2].error


async def test_an_empty_file_forgets_no_column(world: MakeWorld) -> None:
    w = world()
    await settle(w, *people(1))
    w.extra = [json_source(w, "hr.json")]
    write_json(w, "hr.json", [{"id": 7, "userName": mail(7), "active": False}])
    await w.run()
    write_json(w, "hr.json", [])
    report, _ = await w.run()
    assert not report.failed
    write_json(w, "hr.json", [{"id": 7, "userName": mail(7)}])
    report, plan = await w.run()
    assert planned(plan) == []
    assert "no column 'active'" in report.results[2].error
