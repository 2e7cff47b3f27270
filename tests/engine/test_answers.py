"""What a person's yes and no are good for, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.engine.worlds import (
    MakeWorld,
    kinds,
    limited,
    mail,
    people,
)
from tests.world import person, planned

pytestmark = pytest.mark.anyio


async def test_a_release_lets_exactly_those_go(world: MakeWorld) -> None:
    w = await limited(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    w.release(mail(2))
    report, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "limit"), ("delete", mail(2), ""), ("delete", mail(3), "limit")]
    assert len(w.directory.accounts) == 5
    assert report.results[1].held == 2


async def test_a_release_nobody_used_for_24_hours_is_void(world: MakeWorld) -> None:
    w = await limited(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    w.release()
    w.clock.pass_time(timedelta(hours=24))
    report, plan = await w.run()
    assert kinds(plan) == {("delete", "limit")}
    assert (report.results[1].held, len(w.pending())) == (3, 3)


async def test_a_release_survives_a_run_that_could_not_judge(world: MakeWorld) -> None:
    """An incomplete listing in between plans no leaver; what was held and released stays so."""
    w = await limited(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    first = w.store.value("SELECT MIN(run) FROM pending")
    w.release(mail(1))
    text = w.people_file.read_text()
    w.people_file.write_text(text.rstrip("\n"))
    report, plan = await w.run()
    assert (planned(plan), report.results[1].held) == ([], 2)
    w.people_file.write_text(text)
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), ""), ("delete", mail(2), "limit"), ("delete", mail(3), "limit")]
    assert w.store.rows("SELECT DISTINCT run FROM pending")[0].run == first


async def test_what_no_longer_waits_is_no_longer_pending(world: MakeWorld) -> None:
    w = await limited(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    w.write(people(3, 4, 5, 6))
    await w.run()
    assert w.pending() == [("held", "limit", mail(1)), ("held", "limit", mail(2))]
    w.write(people(1, 2, 3, 4, 5, 6))
    report, _ = await w.run()
    assert (w.pending(), report.converged) == ([], True)


async def test_a_no_is_remembered_until_either_side_moves(world: MakeWorld) -> None:
    w = await limited(world, 6)
    w.write(people(4, 5, 6))
    await w.run()
    w.reject(mail(1), mail(2), mail(3))
    report, plan = await w.run()
    assert (planned(plan), report.converged, report.results[1].kept) == ([], True, 3)
    assert not w.verify()
    w.account(mail(1))["title"] = "edited"
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")], "its account moved; alone it is within the limit"
    w.write(people(2, 4, 5, 6))
    report, plan = await w.run()
    assert (planned(plan), report.results[1].kept) == ([], 1)


async def test_a_no_to_a_newcomer_is_remembered_too(world: MakeWorld) -> None:
    w = await limited(world, 1)
    w.write(people(*range(1, 14)))
    await w.run()
    w.reject()
    report, plan = await w.run()
    assert (planned(plan), report.converged, report.results[1].kept) == ([], True, 12)
    w.write([*people(*range(1, 13)), person(13, title="new")])
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(13), "")]
