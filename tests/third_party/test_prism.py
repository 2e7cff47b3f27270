"""Each connector against its sandbox with Prism in between: neither breaks the vendor's own OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from syncd import connectors
from syncd.connectors.base import Connector
from syncd.environment import Environment
from syncd.model import LEAVING, Account, Change, Cursor, Gone, Kind, Page, Rate, Ref
from syncd.sandbox import Sandbox
from tests.third_party.prism import Violated, prism

pytestmark = pytest.mark.anyio
IDENTITY = "0f8fad5b-d9cb-569f-a165-70867728950e"
MARKER = f"prod:{IDENTITY}"
EMAIL = "ada+1@corp.example"


@dataclass(frozen=True)
class Vendor:
    """``create``, ``update``, ``disable``: what each change asks for. ``keys``: by what the account is found. ``bears``: what others give
    the account that ends with it. ``statuses``: what the sandbox answers when nothing goes wrong. ``fill``: makes what two pages hold."""

    name: str
    document: str
    root: str
    options: Callable[[Sandbox], Mapping[str, Any]]
    create: Mapping[str, Any]
    update: Mapping[str, Any]
    disable: Mapping[str, Any]
    keys: Mapping[str, str]
    operations: frozenset[str]
    statuses: frozenset[int]
    bears: Callable[[Sandbox, str], object] = field(default=lambda sandbox, id: None)
    fill: Callable[[Sandbox], object] = field(default=lambda sandbox: None)


def _twilio(sandbox: Sandbox) -> Mapping[str, Any]:
    return {"account_sid": sandbox.twilio.account_sid, "auth_token": sandbox.twilio.auth_token}


TWILIO = Vendor(
    "twilio", "twilio_conversations_v1.users.json", "", _twilio,
    create={"identity": EMAIL, "friendly_name": "Zoë", "role_sid": "RL" + "ab" * 16, "attributes.syncd": MARKER},
    update={"friendly_name": None, "attributes.team": {"n": 1}},
    disable={"attributes.active": False},
    keys={"identity": EMAIL},
    operations=frozenset({"list", "create", "fetch", "update", "delete"}),
    statuses=frozenset({200, 201, 204, 404}),
)  # fmt: skip
NAMED = replace(
    TWILIO, options=lambda one: {**_twilio(one), "service_sid": one.twilio.service_sid, "webhooks": True},
    fill=lambda one: [one.twilio.service(one.twilio.service_sid).create(f"user{n}") for n in range(60)],
)  # fmt: skip
APPWRITE = Vendor(
    "appwrite", "appwrite_server.users.json", "/v1",
    lambda one: {"project": one.appwrite.project_id, "api_key": one.appwrite.api_key, "page_size": 50},
    create={
        "$id": IDENTITY, "email": EMAIL, "phone": "+12025550100", "name": "Zoë", "labels": ["vip"], "prefs.team": "é b",
        "emailVerification": True, "syncd": MARKER,
    },
    update={"email": "bea@corp.example", "phone": None, "name": None, "labels": ["a", "b"], "phoneVerification": True},
    disable={"status": False},
    keys={"syncd": MARKER},
    operations=frozenset({"list", "create", "fetch", "update", "delete"}),
    statuses=frozenset({200, 201, 204, 400, 404}),
    bears=lambda one, id: one.appwrite.project.sign_in(id),
)  # fmt: skip
CHATBOTKIT = Vendor(
    "chatbotkit", "chatbotkit_partner.users.json", "/v1", lambda one: {"secret": one.chatbotkit.secret},
    create={
        "email": EMAIL, "name": "Zoë", "image": "https://corp.example/a.png", "description": "D", "alias": "ada", "meta.syncd": MARKER,
        "limits.tokens": 5,
    },
    update={"name": None, "description": "E", "meta.team": {"n": 1}},
    disable={"meta.off": True},
    keys={"meta.syncd": MARKER},
    operations=frozenset({"list", "create", "fetch", "update", "delete"}),
    statuses=frozenset({200, 404}),
    bears=lambda one, id: one.chatbotkit.parent.create_token(id, {"name": "t"}),
)  # fmt: skip
VENDORS = pytest.mark.parametrize("vendor", [TWILIO, NAMED, APPWRITE, CHATBOTKIT], ids=["twilio", "named", "appwrite", "chatbotkit"])


def connector(vendor: Vendor, sandbox: Sandbox, url: str) -> Connector:
    builder = connectors.get(vendor.name)
    options = builder.options.model_validate({"base_url": url, **vendor.options(sandbox)})
    return builder(options, environment=Environment(), rate=Rate(), writable=True)


async def walk(one: Connector) -> list[Page]:
    pages: list[Page] = []
    cursor: Cursor | None = None
    while not pages or cursor is not None:
        pages.append(await one.list(cursor))
        cursor = pages[-1].next
    return pages


async def carry_out(one: Connector, kind: Kind, account: Account | None, asked: Mapping[str, Any]) -> Account | None:
    """All steps of a change; the first account that one answers."""
    id, before = (account.id, account.attributes) if account else (None, None)
    delta = {path: (None if before is None else before.get(path), after) for path, after in asked.items()}
    change = Change("c1", "target", kind, IDENTITY, EMAIL, id, delta, "test", before, revoke=kind in LEAVING)
    answers = [await one.perform(step) for step in one.steps(change)]
    return next((answer for answer in answers if answer is not None), None)


@VENDORS
async def test_a_connector_and_its_sandbox_keep_to_the_document(node: str, vendor: Vendor) -> None:
    sandbox = Sandbox(users=120)
    vendor.fill(sandbox)
    requests = getattr(sandbox, vendor.name).requests
    with prism(node, vendor.document, sandbox, vendor.root) as url:
        one = connector(vendor, sandbox, url)
        try:
            health = await one.check()
            assert health.ok, health
            pages = await walk(one)
            assert pages[-1].complete and len(pages) > 1
            made = await carry_out(one, Kind.CREATE, None, vendor.create)
            assert made is not None
            read = await one.fetch(Ref(made.id))
            assert isinstance(read, Account)
            assert [found.id for found in await one.find(vendor.keys)] == [made.id]
            await carry_out(one, Kind.UPDATE, read, vendor.update)
            vendor.bears(sandbox, made.id)
            await carry_out(one, Kind.DISABLE, read, vendor.disable)
            listed = await walk(one)
            assert sum(len(page.records) for page in listed) == sum(len(page.records) for page in pages) + 1
            vendor.bears(sandbox, made.id)
            await carry_out(one, Kind.DELETE, read, {})
            assert isinstance(await one.fetch(Ref(made.id)), Gone)
        finally:
            await one.aclose()
    assert {request.operation for request in requests} == vendor.operations
    assert {request.status for request in requests} == vendor.statuses


def test_a_request_that_breaks_the_document_is_told_of(node: str) -> None:
    with pytest.raises(Violated, match=r"PageSize=1000: .*must be <= 50"), prism(node, TWILIO.document, Sandbox()) as url:
        httpx.get(f"{url}/v1/Users?PageSize=1000", auth=("AC", "token"), trust_env=False)


def test_an_answer_that_breaks_the_document_is_told_of(node: str) -> None:
    sandbox = Sandbox(users=3, faults="drift@list")
    with pytest.raises(Violated, match=r"identity must be string"), prism(node, TWILIO.document, sandbox) as url:
        httpx.get(f"{url}/v1/Users", auth=(sandbox.twilio.account_sid, sandbox.twilio.auth_token), trust_env=False)
