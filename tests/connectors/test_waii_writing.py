"""Writing Waii's users: whole objects, read before they are written and read back afterwards, each exactly once."""

from __future__ import annotations

from typing import Any

import pytest
from loopback import reply, scripted
from waii_world import ADMIN, HOME, MARKER, World, change, world

from syncd.connectors.answer import Conflict
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable, SyncdError
from syncd.model import Account, Kind

pytestmark = pytest.mark.anyio

ADA = "ada@x.co"


def marked(**more: Any) -> dict[str, Any]:
    return {"id": ADA, "org_id": HOME, "variables__syncd": MARKER, **more}


def make(w: World, **more: Any) -> None:
    fields = {"name": "Ada", "tenant_id": "emea", "variables": {"theirs": [1], "team": "red"}, "roles": ["waii-admin-user"], **more}
    w.tree.create_tenant("emea", name="EMEA")
    w.tree.create_user(ADA, **fields)


# ---- create ------------------------------------------------------------------------------------------------------------


async def test_a_user_is_created_whole_and_read_back() -> None:
    async with world() as w:
        asked = marked(name="Ada", variables__externalId="7", variables__team=None, roles=["waii-user"])
        (account,) = await w.do(change(Kind.CREATE, **asked))
        assert w.writes == [
            (
                "create-user",
                {
                    "user": {
                        "id": ADA, "name": "Ada", "tenant_id": None, "org_id": HOME, "variables": {"externalId": "7", "syncd": MARKER},
                        "roles": ["waii-user"],
                    }
                },
            )
        ]  # fmt: skip
        assert isinstance(account, Account)
        assert (account.id, account.container, account.attributes["roles"]) == (ADA, HOME, ["waii-user"])


async def test_who_is_given_no_role_has_the_default_one_which_counts_as_none() -> None:
    async with world() as w:
        (account,) = await w.do(change(Kind.CREATE, **marked()))
        assert w.writes[0][1]["user"]["roles"] == []
        assert account is not None and account.attributes["roles"] == ["waii-api-user"]
        normalize = w.connector.capability.attributes["roles"].normalize
        assert normalize is not None
        assert (normalize(["waii-api-user"]), normalize(["waii-admin-user"])) == ([], ["waii-admin-user"])


async def test_a_create_that_meets_its_own_first_sending_is_done() -> None:
    async with world() as w:
        w.tree.create_user(ADA, variables={"syncd": MARKER})
        (account,) = await w.do(change(Kind.CREATE, **marked()))
        assert account is not None and account.id == ADA


@pytest.mark.parametrize("variables", [None, {}, {"syncd": "prod:another"}])
@pytest.mark.parametrize("home", [HOME, "bolt"])
async def test_an_id_that_somebody_else_has_is_named_with_its_organization(variables: Any, home: str) -> None:
    async with world() as w:
        w.tree.create_organization("bolt")
        w.tree.create_user(ADA, home, variables=variables)
        with pytest.raises(Conflict, match=rf"400.* User ada@x.co already exists ada@x.co exists already in {home}\."):
            await w.do(change(Kind.CREATE, **marked()))


async def test_a_create_that_is_refused_for_another_reason_says_why() -> None:
    async with world() as w:
        for delta, said in (({"tenant_id": "none"}, "Tenant none not found"), ({"org_id": "none"}, "Organization none not found")):
            with pytest.raises(Rejected, match=said):
                await w.do(change(Kind.CREATE, **marked(**delta)))
        assert len(w.tree) == 1


@pytest.mark.parametrize("fault", ["timeout", "reset", "500", "error_body", "empty", "html", "truncated", "redirect"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_create_without_an_answer_is_in_doubt_and_found_by_its_id(fault: str, when: str) -> None:
    faults = f"{fault}@create" if fault == "truncated" else f"{fault}@create;when={when}"
    made = fault == "truncated" or when == "after"
    if fault == "timeout":
        return  # the deadline is the client's and tested there
    async with world(sandbox={"faults": faults}) as w:
        with pytest.raises(InDoubt):
            await w.do(change(Kind.CREATE, **marked()))
        assert w.operations.count("create-user") == 1
        found = await w.connector.find({"id": ADA, "variables.syncd": MARKER})
        assert [one.attributes["variables"] for one in found] == [{"syncd": MARKER}] * made


@pytest.mark.parametrize("faults", ["500@list:*", "400@list:*", "401@list"])
async def test_a_created_user_that_cannot_be_read_back_is_in_doubt(faults: str) -> None:
    async with world(sandbox={"faults": faults}) as w:
        with pytest.raises(InDoubt, match="could not be read back"):
            await w.do(change(Kind.CREATE, **marked()))
        assert ADA in w.tree.users


async def test_a_created_user_that_is_not_shown_is_in_doubt() -> None:
    async with world(sandbox={"faults": "short@list:*"}) as w:
        with pytest.raises(InDoubt, match="not shown"):
            await w.do(change(Kind.CREATE, **marked()))


async def test_a_refusal_for_pace_created_nothing_and_is_tried_again() -> None:
    async with world(sandbox={"faults": "429@create:2"}) as w:
        await w.do(change(Kind.CREATE, **marked()))
        assert [record.status for record in w.waii.log] == [200]


@pytest.mark.parametrize("id", ["", " ", "a\nb", "a\x00b", "a\x7fb", None, 7])
async def test_an_id_that_is_none_is_refused_before_anything_is_sent(id: Any) -> None:
    async with world() as w:
        with pytest.raises(Rejected, match="is no id"):
            w.connector.steps(change(Kind.CREATE, **marked(id=id)))
        with pytest.raises(Rejected, match="is no id"):
            w.connector.steps(change(Kind.UPDATE, id, name="x"))
        assert w.sent == []


async def test_ids_are_any_text() -> None:
    async with world() as w:
        for id in ("a/../b?c#d", "Zoë 漢字", 'quo"te\\'):
            (account,) = await w.do(change(Kind.CREATE, **marked(id=id)))
            assert account is not None and account.id == id
            await w.do(change(Kind.UPDATE, id, name="x"))
        assert list(w.tree.users) == [ADMIN, "a/../b?c#d", "Zoë 漢字", 'quo"te\\']


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
