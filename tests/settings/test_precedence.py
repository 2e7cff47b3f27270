"""Who may be asked for what: a target where its holder cannot decide about themselves by it, and where the value stands by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from configured import CHAT, PEOPLE, configured

from syncd.connectors.appwrite import AppwriteOptions
from syncd.connectors.file import FileOptions
from syncd.connectors.waii import WaiiOptions
from syncd.errors import Refused
from syncd.model import MapEntry
from syncd.settings import Settings, load


def said(directory: Path, precedence: str, lines: str = "    write: {}\n", more: str = "") -> Settings:
    return configured(directory, f"precedence: {{{precedence}}}\n{PEOPLE}{CHAT}{lines}{more}")


def asked(settings: Settings, name: str = "chat") -> dict[str, str]:
    """Attribute -> the path or expression that a connection is asked for it by."""
    return {entry.name: entry.text for entry in settings.landscape.connection(name).contributes}


def test_a_target_is_asked_where_it_is_written(tmp_path: Path) -> None:
    assert asked(said(tmp_path, "displayName: [chat, people]")) == {"displayName": "friendly_name"}
    moved = "    write: {attributes: {friendly_name: null, attributes.nick: displayName}}\n"
    assert asked(said(tmp_path, "displayName: [chat, people]", moved)) == {"displayName": "attributes.nick"}
    read = "    read: {attributes: {phone: attributes.tel}}\n    write: {}\n"
    assert asked(said(tmp_path, "phone: [people, chat]", read)) == {"phone": "attributes.tel"}, "read there, and never written"
    derived = '    read: {attributes: {phone: "lower(role_sid)"}}\n    write: {}\n'
    assert asked(said(tmp_path, "phone: [people, chat]", derived)) == {"phone": "lower(role_sid)"}


def test_who_precedence_does_not_name_is_not_asked(tmp_path: Path) -> None:
    loaded = said(tmp_path, "displayName: [people]")
    assert (asked(loaded), asked(loaded, "people")) == ({}, {})


REFUSED = [
    ("displayName: [chat]", "", ["chat is neither a source nor a target", "add `write: {}` to chat", "authoritative: true"]),
    ("phone: [chat, people]", "    write: {}\n", ["nothing at chat is read as phone", "connections.chat.read.attributes"]),
    (
        "displayName: [people, chat]",
        "    write: {attributes: {friendly_name: 'lower(displayName)'}}\n",
        ["chat writes friendly_name from something else than displayName alone", "stands by itself"],
    ),
    ("title: [chat]", "    write: {attributes: {role_sid: {from: title, map: {a: b}}}}\n", ["nothing at chat is read as title"]),
    (
        "phone: [chat]",
        "    read: {attributes: {phone: friendly_name}}\n    write: {}\n",
        ["chat writes friendly_name from something else than phone alone"],
    ),
    (
        "phone: [chat]",
        "    read: {attributes: {phone: 'lower(friendly_name)'}}\n    write: {}\n",
        ["chat writes friendly_name from something else"],
    ),
    (
        "phone: [chat]",
        "    read: {attributes: {phone: attributes.tel}}\n    write: {attributes: {attributes: '{\"a\": title}'}}\n",
        ["chat writes attributes from something else"],
    ),
]


@pytest.mark.parametrize(("precedence", "lines", "words"), REFUSED)
def test_a_target_is_refused_where_its_value_would_not_be_its_own(tmp_path: Path, precedence: str, lines: str, words: list[str]) -> None:
    refused(tmp_path, precedence, lines, words)


def refused(directory: Path, precedence: str, lines: str, words: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        said(directory, precedence, lines)
    told, column = str(caught.value), len("precedence: {") + precedence.index("chat") + 1
    assert caught.value.exit_code == 78
    assert told.startswith(f"{directory / 'syncd.yaml'}:1:{column}: "), told
    assert not [word for word in words if word not in told], told


TEL = "    read: {attributes: {%s: attributes.x}}\n    write: %s\n"
DECIDING = [
    ("active", "{}", ["may edit attributes.x there", "active says who has an account at all"]),
    ("activeFrom", "{}", ["activeFrom says who has an account"]),
    ("activeUntil", "{}", ["activeUntil says who has an account"]),
    ("userName", "{attributes: {identity: email}}", ["userName is what people are known by"]),
    ("email", "{}", ["email is what people are known by"]),
    ("department", "{scope: department == 'x'}", ["department is in the scope of chat"]),
    ("title", "{scope: 'lower(title) == \"x\" || active'}", ["title is in the scope of chat"]),
    ("title", "{deprovision: {retain: title}}", ["title is in the retain of chat"]),
    ("title", "{deprovision: {retain: 'title != \"\"'}}", ["title is in the retain of chat"]),
    ("phone", "{correlate: [phone]}", ["phone finds accounts at chat (correlate)"]),
    ("phone", "{attributes: {identity: phone}}", ["phone makes the identity of accounts at chat"]),
    ("tenant", "{attributes: {identity: 'userName + tenant'}}", ["tenant makes the identity of accounts at chat"]),
]


@pytest.mark.parametrize(("attribute", "write", "words"), DECIDING)
def test_nobody_decides_about_their_own_account_by_editing_it(tmp_path: Path, attribute: str, write: str, words: list[str]) -> None:
    cure = f"read {attribute} from what only an administrator can write"
    refused(tmp_path, f"{attribute}: [chat]", TEL % (attribute, write), [*words, cure])
    assert said(tmp_path, f"{attribute}: [people]", TEL % (attribute, write)), "a source decides"


def test_any_target_that_decides_by_it_counts(tmp_path: Path) -> None:
    twin = CHAT.replace("chat:", "twin:") + "    account: A2\n    write: {scope: title == 'x'}\n"
    with pytest.raises(Refused, match="title is in the scope of twin"):
        said(tmp_path, "title: [chat]", TEL % ("title", "{}"), twin)


def test_where_only_administrators_write_a_target_may_decide(tmp_path: Path) -> None:
    text = (
        "precedence: {active: [sql, people], email: [app, people], department: [sql]}\nconnections:\n"
        "  people: {connector: file, path: people.csv, id: nr, authoritative: true}\n"
        "  sql:\n    connector: waii\n    api_key: env:TOKEN\n    organizations: [a]\n"
        "    read: {attributes: {active: variables.active, department: variables.unit}}\n"
        "    write: {scope: department == 'x', disabled: {variables.active: false}}\n"
        "  app:\n    connector: appwrite\n    project: p\n    api_key: env:TOKEN\n    base_url: https://a.example/v1\n    write: {}\n"
    )
    (tmp_path / "people.csv").touch()
    (tmp_path / "syncd.yaml").write_text(text)
    registry = {"file": FileOptions, "waii": WaiiOptions, "appwrite": AppwriteOptions}
    loaded = load(tmp_path / "syncd.yaml", registry, {"TOKEN": "token-of-a-test"})
    assert asked(loaded, "sql") == {"active": "variables.active", "department": "variables.unit"}
    assert asked(loaded, "app") == {"email": "email"}
    (tmp_path / "syncd.yaml").write_text(text.replace("active: [sql", "active: [app"))
    with pytest.raises(Refused, match="may edit status there, and active says who has an account"):
        load(tmp_path / "syncd.yaml", registry, {"TOKEN": "token-of-a-test"})


def test_a_source_that_is_written_is_asked_for_all_but_echoes(tmp_path: Path) -> None:
    lines = "    authoritative: true\n    write: {}\n"
    loaded = said(tmp_path, "displayName: [chat, people], userName: [chat, people], phone: [chat, people]", lines)
    assert asked(loaded) == {"displayName": "friendly_name", "userName": "identity"}
    assert all(isinstance(entry, MapEntry) for entry in loaded.landscape.connection("chat").contributes)
