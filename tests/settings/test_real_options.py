"""The connectors of this version through the loader: their own findings get a place too."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import validate
from ruamel.yaml import YAML

from syncd.connectors.file import FileOptions
from syncd.connectors.memory import MemoryOptions
from syncd.connectors.twilio import TwilioOptions
from syncd.connectors.waii import WaiiOptions
from syncd.errors import Refused
from syncd.settings import Settings, load
from syncd.settings.connections import Registry
from syncd.settings.schema import schema
from syncd.settings.show import document

REGISTRY: Registry = {"file": FileOptions, "twilio": TwilioOptions, "memory": MemoryOptions, "waii": WaiiOptions}
PEOPLE = "connections:\n  people: {connector: file, path: people.csv, id: nr, authoritative: true}\n"
CHAT = f"  chat:\n    connector: twilio\n    account_sid: AC{'0' * 32}\n"
TOKEN = "    auth_token: env:TOKEN\n"
SQL = "  sql:\n    connector: waii\n    api_key: env:TOKEN\n"


def loaded(directory: Path, text: str, registry: Registry = REGISTRY) -> Settings:
    (directory / "people.csv").touch()
    path = directory / "syncd.yaml"
    path.write_text(text)
    return load(path, registry, {"TOKEN": "token-of-a-test"})


REFUSED = [
    (CHAT, "3:3", ["connections.chat", "auth_token", "api_key_sid"]),
    (CHAT + "    api_key_sid: SK" + "1" * 32 + "\n", "6:18", ["belong together"]),
    (CHAT + TOKEN + "    base_url: http://far.example\n", "7:15", ["base_url", "plain http", "insecure_http"]),
    (CHAT + TOKEN + "    service_sid: IS1\n", "7:18", ["service_sid must be IS and 32 hexadecimal digits"]),
    (CHAT + TOKEN + "    write: {deprovision: disable}\n", "7:26", ["twilio cannot disable"]),
    (CHAT + TOKEN + "    write: {disabled: {role_sid: RL0}}\n", "7:24", ["re-enabling could not restore"]),
    (CHAT + TOKEN + "    write: {attributes: {freindly_name: email}}\n", "7:26", ['did you mean "friendly_name"?']),
    (CHAT + TOKEN + "    write: {}\n" + CHAT.replace("chat:", "twin:") + TOKEN + "    write: {}\n", "8:3", ["chat and twin both write"]),
    (SQL + "    write: {}\n", "6:5", ["maps nothing to org_id", "add `org_id:` to connections.sql.write.attributes"]),
    (SQL + "    organizations: [a]\n    write: {attributes: {org_id: null}}\n", "7:5", ["maps nothing to org_id"]),
    (SQL + "    organizations: [a]\n    write: {deprovision: disable}\n", "7:26", ["waii cannot disable"]),
    (SQL + "    organizations: []\n", "6:20", ["organizations names none"]),
    (
        SQL + "    organizations: [a]\n    write: {}\n" + SQL.replace("sql:", "too:") + "    organizations: [b, a]\n"
        "    write: {attributes: {org_id: organization}}\n",
        "8:3",
        ["sql and too both write"],
    ),
    (
        SQL + "    organizations: [a]\n    write: {}\n" + SQL.replace("sql:", "too:") + "    write: {attributes: {org_id: organization}}\n",
        "8:3",
        ["sql and too both write"],
    ),
]


@pytest.mark.parametrize(("lines", "place", "words"), REFUSED)
def test_refused_at_its_place(tmp_path: Path, lines: str, place: str, words: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        loaded(tmp_path, PEOPLE + lines)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path}/syncd.yaml:{place}: ") and said.count("syncd.yaml") == 1
    assert not [word for word in words if word not in said], said


def test_two_services_of_one_account_are_two_directories(tmp_path: Path) -> None:
    other = CHAT.replace("chat:", "twin:") + TOKEN + f"    service_sid: IS{'a' * 32}\n    write: {{}}\n"
    assert len(loaded(tmp_path, PEOPLE + CHAT + TOKEN + "    write: {}\n" + other).options) == 3


def test_the_reference_connector_is_there_only_when_registered(tmp_path: Path) -> None:
    text = PEOPLE + "  mem: {connector: memory, write: {}}\n"
    assert loaded(tmp_path, text).landscape.connection("mem").write
    without = {name: options for name, options in REGISTRY.items() if name != "memory"}
    with pytest.raises(Refused, match='unknown connector "memory"'):
        loaded(tmp_path, text, without)


def test_organizations_apart_are_two_directories(tmp_path: Path) -> None:
    other = SQL.replace("sql:", "too:") + "    organizations: [b, c]\n    write: {attributes: {org_id: organization}}\n"
    assert len(loaded(tmp_path, PEOPLE + SQL + "    organizations: [a]\n    write: {}\n" + other).options) == 3


def test_with_one_organization_everybody_is_in_it(tmp_path: Path) -> None:
    """The configuration may still map it, and the default map reads back as its inverse."""
    for write, entry in (("{}", ("value", "a")), ("{attributes: {org_id: organization}}", ("name", None))):
        settings = loaded(tmp_path, PEOPLE + SQL + f"    organizations: {{a: {{name: A}}}}\n    write: {write}\n")
        target = settings.landscape.connection("sql").write
        assert target is not None
        (found,) = (one for one in target.attributes if one.name == "org_id")
        assert (found.source, found.value) == entry
    assert {entry.name for entry in settings.landscape.connection("sql").read} == {"userName", "displayName", "externalId"}


def test_keys_within_keys_are_shown_and_completed(tmp_path: Path) -> None:
    own = "    organizations: {a: {name: A}, b: {}}\n    tenants: {t: {organization: a}}\n    write: {attributes: {org_id: organization}}\n"
    shown = document(loaded(tmp_path, PEOPLE + SQL + own))["connections"]["sql"]
    assert (shown["organizations"], shown["tenants"]) == (
        {"a": {"name": "A", "variables": {}}, "b": {"variables": {}}}, {"t": {"organization": "a", "variables": {}}},
    )  # fmt: skip
    assert "token-of-a-test" not in str(shown)
    validate(YAML(typ="safe").load(PEOPLE + SQL + own), schema(REGISTRY))
