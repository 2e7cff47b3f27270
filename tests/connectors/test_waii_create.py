"""Creating Waii users: whole objects, read back afterwards, each exactly once."""

from __future__ import annotations

from typing import Any

import pytest
from waii_world import ADMIN, HOME, MARKER, change, world

from syncd.connectors.answer import Conflict
from syncd.errors import InDoubt, Rejected
from syncd.model import Account, Kind

pytestmark = pytest.mark.anyio

ADA = "ada@x.co"


def marked(**more: Any) -> dict[str, Any]:
    return {"id": ADA, "org_id": HOME, "variables__syncd": MARKER, **more}


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
