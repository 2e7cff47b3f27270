"""Creates of several requests, really killed (SIGKILL) at each point of each: one account a person, and what was missing follows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.connectors.appwrite_table import label
from syncd.environment import Environment
from syncd.sandbox import Sandbox, serve
from tests.end_to_end.app import App, ident, mail, person, prefs
from tests.end_to_end.conftest import impatience
from tests.end_to_end.office import result
from tests.end_to_end.test_crash import killed
from tests.end_to_end.wired import run
from tests.world import Clock

MAPPED = "{attributes: {prefs.team: department, emailVerification: {value: true}}}"
"""A create of four requests: the account, its labels, its prefs, its verification."""
STEPS = 4
PEOPLE = [person(n, department="Sales") for n in (1, 2)]
POINTS = [
    ("after_cursor", 1), ("before_intent", 1), *(("after_intent", n) for n in (1, 2, 4, 5)), *(("after_send", n) for n in range(1, 6)),
    *(("after_settle", n) for n in (1, 2, 3)),
]  # fmt: skip
"""Point, and how many times it is passed before: the first of the two creates step by step, and the beginning of the second."""


@pytest.fixture
def real(tmp_path: Path) -> Iterator[App]:
    """As ``app``, in the time of the process that is killed; the lease of the dead ends after a second."""
    sandbox = Sandbox(only=["appwrite"])
    with serve(sandbox) as url:
        one = App(tmp_path, sandbox, url, Clock())
        one.configure(MAPPED, lease="1s", settle="0s")
        yield one


def finish(one: App) -> None:
    """Runs until one converges; two are enough."""
    first, _ = asyncio.run(run(Environment(), one.config))
    second, _ = asyncio.run(run(Environment(), one.config))
    assert second.converged, (first, second)


def whole(one: App, *numbers: int) -> None:
    """Each of these people has one account, made once, with all that belongs to it."""
    assert sorted(one.posts()) == [mail(n) for n in numbers]
    assert one.project.users.keys() == {ident(n) for n in numbers}
    for n in numbers:
        user = one.user(n)
        assert user["labels"] == (label(f"prod:{ident(n)}"),)
        assert (user["emailVerification"], prefs(user), user["name"]) == (True, {"team": "Sales"}, f"Person {n}")


@pytest.mark.parametrize(("point", "count"), POINTS)
def test_killed_at_every_point_of_the_steps_of_a_create(real: App, point: str, count: int) -> None:
    real.people(*PEOPLE)
    killed(real.config, point, count)
    finish(real)
    whole(real, 1, 2)
    before = len(real.log())
    asyncio.run(run(Environment(), real.config))
    assert len(real.log()) == before


def test_killed_again_and_again_between_the_steps(real: App) -> None:
    """Each run gets one request further."""
    real.people(*PEOPLE)
    for _ in range(STEPS + 1):
        killed(real.config, "after_settle", 1)
    finish(real)
    whole(real, 1, 2)


LOST = {
    "reset": "reset@create", "reset, done": "reset@create;when=after", "500": "500@create", "500, done": "500@create;when=after",
    "HTML, done": "html@create;when=after", "cut, done": "cut@create", "empty, done": "empty@create;when=after",
    "with another id, done": "literal@create;field=$id;value=%22somebody%22",
}  # fmt: skip
"""Answers to a create that do not say what became of it; "done": the account was made."""


@pytest.mark.anyio
@pytest.mark.parametrize("spec", LOST.values(), ids=LOST)
async def test_a_create_in_doubt_is_looked_for_by_its_id_and_never_sent_twice(app: App, spec: str) -> None:
    """Its label comes with the next request, so the account that is found bears none yet."""
    app.configure(MAPPED)
    app.people(*PEOPLE)
    app.sandbox.faults = spec
    report = await app.run()
    made = len(app.posts()) == 2
    assert result(report, "app").in_doubt == (0 if made else 1)
    assert next(one.path for one in app.appwrite.requests if one.operation == "fetch") == f"/v1/users/{ident(1)}"
    assert sum(one.operation == "create" for one in app.appwrite.requests) == 2, "one for each of them"
    app.appwrite.journal.log.clear()
    report = (await run(app.clock, app.config))[0]
    assert result(report, "app").in_doubt == (0 if made else 1) and not app.posts(), "within the settle window an absence proves nothing"
    posts = [mail(1)] if not made else []
    assert (await app.run()).converged and app.posts() == posts
    await app.rests()
    assert {len(user["labels"]) for user in app.project.users.values()} == {1} and len(app.project) == 2


@pytest.mark.anyio
async def test_a_create_whose_look_up_fails_too_is_found_in_the_next_run_and_its_rest_is_an_update(app: App) -> None:
    app.configure(MAPPED, lease="10m")
    app.people(*PEOPLE)
    app.sandbox.faults = "reset@create;when=after,500@fetch:6"
    assert result(await app.run(), "app").in_doubt == 1
    assert (await app.run()).converged
    assert app.writes(ident(1)) == ["PUT /{id}/labels", "PATCH /{id}/prefs", "PATCH /{id}/verification"]
    await app.rests()


@pytest.mark.anyio
async def test_a_list_that_lags_does_not_make_a_doubted_create_absent(app: App) -> None:
    app.configure(MAPPED, lease="10m")
    app.people(*PEOPLE)
    app.sandbox.list_lag = 8.0
    app.sandbox.faults = "reset@create;when=after,500@fetch:6"
    assert result(await app.run(), "app").in_doubt == 1
    app.appwrite.journal.clear()
    report, _ = await run(app.clock, app.config)
    assert report.converged and mail(1) not in app.posts()


@pytest.mark.anyio
async def test_who_signs_up_under_the_id_of_a_create_in_doubt_is_not_taken_for_what_it_made(app: App) -> None:
    app.people(*PEOPLE)
    app.sandbox.faults = "500@create"
    assert result(await app.run(), "app").in_doubt == 1
    app.project.create(ident(1), "stranger@else.example")
    before = app.user(1)
    report = await app.run()
    ((state, who, hold, _),) = app.pending()
    assert (state, who, hold, report.failed) == ("held", mail(1), "untrusted", False)
    assert app.user(1) == before


@pytest.mark.anyio
@pytest.mark.parametrize("spec", [*(f"500@update:*;after={n}" for n in (0, 1, 2)), "reset@update:*;when=after;after=1", "403@update"])
async def test_a_later_step_that_fails_is_planned_again_as_what_is_missing(app: App, spec: str) -> None:
    app.configure(MAPPED)
    app.people(*PEOPLE)
    app.sandbox.faults = spec
    report = await app.run()
    assert report.failed and result(report, "app").in_doubt == 0
    app.sandbox.faults = ()
    assert (await app.run()).converged
    assert len(app.project) == 2 and all(user["emailVerification"] for user in app.project.users.values())
    await app.rests()


@pytest.mark.anyio
async def test_what_a_failure_left_of_the_first_contact_needs_no_second_yes(app: App) -> None:
    """Three get their label, more than ten only their account: more than may change in a day without a person's yes."""
    app.configure(concurrency=20)
    app.people(*(person(n) for n in range(1, 31)))
    app.sandbox.faults = "500@update:*;after=3"
    report = await app.run()
    assert report.failed and result(report, "app").applied["create"] == 3 and 13 < len(app.posts()) < 30
    app.sandbox.faults = ()
    assert (await app.run()).converged, app.pending()
    await app.rests()


@pytest.mark.anyio
async def test_a_step_that_never_gets_an_answer_is_sent_again(app: App) -> None:
    app.people(*PEOPLE)
    app.sandbox.faults = "timeout@update;when=after"
    with impatience():
        assert (await app.run()).converged
    await app.rests()


@pytest.mark.parametrize(("point", "count"), [("after_send", 1), ("after_settle", 1), ("after_intent", 2), ("after_send", 2)])
def test_killed_while_disabling_the_sessions_end_all_the_same(real: App, point: str, count: int) -> None:
    real.people(*PEOPLE)
    finish(real)
    real.project.sign_in(ident(1))
    real.people(PEOPLE[1])
    killed(real.config, point, count)
    assert not real.user(1)["status"]
    finish(real)
    assert real.project.sessions == {} and not real.user(1)["status"]
