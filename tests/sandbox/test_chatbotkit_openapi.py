"""The emulated ChatBotKit under schemathesis with its own OpenAPI document: requests nobody thought of, answers that keep the schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance

from syncd.sandbox import Sandbox, serve
from syncd.sandbox.chatbotkit import ChatBotKit

DOCUMENT = Path(__file__).parents[1] / "data" / "specs" / "chatbotkit_partner.users.json"
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_path(DOCUMENT).get_all_operations() if isinstance(found, Ok)]
SERVED = {
    (method, path.replace("{user}", "{userId}").replace("{token}", "{tokenId}").removeprefix("/v1"))
    for path, methods in ChatBotKit.routes.items()
    for method in methods
    if path.startswith("/v1/partner/")
}
REFUSALS = {400, 401, 404, 409}
"""401: a negative case may leave out or spoil the secret."""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(users=3)


@pytest.fixture(scope="module")
def url(sandbox: Sandbox) -> Iterator[str]:
    with serve(sandbox) as url:
        yield url


def test_all_that_is_served_is_in_the_document() -> None:
    assert {(one.method.upper(), one.path) for one in OPERATIONS} == SERVED
    assert len(SERVED) == 9


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_operation_keeps_to_the_document(operation: APIOperation[Any, Any, Any, Any], sandbox: Sandbox, url: str) -> None:
    seen: set[int] = set()
    keys = {"Authorization": f"Bearer {ChatBotKit.secret}"}
    modes = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    parent = sandbox.chatbotkit.parent

    def aim(case: Case[Any]) -> None:
        """Every other time at a user and a token there are; at an image that the database can hold."""
        if "userId" in case.path_parameters and len(str(case.path_parameters["userId"])) % 2:
            target = parent.by_email("target@x.co") or {"id": parent.create({"email": "target@x.co"}).id}
            case.path_parameters["userId"] = target["id"]
            if "tokenId" in case.path_parameters:
                case.path_parameters["tokenId"] = parent.create_token(target["id"], {"name": "t"})["id"]
        if isinstance(case.body, dict) and isinstance(case.body.get("image"), str):
            case.body["image"] = case.body["image"][:191]
        if isinstance(case.body, dict) and len(str(case.body)) % 2:
            for name in ("alias", "email", "meta", "limits"):
                case.body.pop(name, None)

    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=modes.flatmap(lambda mode: operation.as_strategy(generation_mode=mode)))
    def probe(case: Case[Any]) -> None:
        aim(case)
        case.headers.update(keys)
        response = case.call(base_url=f"{url}/v1")
        case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])
        assert response.status_code in {200, *REFUSALS}
        seen.add(response.status_code)

    probe()
    assert 200 in seen
    assert seen & (REFUSALS - {401}) or operation.label == "GET /partner/user/list", "a list takes nearly anything"
