"""A past time is told as it was: on random worlds, every run's end is found again from now backwards."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given

from syncd.core.fingerprint import canonical
from syncd.engine.past import earliest, past
from tests.engine.test_explain import context, id_of
from tests.engine.test_properties import NUMBERS, Story, few, rules, scripts
from tests.engine.worlds import MakeWorld, Template, established, mail, people, target
from tests.world import World, person

pytestmark = pytest.mark.anyio


@dataclass
class Known:
    """What the store said of everybody at one time: identity -> (live, attributes, account at the target, its document)."""

    at: datetime
    people: dict[str, tuple[Any, ...]]


def now(w: World) -> Known:
    rows = w.store.rows(
        "SELECT i.id, i.live, i.attributes, a.account, a.document FROM identity AS i"
        " LEFT JOIN link AS l ON l.identity = i.id LEFT JOIN account AS a ON a.id = l.account_id AND a.gone_at IS NULL"
    )
    return Known(w.clock.now(), {row.id: tuple(row)[1:] for row in rows})


def check(w: World, known: Known) -> None:
    for id, (live, attributes, account, document) in known.people.items():
        made = past(context(w), id, known.at)
        assert made.someone.live == live
        assert canonical(made.someone.attributes) == canonical(orjson.loads(attributes))
        (then,) = made.targets
        assert then.held.account == account
        if then.held.document is not None:
            assert canonical(then.held.document) == canonical(orjson.loads(document))


@few
@given(scripts, rules)
def test_every_run_is_found_again(template: Template, script: Any, rule: dict[str, Any]) -> None:
    async def story(w: World) -> None:
        told, known = Story(w), []
        for number in NUMBERS:
            told.edit("hire", number, "x")
        for scene in script:
            await told.play([scene])
            known.append(now(w))
            w.clock.pass_time(timedelta(minutes=1))
        for one in known:
            check(w, one)

    with template.temporary(target=target(**rule)) as w:
        asyncio.run(story(w))


async def test_what_happened_before_and_since(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    then = w.clock.now()
    w.clock.pass_time(timedelta(hours=1))
    w.write([person(1, title="Chief"), person(2)])
    await w.run()
    made = past(context(w), id_of(w, mail(1)), then)
    (at,) = made.targets
    assert [(one.what, one.body["kind"]) for one in at.before] == [("sent", "create")]
    assert [(one.what, one.body["kind"]) for one in at.after] == [("sent", "update")]
    assert [(one.what, one.body["moved"]) for one in made.after] == [("observed", {"title": [None, "Chief"]})]
    assert at.projection.desired == at.projection.actual


async def test_before_the_first_sight_nothing_is_known(world: MakeWorld) -> None:
    w = world(target=target("delete"))
    w.clock.pass_time(timedelta(days=1))
    began = w.clock.now()
    w.write(people(1))
    await w.run()
    w.clock.pass_time(timedelta(days=1))
    w.write(people(1, 2))
    await w.run()
    assert earliest(context(w), id_of(w, mail(1))) == began
    assert earliest(context(w), id_of(w, mail(2))) == began + timedelta(days=1)
    w.write([person(1, title="Chief"), person(2)])
    w.clock.pass_time(timedelta(days=1))
    await w.run()
    assert earliest(context(w), id_of(w, mail(1))) == began, "who moved since was first seen when they got their account"


async def test_an_account_of_a_second_source_is_not_told_of_a_time_before_it(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2))
    then = w.clock.now()
    w.store.run(
        "INSERT INTO run (id, mode, started) VALUES (99, 'full', '2099-01-01T00:00:00.000000Z')",
    )
    w.store.run(
        "INSERT INTO account (connection, object, account, ordinal, identity, ignored, reading, missing_times, run)"
        " VALUES ('people', 'user', 'second', 9, :who, FALSE, '{\"title\":\"Later\"}', 0, 99)",
        who=id_of(w, mail(1)),
    )
    made = past(context(w), id_of(w, mail(1)), then)
    assert [one.account for one in made.someone.sightings] == ["e1"]
    assert "title" not in made.someone.attributes
