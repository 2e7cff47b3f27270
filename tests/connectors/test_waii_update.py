"""Changing and deleting Waii users: read before they are written, written whole, and some of them never."""

from __future__ import annotations

from typing import Any

import pytest
from loopback import reply, scripted
from waii_world import ADMIN, HOME, MARKER, World, change, world

from syncd.errors import Quarantined, Rejected, Retryable, SyncdError
from syncd.model import Kind

pytestmark = pytest.mark.anyio

ADA = "ada@x.co"


def marked(**more: Any) -> dict[str, Any]:
    return {"id": ADA, "org_id": HOME, "variables__syncd": MARKER, **more}


def make(w: World, **more: Any) -> None:
    fields = {"name": "Ada", "tenant_id": "emea", "variables": {"theirs": [1], "team": "red"}, "roles": ["waii-admin-user"], **more}
    w.tree.create_tenant("emea", name="EMEA")
    w.tree.create_user(ADA, **fields)


# ---- update ------------------------------------------------------------------------------------------------------------


async def test_an_update_sends_every_field_and_loses_none() -> None:
    async with world() as w:
        make(w)
        (account,) = await w.do(change(Kind.UPDATE, ADA, name=("Ada", "Ada L."), variables__team=("red", None), variables__externalId="7"))
        assert w.writes == [
            (
                "update-user",
                {
                    "user": {
                        "id": ADA, "name": "Ada L.", "tenant_id": "emea", "org_id": HOME,
                        "variables": {"theirs": [1], "externalId": "7"}, "roles": ["waii-admin-user"],
                    }
                },
            )
        ]  # fmt: skip
        assert account is not None and account.attributes == w.tree.users[ADA]


async def test_an_update_starts_from_what_is_there_now_not_when_it_was_planned() -> None:
    async with world() as w:
        make(w)
        planned = dict(w.tree.users[ADA])
        w.tree.update_user(ADA, name="Renamed", variables={"theirs": [2]}, roles=["waii-user"], tenant_id=None)
        await w.do(change(Kind.UPDATE, ADA, document=planned, variables__team="blue"))
        assert w.tree.users[ADA] == {
            "id": ADA, "name": "Renamed", "tenant_id": None, "org_id": HOME, "variables": {"theirs": [2], "team": "blue"},
            "roles": ["waii-user"],
        }  # fmt: skip


async def test_variables_as_a_whole_and_by_member() -> None:
    async with world() as w:
        make(w, variables=None)
        await w.do(change(Kind.UPDATE, ADA, variables__a__b=1))
        assert w.tree.users[ADA]["variables"] == {"a": {"b": 1}}
        await w.do(change(Kind.UPDATE, ADA, variables={"c": 1}, variables__d=2))
        assert w.tree.users[ADA]["variables"] == {"c": 1, "d": 2}
        await w.do(change(Kind.UPDATE, ADA, variables=({"c": 1}, None)))
        assert w.tree.users[ADA]["variables"] == {}


@pytest.mark.parametrize("roles", [None, [], ["waii-api-user"]])
async def test_who_loses_all_roles_is_given_the_default_one(roles: Any) -> None:
    async with world() as w:
        make(w)
        await w.do(change(Kind.UPDATE, ADA, roles=(["waii-admin-user"], roles)))
        assert w.writes[0][1]["user"]["roles"] == ["waii-api-user"]


async def test_key_and_organization_cannot_be_changed() -> None:
    async with world() as w:
        for path in ("id", "org_id"):
            with pytest.raises(Rejected, match="no request that changes it"):
                w.connector.steps(change(Kind.UPDATE, ADA, **{path: ("a", "b")}))
        with pytest.raises(Rejected, match="nickname"):
            w.connector.steps(change(Kind.UPDATE, ADA, nickname="x"))
        assert w.connector.steps(change(Kind.ADOPT, ADA)) == ()


@pytest.mark.parametrize("faults", ["reset@update;when=after", "500@update;when=after", "500@update:2", "error_body@update", "429@update"])
async def test_an_update_without_an_answer_is_sent_again(faults: str) -> None:
    async with world(sandbox={"faults": faults}) as w:
        make(w)
        await w.do(change(Kind.UPDATE, ADA, name="x"))
        assert w.tree.users[ADA]["name"] == "x"


async def test_an_update_of_nobody_is_rejected() -> None:
    async with world() as w:
        with pytest.raises(Rejected, match="not shown in any organization"):
            await w.do(change(Kind.UPDATE, "nobody", name="x"))
        assert w.writes == []


async def test_an_update_is_one_step_of_three_requests_in_the_organization_it_was_planned_in() -> None:
    async with world() as w:
        w.tree.create_organization("bolt")
        w.tree.create_user(ADA, "bolt")
        await w.connector.list(None)
        w.recorder.sent.clear()
        await w.do(change(Kind.UPDATE, ADA, document={"org_id": "bolt"}, name="x"))
        assert w.operations == ["list-users", "update-user", "list-users"]
        assert w.sent[0].json["lookup_org_id"] == "bolt"


# ---- whom we may touch -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.DISABLE, Kind.DELETE])
async def test_our_own_account_and_those_who_may_do_more_are_never_touched(kind: Kind) -> None:
    async with world() as w:
        w.tree.create_user("boss", roles=["waii-super-admin-user"])
        w.tree.update_user(ADMIN, roles=["waii-org-admin-user"])
        before = w.tree.users
        for account in (ADMIN, "boss"):
            with pytest.raises(Rejected, match="never touched"):
                await w.do(change(kind, account, **({} if kind is Kind.DELETE else {"name": "x"})))
        assert (w.writes, w.tree.users) == ([], before)


# ---- delete ------------------------------------------------------------------------------------------------------------


async def test_a_delete() -> None:
    async with world() as w:
        make(w)
        assert (await w.do(change(Kind.DELETE, ADA, document={"org_id": HOME})))[-1] is None
        assert ADA not in w.tree.users
        assert w.writes == [("delete-user", {"id": ADA})]


@pytest.mark.parametrize("absent", [400, 404, 422])
async def test_a_delete_of_what_no_organization_shows_any_more_is_done(absent: int) -> None:
    async with world() as w:
        w.tree.absent = absent
        await w.do(change(Kind.DELETE, "nobody", document={"org_id": "gone"}))
        assert [record.status for record in w.waii.log] == [absent]


async def test_a_refused_delete_of_somebody_who_is_there_is_rejected() -> None:
    async with world(sandbox={"faults": "400@delete"}) as w:
        make(w)
        with pytest.raises(Rejected, match="Bad request"):
            await w.do(change(Kind.DELETE, ADA))


@pytest.mark.parametrize("faults", ["reset@delete;when=after", "500@delete;when=after"])
async def test_a_delete_without_an_answer_is_sent_again(faults: str) -> None:
    async with world(sandbox={"faults": faults}) as w:
        make(w)
        await w.do(change(Kind.DELETE, ADA))
        assert [record.status for record in w.waii.log[-2:]] == [200, 400]


@pytest.mark.parametrize("status", ["401", "403"])
@pytest.mark.parametrize("operation", ["create", "update", "delete"])
async def test_refused_credentials_stop_the_connection(status: str, operation: str) -> None:
    async with world(sandbox={"faults": f"{status}@{operation}"}) as w:
        make(w)
        asked = {
            "create": change(Kind.CREATE, **marked(id="bea")), "update": change(Kind.UPDATE, ADA, name="x"),
            "delete": change(Kind.DELETE, ADA),
        }  # fmt: skip
        with pytest.raises(Quarantined):
            await w.do(asked[operation])


# ---- the dry-run door --------------------------------------------------------------------------------------------------


async def test_a_connection_that_is_only_read_lets_reads_pass_and_no_write() -> None:
    async with world(writable=False) as w:
        make(w)
        for one in (change(Kind.CREATE, **marked(id="bea")), change(Kind.UPDATE, ADA, name="x"), change(Kind.DELETE, ADA)):
            with pytest.raises(SyncdError):
                await w.do(one)
        assert w.writes == []


async def test_a_provider_that_cannot_be_reached_did_nothing() -> None:
    async with scripted(reply()) as server:
        url = server.url
    async with world(base_url=f"{url}/api/") as w:
        for one in (change(Kind.CREATE, **marked()), change(Kind.UPDATE, ADA, name="x")):
            with pytest.raises(Retryable):
                await w.do(one)


async def test_every_write_asks_for_permission_and_no_read_does() -> None:
    async with world() as w:
        make(w)
        asked: list[str] = []

        def permit() -> None:
            asked.append(w.operations[-1])
            if len(w.writes) == 2:
                raise Quarantined("another run holds the lease")

        w.connector.permit = permit
        assert w.connector.permit is permit
        await w.connector.list(None)
        await w.do(change(Kind.UPDATE, ADA, name="x"))
        await w.do(change(Kind.CREATE, **marked(id="bea")))
        with pytest.raises(Quarantined, match="another run"):
            await w.do(change(Kind.DELETE, ADA))
        assert [operation for operation, _ in w.writes] == ["update-user", "create-user"]
        assert len(asked) == 2 + 2 + 1, "the head and the body of each write"
