"""Records of a target that cannot be read: where no key of the provider's prevents it, a newcomer's account could be among them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.errors import Rejected
from syncd.model import Account
from tests.engine.worlds import MakeWorld, established, mail, names, people, quiet
from tests.world import person, planned

pytestmark = pytest.mark.anyio


class Garbling(MemoryConnector):
    """Cannot read a record that calls itself garbled; its id is known all the same."""

    def parse(self, record: bytes) -> Account:
        account = super().parse(record)
        if account.attributes.get("title") == "garbled":
            raise Rejected("title: not a title", account=account.id)
        return account


class Keyless(Garbling):
    """Nothing there is unique but the id that the provider makes."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.capability = replace(self.capability, key=None)


async def test_creates_wait_while_a_record_that_is_nobodys_cannot_be_read(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), memory=Keyless)
    w.directory.add("x9", userName="x9@corp.example", email="x9@corp.example", title="garbled")
    w.write([person(1, phone="5"), person(3)])
    report, plan = await w.run()
    assert planned(plan) == [("create", mail(3), "unreadable"), ("delete", mail(2), ""), ("update", mail(1), "")]
    assert "cannot be read (x9), and this person's account may be among them: mend them" in plan.connections[1].reason
    assert names(w) == {mail(1), "x9@corp.example"}
    w.directory.accounts["x9"]["title"] = "Chef"
    report, plan = await w.run()
    assert (planned(plan), report.converged, quiet(w)) == ([("create", mail(3), "")], True, True)


async def test_a_person_can_release_who_is_new_for_certain(world: MakeWorld) -> None:
    w = await established(world, *people(1), memory=Keyless)
    for number in range(7):
        w.directory.add(f"x{number}", userName=f"x{number}", title="garbled")
    w.write(people(1, 3))
    _, plan = await w.run()
    assert "(x0, x1, x2, x3, x4 and 2 more)" in plan.connections[1].reason
    w.release()
    _, plan = await w.run()
    assert (planned(plan), mail(3) in names(w)) == ([("create", mail(3), "")], True)


async def test_a_record_of_somebody_who_is_linked_hides_nobody(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), memory=Keyless)
    w.account(mail(2))["title"] = "garbled"
    w.write(people(1, 2, 3))
    _, plan = await w.run()
    assert (planned(plan), len(w.directory.accounts)) == ([("create", mail(3), "")], 3)


async def test_where_the_provider_refuses_a_second_one_nothing_waits(world: MakeWorld) -> None:
    w = await established(world, *people(1), memory=Garbling)
    w.directory.add("x9", userName="x9", title="garbled")
    w.write(people(1, 3))
    _, plan = await w.run()
    assert (planned(plan), mail(3) in names(w)) == ([("create", mail(3), "")], True)


async def test_at_the_first_contact_they_wait_for_a_word_of_their_own(world: MakeWorld) -> None:
    w = world(memory=Keyless)
    w.directory.add("x9", userName="x9", title="garbled")
    w.write(people(1))
    _, plan = await w.run()
    assert (planned(plan), len(w.directory.accounts)) == ([("create", mail(1), "unreadable")], 1)


async def test_a_delta_that_does_not_show_them_again_lets_nobody_pass(world: MakeWorld) -> None:
    w = await established(world, *people(1), memory=Keyless, delta=True)
    w.directory.add("x9", userName="x9@corp.example", title="garbled")
    w.write(people(1, 3))
    for mode in ("full", "delta", "delta"):
        report, plan = await w.run(mode)
        assert planned(plan) == [("create", mail(3), "unreadable")], mode
    assert report.results[1].listing is not None and report.results[1].listing.flaws == []
    w.directory.accounts["x9"]["title"] = "Chef"
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(3), "")]
