"""The emulated Appwrite under schemathesis with its own OpenAPI document: requests nobody thought of, answers that keep the schema."""

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
from syncd.sandbox.appwrite import Appwrite

DOCUMENT = Path(__file__).parents[1] / "data" / "specs" / "appwrite_server.users.json"
FOUND = [found.ok() for found in schemathesis.openapi.from_path(DOCUMENT).get_all_operations() if isinstance(found, Ok)]
SERVED = {(method, path.replace("{user}", "{userId}")) for path, methods in Appwrite.routes.items() for method in methods}
OPERATIONS = [one for one in FOUND if (one.method.upper(), f"/v1{one.path}") in SERVED]
REFUSALS = {400, 404, 409}
"""What may be answered beside the document's own status; it declares no error, these are those of the server's source."""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(users=3)


@pytest.fixture(scope="module")
def url(sandbox: Sandbox) -> Iterator[str]:
    with serve(sandbox) as url:
        yield url


def test_all_that_is_served_is_in_the_document() -> None:
    assert len(OPERATIONS) == len(SERVED) == 16


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_operation_keeps_to_the_document(operation: APIOperation[Any, Any, Any, Any], sandbox: Sandbox, url: str) -> None:
    success = int(next(iter(operation.definition.raw["responses"])))
    seen: set[int] = set()
    keys = {"X-Appwrite-Project": Appwrite.project_id, "X-Appwrite-Key": Appwrite.api_key}
    modes = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    project = sandbox.appwrite.project

    def aim(case: Case[Any]) -> None:
        """Every other time at a user there is, and at an id that is free."""
        if "userId" in case.path_parameters and len(str(case.path_parameters["userId"])) % 2:
            if project.find("target") is None:
                project.create("target")
            case.path_parameters["userId"] = "target"
        if operation.label == "POST /users" and isinstance(case.body, dict) and "userId" in case.body and len(str(case.body)) % 2:
            case.body["userId"] = "unique()"

    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=modes.flatmap(lambda mode: operation.as_strategy(generation_mode=mode)))
    def probe(case: Case[Any]) -> None:
        aim(case)
        case.headers.update(keys)
        response = case.call(base_url=f"{url}/v1")
        case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])
        assert response.status_code in {success, *REFUSALS}
        seen.add(response.status_code)

    probe()
    assert success in seen
    assert seen & REFUSALS
