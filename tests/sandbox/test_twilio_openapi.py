"""The emulated Twilio under schemathesis with Twilio's own OpenAPI document: requests nobody thought of, answers that keep the schema."""

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

DOCUMENT = Path(__file__).parents[1] / "data" / "specs" / "twilio_conversations_v1.users.json"
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_path(DOCUMENT).get_all_operations() if isinstance(found, Ok)]
REFUSALS = {400, 404, 405, 409}
"""What may be answered beside the document's own status; it declares no error, these are those of Twilio's error pages."""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(users=3)


@pytest.fixture(scope="module")
def url(sandbox: Sandbox) -> Iterator[str]:
    with serve(sandbox) as url:
        yield url


def aim(case: Case[Any], sandbox: Sandbox) -> None:
    """At a service there is, and every other time at a user there is."""
    service = sandbox.twilio.service(sandbox.twilio.service_sid if "ChatServiceSid" in case.path_parameters else None)
    if "ChatServiceSid" in case.path_parameters:
        case.path_parameters["ChatServiceSid"] = service.sid
    if "Sid" in case.path_parameters and len(str(case.path_parameters["Sid"])) % 2:
        user = service.by_identity("target") or service.create("target")
        case.path_parameters["Sid"] = user["sid"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_operation_keeps_to_the_document(operation: APIOperation[Any, Any, Any, Any], sandbox: Sandbox, url: str) -> None:
    success = int(next(iter(operation.definition.raw["responses"])))
    seen: set[int] = set()
    auth = (sandbox.twilio.account_sid, sandbox.twilio.auth_token)
    modes = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])

    @settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=modes.flatmap(lambda mode: operation.as_strategy(generation_mode=mode)))
    def probe(case: Case[Any]) -> None:
        aim(case, sandbox)
        response = case.call(base_url=url, auth=auth)
        case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])
        assert response.status_code in {success, *REFUSALS}
        seen.add(response.status_code)

    probe()
    assert success in seen
    assert seen & REFUSALS
