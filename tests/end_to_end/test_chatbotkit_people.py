"""Whole cycles against the emulated ChatBotKit: nobody doubled though the provider chooses ids, nobody's alias erased unasked."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.connectors.chatbotkit import ChatBotKitConnector, ChatBotKitOptions
from syncd.connectors.chatbotkit_table import CAPABILITY
from syncd.engine.planning import Plan
from syncd.engine.report import Report
from syncd.model import Connection, Deprovision, MapEntry, Rate, Target
from syncd.sandbox import Sandbox, serve
from syncd.sandbox.chatbotkit_parent import Parent
from syncd.store import waiting
from tests import stores
from tests.world import World, entries, person, planned

pytestmark = pytest.mark.anyio
SETTLE = timedelta(seconds=30)
GONE = Deprovision(inactive="disable", out_of_scope="disable", departed="delete", grace=timedelta(0))


class Office:
    """People in a file, and their users at ChatBotKit; time passes only when a test says so."""

    def __init__(self, world: World, sandbox: Sandbox, url: str) -> None:
        self.world, self.sandbox, self.url = world, sandbox, url
        self.target = Target(attributes=(), settle=SETTLE)
        self.mapped: dict[str, Any] = {}

    @property
    def parent(self) -> Parent:
        return self.sandbox.chatbotkit.parent

    @property
    def emails(self) -> Counter[str]:
        return Counter(user["email"] for user in self.parent.users.values())

    def posted(self, what: str) -> int:
        return sum(one.path.endswith(f"/{what}") for one in self.sandbox.chatbotkit.requests)

    def user(self, number: int) -> dict[str, Any]:
        found = self.parent.by_email(f"p{number}@corp.example")
        assert found is not None
        return found

    async def run(self, *rows: dict[str, str], later: timedelta = timedelta(0)) -> tuple[Report, Plan]:
        """One cycle over the people and ChatBotKit, agreed to, ``later`` than the one before."""
        self.world.clock.pass_time(later)
        if rows:
            self.world.write(rows)
        options = ChatBotKitOptions.model_validate({"base_url": f"{self.url}/v1", "secret": self.sandbox.chatbotkit.secret})
        connector = ChatBotKitConnector(options, environment=self.world.clock, rate=Rate(), writable=True)
        mapped = {**{one.name: one for one in entries(CAPABILITY.write_defaults)}, **{one.name: one for one in entries(self.mapped)}}
        target = Target(**{**{name: getattr(self.target, name) for name in Target.__slots__}, "attributes": tuple(mapped.values())})
        connection = Connection(
            "bots", "chatbotkit", options.binding(), "bots", read=entries(CAPABILITY.read_defaults), write=target, rate=Rate(concurrency=2)
        )
        self.world.extra = [(connection, connector)]
        try:
            return await self.world.run(selection=["people", "bots"])
        finally:
            await connector.aclose()

    async def settled(self, *rows: dict[str, str]) -> None:
        report, _ = await self.run(*rows)
        assert report.converged


@asynccontextmanager
async def office(root: Path) -> AsyncIterator[Office]:
    world = World(root, read={"userName": "email", "displayName": "name"})
    sandbox = Sandbox(environment=world.clock)
    with serve(sandbox) as url:
        try:
            yield Office(world, sandbox, url)
        finally:
            world.close()


async def test_everybody_is_made_once_found_again_and_left_alone(tmp_path: Path) -> None:
    async with office(tmp_path) as one:
        await one.settled(person(1), person(2), person(3))
        user = one.user(1)
        assert user["name"] == "Person 1"
        assert set(user["meta"]) == {"syncd", "externalId"}
        assert user["meta"]["externalId"] == "e1"
        writes = len(one.sandbox.chatbotkit.log)
        report, plan = await one.run()
        assert (report.converged, planned(plan), len(one.sandbox.chatbotkit.log)) == (True, [], writes)
        assert one.world.verify() == []


async def test_a_lost_store_takes_everybody_back_and_writes_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as one:
        await one.settled(person(1), person(2))
        writes = len(one.sandbox.chatbotkit.log)
        one.world.close()
        stores.lose(tmp_path)
        one.world.open()
        report, plan = await one.run()
        assert [kind for kind, _, _ in planned(plan)] == ["adopt", "adopt"]
        assert (report.converged, len(one.sandbox.chatbotkit.log)) == (True, writes)


@pytest.mark.parametrize("done", ["", ";when=after"], ids=["not done", "done"])
@pytest.mark.parametrize("fault", ["500", "reset", "error_body"])
async def test_a_create_without_an_answer_is_not_sent_again_before_a_complete_view_after_the_settle_window(
    tmp_path: Path, fault: str, done: str
) -> None:
    async with office(tmp_path) as one:
        await one.settled(person(1))
        one.sandbox.list_lag = 20.0  # neither the filter nor a listing shows what was just made
        one.sandbox.faults = f"{fault}@create{done}"
        asked = one.posted("create")
        await one.run(person(1), person(2), later=timedelta(minutes=1))
        assert [state for state, _, _ in one.world.pending()] == ["in_doubt"]
        await one.run(later=timedelta(seconds=10))
        assert one.posted("create") == asked + 1, "an absence within the settle window proves nothing"
        one.sandbox.faults = "500@list:*"
        await one.run(later=SETTLE)
        assert one.posted("create") == asked + 1, "nor does one in a listing that could not be read"
        one.sandbox.faults = ""
        for _ in range(2):
            report, _ = await one.run(later=SETTLE)
        assert report.converged
        assert one.posted("create") == asked + (1 if done else 2)
        assert one.emails == {"p1@corp.example": 1, "p2@corp.example": 1}
        assert one.world.pending() == []


async def test_a_create_that_its_marker_finds_at_once_is_settled_at_once(tmp_path: Path) -> None:
    async with office(tmp_path) as one:
        one.sandbox.faults = "500@create;when=after"
        await one.settled(person(1))
        assert one.emails == {"p1@corp.example": 1}


async def test_a_stranger_is_adopted_only_after_a_person_agreed_that_its_alias_may_go(tmp_path: Path) -> None:
    async with office(tmp_path) as one:
        id = one.parent.create({"email": "p1@corp.example", "name": "Theirs", "alias": "theirs", "meta": {"theirs": 1}}).id
        report, plan = await one.run(person(1), person(2))
        assert planned(plan) == [("adopt", "p1@corp.example", "erases"), ("create", "p2@corp.example", "")]
        assert report.waiting
        (held,) = [row.held for row in plan.changes() if row.hold == "erases"]
        assert held == f"writing to account {id} may erase its alias, which no answer shows"
        assert one.user(1)["alias"] == "theirs"
        one.world.release("p1@corp.example")
        await one.settled()
        user = one.user(1)
        assert (user["id"], user["name"], user["alias"], user["meta"]["theirs"]) == (id, "Person 1", None, 1)
        _, plan = await one.run({**person(1), "name": "Renamed"}, person(2))
        assert planned(plan) == [("update", "p1@corp.example", "")]


async def test_a_mapped_alias_survives_every_update(tmp_path: Path) -> None:
    async with office(tmp_path) as one:
        one.mapped = {"alias": MapEntry("alias", "expr", "lower(title)")}
        id = one.parent.create({"email": "p1@corp.example", "alias": "theirs"}).id
        await one.settled({**person(1), "title": "Boss"}, {**person(2), "title": "Cook"})
        assert (one.user(1)["id"], one.user(1)["alias"], one.user(2)["alias"]) == (id, "boss", "cook")
        _, plan = await one.run({**person(1), "title": "Boss", "name": "Renamed"}, {**person(2), "title": "Cook"})
        assert planned(plan) == [("update", "p1@corp.example", "")]
        assert (one.user(1)["name"], one.user(1)["alias"]) == ("Renamed", "boss")
        assert one.world.verify() == []


async def test_what_the_plan_of_the_provider_has_no_room_for_is_rejected_in_its_words(tmp_path: Path) -> None:
    async with office(tmp_path) as one:
        await one.settled(person(1))
        one.parent.quota = 1
        one.world.write([{**person(1), "name": "Renamed"}, person(2)])
        await one.run()
        assert [(state, who) for state, _, who in one.world.pending()] == [("rejected", "p2@corp.example")]
        assert one.user(1)["name"] == "Renamed", "the others go on"
        (row,) = waiting.listing(one.world.store)
        assert "You have exceeded your allocated database limits: database/user" in row.reason


async def test_leavers_lose_their_tokens_and_their_overlay_goes_when_they_return(tmp_path: Path) -> None:
    async with office(tmp_path) as one:
        one.target = Target(attributes=(), settle=SETTLE, deprovision=GONE, disabled={"meta.off": True})
        one.mapped = {"alias": MapEntry("alias", "name", "title")}
        rows = [{**person(n), "title": f"a{n}"} for n in (1, 2, 3)]
        await one.settled(*rows)
        for n in (1, 2, 3):
            one.parent.create_token(one.user(n)["id"], {})
        inactive, departed = one.user(1)["id"], one.user(2)["id"]
        await one.settled({**rows[0], "active": "no"}, rows[2])
        assert (one.user(1)["meta"]["off"], one.user(1)["alias"]) == (True, "a1")
        assert {id: len(tokens) for id, tokens in one.parent.tokens.items()} == {inactive: 0, one.user(3)["id"]: 1}
        assert departed not in one.parent.users
        await one.settled(rows[0], rows[2])
        assert "off" not in one.user(1)["meta"]
        assert one.user(1)["alias"] == "a1"


async def test_a_description_is_kept_in_step_though_fetches_lack_it(tmp_path: Path) -> None:
    async with office(tmp_path) as one:
        one.mapped = {"description": "title"}
        await one.settled({**person(1), "title": "Boss"})
        await one.settled({**person(1), "title": "Chief"})
        assert one.user(1)["description"] == "Chief"
        _, plan = await one.run()
        assert planned(plan) == []


async def test_between_full_readings_only_newcomers_are_asked_for(tmp_path: Path) -> None:
    async with office(tmp_path) as one:
        await one.settled(person(1), person(2))
        await one.settled()
        one.parent.update(one.user(1)["id"], {"name": "Drifted", "meta": {"$update": {"theirs": 1}}})
        stranger = one.parent.create({"email": "p3@corp.example", "name": "Theirs"}).id
        asked = len(one.sandbox.chatbotkit.requests)
        _, plan = await one.run(later=timedelta(minutes=5))
        lists = [request.query for request in one.sandbox.chatbotkit.requests[asked:]]
        assert [query.startswith("cursor=") for query in lists] == [True], "one request, behind the first of the last ones seen"
        assert planned(plan) == []
        _, plan = await one.run(person(1), person(2), person(3))
        assert [(row.kind, row.account, row.hold) for row in plan.changes()] == [("adopt", stranger, "erases")]
        await one.run(later=timedelta(hours=25))
        assert one.user(1)["name"] == "Person 1"
        assert one.user(1)["meta"]["theirs"] == 1


async def test_a_stranger_of_long_ago_is_adopted_with_its_description_known(tmp_path: Path) -> None:
    async with office(tmp_path) as one:
        one.mapped = {"description": "title", "alias": "department"}
        one.parent.create({"email": "p2@corp.example", "name": "Person 2", "description": "D"})
        await one.settled(person(1))
        await one.settled()
        _, plan = await one.run(person(1), {**person(2), "title": "Boss"})
        assert planned(plan) == [("adopt", "p2@corp.example", "")]
        assert one.user(2)["description"] == "Boss"
