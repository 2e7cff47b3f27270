"""A watermark is good under the circumstances alone under which it was left; and who asks with other credentials proves no absence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from syncd.connectors.memory import MemoryConnector
from syncd.connectors.twilio import TwilioOptions
from syncd.errors import Retryable
from syncd.model import Cursor, Gone, Page, Ref, Watermark
from syncd.store import connections, missing
from tests import stores
from tests.engine.test_delta import Listening, asked, settled
from tests.engine.worlds import MakeWorld, mail, people, target, writes
from tests.world import World, planned

pytestmark = pytest.mark.anyio
FIRST, OTHER = "first secret", "another secret"


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    Listening.began.clear()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        (lambda w: setattr(w, "secret", OTHER), "its credentials"),
        (lambda w: setattr(w, "page", 7), "its configuration"),
        (lambda w: w.store.run("INSERT INTO setting (name, value) VALUES ('epoch', '1')"), "the store"),
    ],
    ids=["credentials", "options", "restored"],
)
async def test_no_delta_begins_at_a_foreign_watermark(world: MakeWorld, changes: Callable[[World], Any], what: str) -> None:
    w = await settled(world, 1, 2)
    await w.run()
    changes(w)
    report, plan = await w.run()
    assert asked() == [False, True, False]
    listing = report.results[1].listing
    assert listing is not None and listing.told == [f"{what} changed since it was last read: everything is read"]
    assert f"app: {listing.told[0]}" in plan.notes
    report, plan = await w.run()
    assert (asked(), report.converged, plan.notes) == ([True], True, ()), "it costs one whole reading"


async def test_under_the_same_circumstances_a_delta_is_enough(world: MakeWorld) -> None:
    w = await settled(world, 1, 2)
    for _ in range(3):
        w.close()
        w.open()
        await w.run()
    assert asked() == [False, True, True, True]


async def test_a_watermark_of_nobody_knows_when_is_not_used(world: MakeWorld) -> None:
    w = await settled(world, 1)
    w.store.run("UPDATE connection SET passport = NULL")
    report, _ = await w.run()
    assert (asked(), report.results[1].listing.told) == ([False, False], [])  # type: ignore[union-attr]


async def test_the_watermark_and_its_passport_are_stored_at_once(world: MakeWorld) -> None:
    """A whole reading with other credentials that proves nothing leaves neither: the next one is whole, too."""
    w = await settled(world, 1)
    before = connections.row(w.store, "app")
    w.secret = OTHER
    w.directory.fail_next("list", Retryable("HTTP 503"))
    await w.run()
    after = connections.row(w.store, "app")
    assert before is not None and after is not None
    assert (after.watermark, after.passport) == (None, before.passport)
    w.secret = FIRST
    await w.run()
    assert asked() == [False, False, False]


async def test_no_secret_is_in_the_store(world: MakeWorld) -> None:
    w = await settled(world, 1)
    w.secret = OTHER
    await w.run()
    w.close()
    held = b"".join(stores.files(w.root).values())
    assert FIRST.encode() not in held and OTHER.encode() not in held and b'"credentials":"' in held
    w.open()


def test_a_digest_of_credentials_is_keyed() -> None:
    """Who has two stores, or a list of likely secrets and no key, learns nothing."""

    def made(key: bytes, **more: Any) -> dict[str, str]:
        return TwilioOptions(account_sid="AC" + "0" * 32, **{"auth_token": "secret", **more}).passport(key)

    one = made(b"a")
    assert one == made(b"a") == made(b"a", webhooks=True, insecure_http=True)
    assert one["credentials"] != made(b"b")["credentials"]
    assert one["credentials"] != made(b"a", auth_token="other")["credentials"]
    assert one["options"] == made(b"a", auth_token="other")["options"]
    assert one["options"] != made(b"a", service_sid="IS" + "0" * 32)["options"]
    assert one["options"] != made(b"a", base_url="https://conversations.ie1.twilio.com")["options"]


async def test_a_delta_that_broke_off_is_asked_for_again(world: MakeWorld) -> None:
    """The network is no reason to read everything."""
    w = await settled(world, 1)
    for _ in range(2):
        w.directory.fail_next("list", Retryable("HTTP 503"))
        report, _ = await w.run()
        assert report.results[1].error == "HTTP 503"
    w.account(mail(1))["displayName"] = "By hand"
    report, plan = await w.run()
    assert (asked(), planned(plan), report.converged) == ([False, True, True, True], [("update", mail(1), "")], True)


def partial(*hidden: str) -> type[MemoryConnector]:
    """As it looks to somebody who is not shown these users, and is told that they do not exist."""

    class Partial(MemoryConnector):
        async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
            page = await super().list(cursor, since)
            kept = [record for record in page.records if self.parse(record).attributes["userName"] not in hidden]
            return Page(kept, page.first, page.next, complete=page.complete, watermark=page.watermark)

        async def fetch(self, ref: Ref) -> Any:
            account = self.directory.accounts.get(ref.id, {})
            return Gone(self._environment.now()) if account.get("userName") in hidden else await super().fetch(ref)

    return Partial


async def two(make: MakeWorld) -> World:
    w = make(delta=True, target=target("delete"))
    w.write(people(*range(1, 9)))
    await w.run()
    await w.run("full")
    w.clock.pass_time(timedelta(minutes=1))
    return w


async def test_who_sees_fewer_than_the_one_before_takes_nobody_for_gone(world: MakeWorld) -> None:
    """Else they would be made anew, beside the accounts that are there."""
    w = await two(world)
    w.secret, w.memory = OTHER, partial(*(mail(n) for n in range(1, 8)))
    for mode in ("delta", "full", "full", "full"):
        report, plan = await w.run(mode)
        assert (planned(plan), report.results[1].error) == ([], "")
    assert len(writes(w)) == 8
    (told,) = [note for note in plan.notes if "credentials" in note]
    assert told.startswith("app: of 7 accounts that other credentials")
    w.secret, w.memory = FIRST, MemoryConnector
    await w.run()
    assert missing.missing(w.store, "app") == []
    report, plan = await w.run("full")
    assert (report.converged, plan.notes, len(w.directory.accounts), w.verify()) == (True, (), 8, [])


async def test_who_leaves_while_credentials_change_is_gone_a_day_later(world: MakeWorld) -> None:
    w = await two(world)
    w.secret = OTHER
    (gone,) = (id for id, one in w.directory.accounts.items() if one["userName"] == mail(3))
    del w.directory.accounts[gone]
    for hours, found in [(0, []), (12, []), (12, [("create", mail(3), "")])]:
        w.clock.pass_time(timedelta(hours=hours))
        report, plan = await w.run("full")
        assert (planned(plan), report.converged) == (found, True)
    await w.run("full")
    (gone,) = (id for id, one in w.directory.accounts.items() if one["userName"] == mail(3))
    del w.directory.accounts[gone]
    w.clock.pass_time(timedelta(minutes=1))
    _, plan = await w.run("full")
    assert planned(plan) == [("create", mail(3), "")], "these credentials showed that one themselves"


async def test_new_credentials_of_the_same_account_hold_nobody(world: MakeWorld) -> None:
    w = await two(world)
    w.write(people(*range(1, 8)))
    w.secret = OTHER
    report, plan = await w.run()
    assert (planned(plan), report.converged) == ([("delete", mail(8), "")], True)
