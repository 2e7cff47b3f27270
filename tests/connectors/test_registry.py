"""Connectors are found by name, and imported only when asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from syncd import connectors
from syncd.connectors.base import Options


def test_names_are_installed_ones_in_order() -> None:
    assert {"appwrite", "chatbotkit", "file", "memory", "twilio", "waii"} <= set(connectors.names())
    assert list(connectors.names()) == sorted(connectors.names())


@pytest.mark.parametrize("name", ["appwrite", "chatbotkit", "file", "memory", "twilio", "waii"])
def test_a_name_leads_to_its_class(name: str) -> None:
    builder = connectors.get(name)
    assert builder.name == name
    assert builder.summary
    assert issubclass(builder.options, Options)


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        connectors.get("carrier-pigeon")


def test_asking_for_names_imports_no_connector() -> None:
    heavy = "{'httpx', 'pydantic', 'msgspec', 'orjson'}"
    script = f"import sys, syncd.connectors as c; c.names(); print(*(m for m in sys.modules if m.split('.')[0] in {heavy}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
