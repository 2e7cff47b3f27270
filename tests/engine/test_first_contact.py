"""The first contact with a target: everything waits for one yes; and the return of a store that was lost."""

from __future__ import annotations

import copy
from datetime import timedelta

import orjson
import pytest

from syncd.errors import Quarantined, Rejected, Retryable, SyncdError
from syncd.store import waiting
from tests import stores
from tests.engine.worlds import MakeWorld, established, mail, people, settled, target, writes
from tests.world import LIMITS, World, person, planned

pytestmark = pytest.mark.anyio


async def test_everything_is_held_until_somebody_says_yes(world: MakeWorld) -> None:
    w = world(limits=LIMITS)
    w.write(people(*range(30)))
    for _ in range(2):
        report, plan = await w.run(yes=False)
        assert {(kind, code) for kind, _, code in planned(plan)} == {("create", "first_contact")}
        assert (report.declined, report.waiting, writes(w)) == (True, True, [])
        assert report.results[1].held == 30
    report, plan = await w.run()
    assert (report.converged, len(w.directory.accounts)) == (True, 30), "released, and counted by no limit"
    assert plan.connections[1].reason.startswith("first contact")


async def test_a_plan_alone_consents_to_nothing(world: MakeWorld) -> None:
    w = world()
    w.write(people(1))
    report, plan = await w.run("plan")
    assert (planned(plan), writes(w), report.declined) == ([("create", mail(1), "first_contact")], [], False)


async def test_a_yes_releases_creates_updates_and_trusted_adoptions_only(world: MakeWorld) -> None:
    """p2 is adopted by its userName; p3 matches by an e-mail its holder can edit; nothing was ever written here."""
    w = world()
    w.directory.add("a2", userName=mail(2), displayName="Old name")
    w.directory.add("a3", userName="someone", email=mail(3))
    w.write(people(1, 2, 3))
    report, plan = await w.run()
    assert planned(plan) == [("adopt", mail(2), ""), ("adopt", mail(3), "untrusted"), ("create", mail(1), "")]
    assert (report.results[1].held, w.directory.accounts["a3"]) == (1, {"userName": "someone", "email": mail(3)})
    assert w.directory.accounts["a2"]["displayName"] == "Person 2"
    assert plan.connections[1].accounts == {
        "linked": 0, "adoptable": 1, "ambiguous": 1, "unmanaged": 0, "ignored": 0, "rejected": 0
    }  # fmt: skip


async def lose(w: World) -> None:
    """syncd.db is deleted; the next run starts with an empty store."""
    w.close()
    stores.lose(w.root)
    w.open()


async def test_after_a_lost_store_everything_is_owned_again_and_nothing_written_or_doubled(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3), target=target("delete"), limits=LIMITS)
    before, sent = copy.deepcopy(w.directory.accounts), len(w.directory.log)
    await lose(w)
    report, plan = await w.run(yes=False)
    assert planned(plan) == [("adopt", mail(number), "first_contact") for number in (1, 2, 3)]
    report, plan = await w.run()
    assert (report.converged, report.results[1].applied["adopt"]) == (True, 3)
    assert (w.directory.accounts, len(w.directory.log)) == (before, sent)
    assert settled(w) == 0, "taking back ownership does not end the first contact"
    w.write([person(1, phone="5"), person(2), person(4)])
    report, plan = await w.run(yes=False)
    assert {code for _, _, code in planned(plan)} == {"first_contact"}
    report, plan = await w.run()
    assert planned(plan) == [("create", mail(4), ""), ("delete", mail(3), "first_contact"), ("update", mail(1), "")]
    assert (settled(w), report.results[1].held) == (2, 1)
    report, plan = await w.run()
    assert planned(plan) == [("delete", mail(3), "")]
    assert not w.verify()


async def test_deletes_and_disables_stay_held_until_the_first_contact_is_over_also_when_released(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2, 3), target=target("delete", rules={"inactive": "disable"}))
    await lose(w)
    await w.run()
    w.write([person(1, active="no"), person(3)])
    for _ in range(2):
        _, plan = await w.run()
        assert planned(plan) == [("delete", mail(2), "first_contact"), ("disable", mail(1), "first_contact")]
        w.release()
    w.write([person(1, active="no"), person(3, phone="5")])
    await w.run()
    assert len(w.directory.accounts) == 3
    report, plan = await w.run()
    assert planned(plan) == [("delete", mail(2), ""), ("disable", mail(1), "")]
    assert report.converged


async def test_a_marker_of_ours_that_nobody_here_answers_to_is_rewritten(world: MakeWorld) -> None:
    """The source was renamed while the store was lost: other identity ids, the same people by their trusted keys."""
    w = await established(world, *people(1, 2))
    w.account(mail(1))["meta"]["syncd"] = "default:00000000-0000-0000-0000-000000000000"
    await lose(w)
    report, plan = await w.run()
    assert [(row.kind, row.who, sorted(orjson.loads(row.delta))) for row in plan.changes()] == [
        ("adopt", mail(1), ["meta.syncd"]), ("adopt", mail(2), [])
    ]  # fmt: skip
    assert (report.converged, len(w.directory.accounts)) == (True, 2)


async def test_an_account_of_ours_whose_person_is_unknown_is_left_alone(world: MakeWorld) -> None:
    w = await established(world, *people(1, 2), target=target("delete"))
    before = copy.deepcopy(w.account(mail(1)))
    await lose(w)
    w.write(people(2))
    for _ in range(3):
        report, plan = await w.run()
        assert (report.converged, w.account(mail(1))) == (True, before)
    assert plan.connections[1].accounts["unmanaged"] == 1


@pytest.mark.parametrize(("failure", "times"), [(Retryable("HTTP 503"), 12), (Quarantined("HTTP 401"), 2)])
async def test_what_a_failure_left_of_the_first_plan_goes_on_though_the_limits_would_stop_it(
    world: MakeWorld, failure: SyncdError, times: int
) -> None:
    w = world(limits=LIMITS)
    w.write(people(*range(30)))
    for _ in range(times):
        w.directory.fail_next("create", failure)
    report, _ = await w.run()
    assert (report.failed, 0 < len(w.directory.accounts) < 10) == (True, True)
    w.clock.pass_time(timedelta(hours=1))
    report, plan = await w.run()
    assert all(row.released for row in plan.changes())
    assert (report.converged, len(w.directory.accounts)) == (True, 30)


async def test_one_refused_record_of_the_first_plan_is_reported_as_rejected(world: MakeWorld) -> None:
    w = world()
    w.write(people(1, 2))
    w.directory.fail_next("create", Rejected("no such luck"))
    report, _ = await w.run()
    assert (report.results[1].rejected, report.results[1].held, report.converged) == (1, 0, False)
    assert [row.state for row in waiting.listing(w.store)] == ["rejected"]


async def test_a_yes_in_cron_is_the_consent_once_and_releases_nothing_afterwards(world: MakeWorld) -> None:
    w = await established(world, *people(*range(1, 12)), limits=LIMITS)
    w.write(people(*range(1, 40)))
    report, plan = await w.run()
    assert {code for _, _, code in planned(plan)} == {"limit"}
    assert (report.waiting, len(w.directory.accounts)) == (True, 11)


async def test_apply_never_holds_even_what_was_released(world: MakeWorld) -> None:
    w = world(target=target(apply="never"))
    w.write(people(1))
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(1), "apply")]
    w.release()
    report, plan = await w.run()
    assert (planned(plan), writes(w)) == ([("create", mail(1), "apply")], [])
    assert report.waiting


async def test_a_consent_given_to_nothing_is_not_used_up(world: MakeWorld) -> None:
    """An empty first plan asks nobody and ends nothing."""
    w = world(target=target(scope='department == "Nowhere"'))
    w.write(people(1))
    report, plan = await w.run(yes=False)
    assert (report.converged, plan.first_contacts, settled(w)) == (True, (), 0)
    w.target = target()
    report, plan = await w.run(yes=False)
    assert planned(plan) == [("create", mail(1), "first_contact")]


async def test_nobody_is_asked_for_a_yes_that_would_let_nothing_go(world: MakeWorld) -> None:
    """Only a leaver is left, which a yes does not release; and where `apply` is never, a yes is of no use."""
    w = await established(world, *people(1, 2), target=target("delete"))
    await lose(w)
    await w.run()
    w.write(people(2))
    report, plan = await w.run(yes=False)
    assert (planned(plan), plan.first_contacts, report.declined) == ([("delete", mail(1), "first_contact")], (), False)
    w.target = target("delete", apply="never")
    w.write(people(1, 2, 3))
    report, plan = await w.run(yes=False)
    assert (planned(plan), plan.first_contacts, report.declined) == ([("create", mail(3), "apply")], (), False)
