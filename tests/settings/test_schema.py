"""The JSON Schema says what the loader says; the example is valid by both, and the schema file beside it is up to date."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from configured import CHAT, PEOPLE, REGISTRY, configured
from pydantic import BaseModel
from ruamel.yaml import YAML

from syncd.connectors.appwrite import AppwriteOptions
from syncd.connectors.chatbotkit import ChatBotKitOptions
from syncd.connectors.file import FileOptions
from syncd.connectors.twilio import TwilioOptions
from syncd.connectors.waii import WaiiOptions
from syncd.settings import load
from syncd.settings.schema import schema, text

CONFIG = Path(__file__).parents[2] / "config"
REAL: dict[str, type[BaseModel]] = {
    "appwrite": AppwriteOptions, "chatbotkit": ChatBotKitOptions, "file": FileOptions, "twilio": TwilioOptions, "waii": WaiiOptions,
}  # fmt: skip
CREDENTIALS = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "token-of-a-test", "APPWRITE_API_KEY": "key-of-a-test",
    "CHATBOTKIT_SECRET": "secret-of-a-test", "WAII_API_KEY": "other-key-of-a-test",
}  # fmt: skip


def complaints(registry: dict[str, type[BaseModel]], config: str) -> list[str]:
    document: Any = YAML(typ="safe", pure=True).load(config)
    return [error.message for error in jsonschema.Draft202012Validator(schema(registry)).iter_errors(document)]


def test_it_is_a_schema() -> None:
    made = schema(REAL)
    jsonschema.Draft202012Validator.check_schema(made)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_key_of_a_section_is_described() -> None:
    sections = {name: made for name, made in schema(REAL)["$defs"].items() if "properties" in made and name not in REAL}
    silent = [
        f"{name}.{key}"
        for name, made in sections.items()
        for key, about in made["properties"].items()
        if not set(about) & {"description", "$ref"}
    ]
    assert silent == ["Log.level"]
    assert all(made.get("description") for made in sections.values())


def test_the_file_beside_the_example_is_this_schema() -> None:
    assert (CONFIG / "syncd.schema.json").read_text() == text(REAL), "write it anew: syncd config schema > config/syncd.schema.json"


def test_the_example_names_the_schema_and_is_valid() -> None:
    example = (CONFIG / "syncd.yaml").read_text()
    assert example.splitlines()[0] == "# yaml-language-server: $schema=syncd.schema.json"
    assert complaints(REAL, example) == []
    loaded = load(CONFIG / "syncd.yaml", REAL, CREDENTIALS)
    assert not loaded.warnings and not loaded.notices
    assert [one.name for one in loaded.landscape.connections] == ["people", "chat", "app", "bots", "sql"]


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    """Its limits, and whatever else it says with its default value, are those of a configuration that does not say them."""
    shown = load(CONFIG / "syncd.yaml", REAL, CREDENTIALS)
    bare = configured(tmp_path, PEOPLE + CHAT + "    write: {}\n")
    example, default = (one.landscape.connection("chat").write for one in (shown, bare))
    assert example and default
    for name in ("limits", "apply", "correlate", "adopt", "drift", "on_key_change", "settle"):
        assert getattr(example, name) == getattr(default, name)
    assert (shown.landscape.instance, shown.store.lease, shown.log) == (bare.landscape.instance, bare.store.lease, bare.log)


def test_the_example_writes_to_each_provider_over_its_default_map() -> None:
    landscape = load(CONFIG / "syncd.yaml", REAL, CREDENTIALS).landscape
    written = {one.name: {entry.name for entry in one.write.attributes} for one in landscape.connections if one.write}
    assert written["app"] == {"name", "email", "status", "labels", "prefs.team", "emailVerification"}
    assert written["bots"] == {"name", "email", "image", "meta.externalId", "alias", "meta.team"}
    assert written["sql"] == {"id", "name", "org_id", "variables.externalId", "tenant_id"}
    assert all(one.write.revoke and one.write.deprovision.out_of_scope == "disable" for one in landscape.connections if one.write)


def test_the_example_of_the_readme_is_valid(tmp_path: Path) -> None:
    readme = (CONFIG.parent / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall("```yaml\n(version: 1\n.*?)```", readme, re.DOTALL)
    assert complaints(REAL, example) == []
    (tmp_path / "syncd.yaml").write_text(example, encoding="utf-8")
    (tmp_path / "people.csv").write_text("employeeNumber,email,name\n")
    loaded = load(tmp_path / "syncd.yaml", REAL, CREDENTIALS)
    assert not loaded.warnings and not loaded.notices
    assert [one.connector for one in loaded.landscape.connections] == ["file", "twilio", "appwrite", "chatbotkit", "waii"]


VALID = [
    PEOPLE,
    PEOPLE + CHAT + "    write: {}\n    limits: {create: {percent: 50}}\n    settle: 0s\n",
    "x-anything: [1, {a: b}]\nversion: 1\n" + PEOPLE,
    PEOPLE.replace("true", "env:YES") + CHAT + "    page_size: env:SIZE\n    write: {apply: env:APPLY, deprovision: delete}\n",
    PEOPLE
    + CHAT
    + "    write: {attributes: {role_sid: null, friendly_name: {from: title, map: {a: b}, on: create}}, disabled: {status: false}}\n",
    PEOPLE + CHAT + "    write: {deprovision: {inactive: keep, departed: delete, grace: 0s}}\n",
]
INVALID = [
    "connections: 5\n",
    "version: 1\n",
    "conections: {}\n" + PEOPLE,
    PEOPLE.replace("true", "maybe"),
    PEOPLE.replace("people:", "People:"),
    PEOPLE.replace("sheet", "shet"),
    PEOPLE.replace("    id: nr\n", ""),
    PEOPLE + "    page_size: 5\n",
    PEOPLE + CHAT + "    write:\n",
    PEOPLE + CHAT + "    limits: {delete: {max: 1}}\n",
    PEOPLE + CHAT + "    write: {}\n    limits: {delete: {max: -1}}\n",
    PEOPLE + CHAT + "    write: {}\n    settle: 10\n",
    PEOPLE + CHAT + "    write: {apply: perhaps}\n",
    PEOPLE + CHAT + "    write: {deprovision: {inactive: delete}}\n",
    PEOPLE + CHAT + "    write: {attributes: {role_sid: {frm: title}}}\n",
]


@pytest.mark.parametrize("config", VALID)
def test_valid(config: str) -> None:
    assert complaints(REGISTRY, config) == []


@pytest.mark.parametrize("config", INVALID)
def test_invalid(config: str) -> None:
    assert complaints(REGISTRY, config)
