"""The emulated Twilio under schemathesis with Twilio's own OpenAPI document: requests nobody thought of, answers that keep the schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.openapi.checks import response_schema_conformance

from syncd.sandbox import Sandbox, serve

DOCUMENT = Path(__file__).parents[1] / "data" / "specs" / "twilio_conversations_v1.users.json"
schema = schemathesis.openapi.from_path(DOCUMENT)
