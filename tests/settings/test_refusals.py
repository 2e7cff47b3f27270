"""Every refusal: at the right line and column, naming the key and the cure, with exit code 78 and no secret in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from configured import CHAT, PEOPLE, TOKEN, configured

from syncd.errors import Refused

BOTH = PEOPLE + CHAT
WRITE = BOTH + "    write:\n"  # what follows begins at line 11, indented by six
MAP = WRITE + "      attributes:\n"  # line 12, indented by eight

SYNTAX = [
    ("unclosed quote", "version: 1\ninstance: 'prod\n", "3:1", ["end of stream", "begins at line 2"]),
    ("colon in value", "version: 1\ninstance: a: b\n", "2:12", ["mapping values are not allowed"]),
    ("unclosed bracket", "ignore: [a, b\nversion: 1\n", "2:8", ["flow sequence that begins at line 1"]),
    ("tab", "store:\n\turl: x\n", "2:1", ["tab", "spaces"]),
    ("list", "- version: 1\n", "1:1", ["must be a mapping", "not a list", "connections:"]),
    ("word", "hello\n", "1:1", ["must be a mapping"]),
    ("two documents", "version: 1\n---\nversion: 1\n", "2:1", ["second YAML document"]),
    ("unknown alias", "instance: *prod\n", "1:11", ["alias", "must be quoted"]),
    ("at sign", "instance: @prod\n", "1:11", ["quote a value"]),
    ("tag", "instance: !!python/object:os.system x\n", "1:11", ["tags", "not supported"]),
    ("tagged list", "ignore: !ours [a]\n", "1:9", ["tags", "not supported"]),
    ("wrong number", "version: !!int one\n", "1:10", ["no valid int"]),
    ("control character", "version: 1\ninstance: a\x00b\n", "2:12", ["control character"]),
    ("recursive anchor", "ignore: &a [*a]\n", "1:9", ["contains itself"]),
    ("infinity", "version: .inf\n", "1:10", ["infinity"]),
    ("list as key", "? [a]\n: b\n", "1:3", ["key must be a single word"]),
    ("bad merge", PEOPLE + "  chat:\n    <<: 5\n", "8:9", ["<< takes another mapping"]),
]
KEYS = [
    ("unknown top-level key", "conections: {}\n" + PEOPLE, "1:1", ['unknown key "conections"', 'did you mean "connections"?']),
    ("unknown section key", "store:\n  ulr: x\n" + PEOPLE, "2:3", ['unknown key "ulr" in store', 'did you mean "url"?']),
    ("unknown connection key", PEOPLE + "    autoritative: true\n", "7:5", ['"autoritative" in connections.people', '"authoritative"']),
    ("unknown connector key", BOTH + "    webhook: true\n", "10:5", ['unknown key "webhook"', 'did you mean "webhooks"?']),
    ("another connector's key", PEOPLE + "    base_url: https://x.example\n", "7:5", ['unknown key "base_url"']),
    ("unknown write key", WRITE + "      adpt: never\n", "11:7", ['"adpt" in connections.chat.write', 'did you mean "adopt"?']),
    (
        "unknown limit",
        BOTH + "    write: {}\n    limits: {remove: {max: 1}}\n",
        "11:14",
        ['"remove" in connections.chat.limits', "known here"],
    ),
    ("least is fixed", BOTH + "    write: {}\n    limits: {delete: {least: 3}}\n", "11:23", ['unknown key "least"', "max, percent"]),
    ("unknown map key", MAP + "        role_sid: {frm: title}\n", "12:20", ['unknown key "frm"', 'did you mean "from"?']),
    ("unknown deprovision key", WRITE + "      deprovision: {gone: delete}\n", "11:21", ['unknown key "gone"', "departed"]),
    ("duplicate key", "instance: a\ninstance: b\n" + PEOPLE, "2:1", ['duplicate key "instance"', "line 1"]),
    ("duplicate deep key", WRITE + "      adopt: never\n      adopt: matched\n", "12:7", ['duplicate key "adopt"', "line 11"]),
    ("duplicate connection", PEOPLE + "  people: {}\n", "7:3", ['duplicate key "people"', "line 2"]),
    ("no connections", "version: 1\n", "1:1", ["connections is missing"]),
    ("empty connections", "connections:\n", "1:1", ["connections is empty"]),
    ("no connector", "connections:\n  people: {path: people.csv}\n", "2:3", ["connections.people.connector is missing"]),
    ("missing option", PEOPLE + "  other:\n    connector: sheet\n    path: people.csv\n", "7:3", ["connections.other.id is missing"]),
    ("empty connection", PEOPLE + "  chat:\n", "7:3", ["connections.chat must be a mapping"]),
]
TYPES = [
    ("version 2", "version: 2\n" + PEOPLE, "1:10", ["version must be 1"]),
    ("version true", "version: true\n" + PEOPLE, "1:10", ["version must be a number"]),
    ("boolean", PEOPLE.replace("true", "maybe"), "6:20", ["authoritative must be true or false"]),
    ("whole number", BOTH + "    page_size: many\n", "10:16", ["connections.chat.page_size must be a whole number"]),
    ("text", PEOPLE.replace("nr", "17"), "5:9", ["connections.people.id must be text", "quote it"]),
    ("list", "ignore: {a: b}\n" + PEOPLE, "1:9", ["ignore must be a list"]),
    ("list item", "ignore: [a, 5]\n" + PEOPLE, "1:13", ["ignore[1] must be text"]),
    ("mapping", "store: sqlite:///x.db\n" + PEOPLE, "1:8", ["store must be a mapping"]),
    ("empty section", "store:\n" + PEOPLE, "1:1", ["store is empty", "say {} or remove it"]),
    ("choice", "log: {format: jsno}\n" + PEOPLE, "1:15", ["log.format must be auto, console or json", 'did you mean "json"?']),
    ("connector's choice", BOTH + "    region: mars\n", "10:13", ["connections.chat.region must be eu or us"]),
    ("negative percent", BOTH + "    write: {}\n    limits: {create: {percent: -1}}\n", "11:32", ["must be 0 or more"]),
    ("boolean percent", BOTH + "    write: {}\n    limits: {create: {percent: true}}\n", "11:32", ["percent must be a number"]),
    ("fraction of accounts", BOTH + "    write: {}\n    limits: {create: {max: 1.5}}\n", "11:28", ["max must be a whole number"]),
    ("no requests", BOTH + "    rate: {per_second: 0}\n", "10:24", ["must be more than 0"]),
    ("duration", BOTH + "    write: {}\n    settle: 10\n", "11:13", ["settle must be a duration", "30s"]),
    ("long duration", "store: {lease: 99999999999999d}\n" + PEOPLE, "1:16", ["longer than a duration can be"]),
    ("time zone", PEOPLE + "    read: {timezone: Mars/Olympus}\n", "7:22", ["time zone", "Europe/Paris"]),
    ("instance", "instance: a:b\n" + PEOPLE, "1:11", ["instance must have the form"]),
    ("namespace", PEOPLE + "    namespace: Old People\n", "7:16", ["namespace must have the form"]),
    ("bare constant", MAP + "        attributes.x: 5\n", "12:23", ["attributes.x must be text"]),
    ("store url", "store: {url: mysql://db}\n" + PEOPLE, "1:14", ["store.url must have the form sqlite:///PATH"]),
    ("model of the connector", BOTH + "    base_url: http://far.example\n", "10:15", ["plain http is only for loopback"]),
]
NAMES = [
    ("capital letters", PEOPLE.replace("people:", "People:"), "2:3", ['"People" is no connection name', "small letter"]),
    ("double underscore", PEOPLE.replace("people:", "a__b:"), "2:3", ['"a__b" is no connection name', "single underscores"]),
    ("digit first", PEOPLE.replace("people:", "1st:"), "2:3", ['"1st" is no connection name']),
    ("misspelt connector", PEOPLE.replace("sheet", "shet"), "3:16", ['unknown connector "shet"', 'did you mean "sheet"?']),
    ("test connector", PEOPLE.replace("sheet", "memory"), "3:16", ['unknown connector "memory"', "known here: chat, sheet"]),
]
WRITES = [
    ("bare write", BOTH + "    write:\n", "10:5", ["connections.chat.write is empty", "`write: {}`"]),
    ("limits alone", BOTH + "    limits: {delete: {max: 1}}\n", "10:5", ["limits has no meaning without `write`", "add `write: {}`"]),
    ("settle alone", BOTH + "    settle: 5s\n", "10:5", ["settle has no meaning without `write`"]),
    ("read-only connector", PEOPLE + "    write: {}\n", "7:5", ["sheet connections are only read", "remove `write`"]),
    ("disable impossible", WRITE + "      deprovision: {departed: disable}\n", "11:31", ["departed: chat cannot disable", "`disabled`"]),
    ("disable impossible, one word", WRITE + "      deprovision: disable\n", "11:20", ["deprovision: chat cannot disable"]),
    ("delete impossible", BOTH + "    deletes: false\n    write: {deprovision: delete}\n", "11:26", ["chat cannot delete", "use keep"]),
    ("inactive delete", WRITE + "      deprovision: {inactive: delete}\n", "11:31", ["inactive must be disable or keep", "never deleted"]),
    ("unknown event word", WRITE + "      deprovision: dlete\n", "11:20", ["disable, delete or keep", 'did you mean "delete"?']),
    ("retain unknown", WRITE + "      deprovision: {retain: legalHold}\n", "11:29", ["unknown name 'legalHold'"]),
    ("overlay unknown", WRITE + "      disabled: {rol_sid: RL0}\n", "11:18", ["unknown attribute", "role_sid"]),
    ("overlay lasting", WRITE + "      disabled: {role_sid: RL0}\n", "11:18", ["re-enabling could not restore", "add `role_sid:`"]),
    ("overlay read-only", WRITE + "      disabled: {created: now}\n", "11:27", ["created is read-only"]),
    ("overlay immutable", WRITE + "      disabled: {identity: x}\n", "11:18", ["only when the account is created"]),
    ("overlay type", WRITE + "      disabled: {status: off it}\n", "11:26", ["status", "none of true, false"]),
    ("correlate unknown", WRITE + "      correlate: [email, usrName]\n", "11:26", ['unknown attribute "usrName"', '"userName"']),
    ("top correlate unknown", "correlate: [mail]\n" + PEOPLE, "1:13", ['correlate: unknown attribute "mail"', '"email"']),
]  # fmt: skip
MAPS = [
    ("unknown provider attribute", MAP + "        freindly_name: email\n", "12:9", ["unknown attribute", 'did you mean "friendly_name"?']),
    ("unknown removed attribute", MAP + "        freindly_name: null\n", "12:9", ["unknown attribute", '"friendly_name"']),
    ("read-only attribute", MAP + "        created: email\n", "12:18", ["created is read-only"]),
    ("unknown canonical name", MAP + "        role_sid: titel\n", "12:19", ["unknown name 'titel'", "did you mean 'title'?"]),
    ("unknown from", MAP + "        role_sid: {from: titel, map: {}}\n", "12:19", ["unknown name 'titel'", "title"]),
    ("syntax of CEL", MAP + '        role_sid: title + "x\n', "12:27", ["role_sid", "cannot read"]),
    ("type of CEL", MAP + "        role_sid: title + active\n", "12:25", ["cannot be applied to (string, bool)"]),
    ("quoted CEL", MAP + "        role_sid: 'title + \"''\" + nope'\n", "12:35", ["unknown name 'nope'"]),
    ("folded CEL", MAP + "        role_sid: >-\n          title +\n          nope\n", "14:11", ["unknown name 'nope'"]),
    ("literal CEL", MAP + "        role_sid: |\n          title +\n            nope\n", "14:13", ["unknown name 'nope'"]),
    ("CEL in an object", MAP + "        role_sid: {expr: 1 + nope}\n", "12:30", ["unknown name 'nope'"]),
    ("unquoted constant", MAP + "        role_sid: gold-member\n", "12:19", ["unknown name 'gold'", "a constant is quoted twice"]),
    ("two sources", MAP + "        role_sid: {from: title, expr: title}\n", "12:19", ["exactly one of from, value and expr"]),
    ("no source", MAP + "        role_sid: {on: create}\n", "12:19", ["exactly one of"]),
    ("map of a constant", MAP + "        role_sid: {value: x, map: {x: y}}\n", "12:35", ["a constant has no map"]),
    ("default without map", MAP + "        role_sid: {from: title, default: y}\n", "12:42", ["default needs a map"]),
    ("mode of text", MAP + "        role_sid: {from: title, mode: replace}\n", "12:19", ["for lists and objects"]),
    ("own without star", MAP + "        groups: {from: roles, own: corp}\n", "12:36", ['"corp*"']),
    ("own and mode", MAP + '        groups: {from: roles, own: "corp*", mode: replace}\n', "12:36", ["no mode beside it"]),
    ("literal too long", MAP + f"        friendly_name: {{value: {'x' * 21}}}\n", "12:24", ["21 characters, the limit is 20"]),
    ("literal of the wrong type", MAP + "        status: {value: [a]}\n", "12:17", ["none of true, false"]),
    ("marker", MAP + "        attributes.syncd: email\n", "12:9", ["the marker that syncd writes itself"]),
    ("key taken away", MAP + "        identity: null\n", "12:9", ["the account's key"]),
    ("scope syntax", WRITE + "      scope: department = 'x'\n", "11:25", ["scope"]),
    ("scope no condition", WRITE + "      scope: department\n", "11:14", ["gives string where bool is needed"]),
    ("scope unknown name", WRITE + "      scope: departement == 'x'\n", "11:14", ["unknown name 'departement'", "department"]),
    ("column in an expression", PEOPLE + "    read: {attributes: {title: lower(job)}}\n", "7:38", ["name 'job'", 'row["its name"]']),
    ("no attribute name", PEOPLE + "    read: {attributes: {job-title: x}}\n", "7:25", ["is no attribute name"]),
    ("write option in a read map", PEOPLE + "    read: {attributes: {title: {from: x, on: create}}}\n", "7:32", ["belong to write maps"]),
    ("unknown provider path", BOTH + "    read: {attributes: {title: rol_sid}}\n", "10:32", ["unknown name 'rol_sid'", "role_sid"]),
    ("unknown provider from", BOTH + "    read: {attributes: {title: {from: rol_sid}}}\n", "10:39", ['unknown attribute "rol_sid"']),
]  # fmt: skip
TOGETHER = [
    ("no source", PEOPLE.replace("true", "false"), "1:1", ["no connection is authoritative", "authoritative: true"]),
    ("two writers", WRITE + "      {}\n" + CHAT.replace("chat:", "twin:") + "    write: {}\n", "12:3", ["chat and twin both write"]),
    ("one namespace twice", PEOPLE + PEOPLE[13:].replace("people:", "staff:") + "    namespace: people\n", "7:3", ["one namespace"]),
    ("precedence: attribute", "precedence: {phon: [people]}\n" + PEOPLE, "1:14", ['unknown attribute "phon"', '"phone"']),
    ("precedence: connection", "precedence: {phone: [peple]}\n" + PEOPLE, "1:22", ['no connection is named "peple"', '"people"']),
    ("precedence: neither", "precedence: {phone: [chat]}\n" + BOTH, "1:22", ["neither a source nor a target", "add `write: {}`"]),
    ("precedence as text", "precedence: {phone: 'people, peple'}\n" + PEOPLE, "1:21", ['"peple"']),
    ("precedence: nobody", "precedence: {phone: []}\n" + PEOPLE, "1:21", ["names no connection"]),
    ("missing people file", PEOPLE.replace("people.csv", "poeple.csv"), "4:11", ["does not exist", 'did you mean "people.csv"?']),
    (
        "people nowhere",
        PEOPLE.replace("people.csv", "nowhere/people.csv"),
        "4:11",
        ["does not exist", "relative to the configuration file"],
    ),
    ("missing globs", "ignore: ['file:none.txt']\n" + PEOPLE, "1:10", ["none.txt", "No such file"]),
]
REFERENCES = [
    ("variable not set", BOTH.replace("TOKEN", "NONE"), "9:17", ["auth_token", "NONE is not set", "export NONE="]),
    ("variable without a name", BOTH.replace("env:TOKEN", '"env:"'), "9:17", ["needs the name"]),
    ("file missing", BOTH.replace("env:TOKEN", "file:none"), "9:17", ["auth_token", "none", "No such file", "see that it is a file that"]),
    ("file without a name", BOTH.replace("env:TOKEN", '"file:\\0"'), "9:17", ["auth_token", "NUL"]),
    ("file is a directory", BOTH.replace("env:TOKEN", "file:."), "9:17", ["auth_token", "cannot be read"]),
    ("empty secret", BOTH.replace("env:TOKEN", '""'), "9:17", ["auth_token is empty"]),
    (
        "secret of two lines",
        BOTH.replace("env:TOKEN", '"hunter2\\nhunter2"'),
        "9:17",
        ["auth_token holds a line break", "alone, on one line"],
    ),
    ("missing number", BOTH + "    page_size: env:NONE\n", "10:16", ["page_size: environment variable NONE is not set"]),
    ("missing path", PEOPLE.replace("people.csv", "env:NONE"), "4:11", ["path: environment variable NONE is not set"]),
    ("missing connector", PEOPLE.replace("sheet", "env:NONE"), "3:16", ["connector: environment variable NONE is not set"]),
    ("secret is a number", BOTH.replace("env:TOKEN", "12345678"), "9:17", ["auth_token must be text", "quote it"]),
]
ARRIVALS = [
    ("history", "store: {history: 400d}\n" + PEOPLE, "1:9", ["store.history has not arrived"]),
    ("driver", "store: {url: postgresql+psycopg://u@h/db}\n" + PEOPLE, "1:14", ["must have the form", "postgresql://USER@HOST/NAME"]),
]
TABLE = [*SYNTAX, *KEYS, *TYPES, *NAMES, *WRITES, *MAPS, *TOGETHER, *REFERENCES, *ARRIVALS]


@pytest.mark.parametrize(("text", "place", "words"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_refused_in_one_sentence_at_its_place(tmp_path: Path, text: str, place: str, words: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        configured(tmp_path, text)
    said = str(caught.value)
    assert caught.value.exit_code == 78
    assert said.startswith(f"{tmp_path / 'syncd.yaml'}:{place}: ")
    assert not [word for word in words if word not in said], said
    assert said.count(str(tmp_path / "syncd.yaml")) == 1, said


def test_an_empty_file_is_refused_by_name(tmp_path: Path) -> None:
    for text in ("", "# nothing\n"):
        with pytest.raises(Refused, match=r"syncd\.yaml: the file is empty\n.*example"):
            configured(tmp_path, text)


def test_all_problems_are_reported_together_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "instnce: x\n" + PEOPLE.replace("true", "maybe") + CHAT.replace("TOKEN", "NONE") + "    webhook: 1\n    write: {scope: 1}\n"
    text += "  bots: {connector: waii}\ninstance: a\ninstance: b\nstore: {history: 1d}\n"
    with pytest.raises(Refused) as caught:
        configured(tmp_path, text)
    places = [line.split("syncd.yaml:")[1].split(": ")[0] for line in str(caught.value).splitlines() if "syncd.yaml:" in line]
    assert places == ["1:1", "7:20", "10:17", "11:5", "12:20", "13:21", "15:1", "16:9"]


def test_no_refusal_repeats_a_secret(tmp_path: Path) -> None:
    secret = "hunter2-hunter2"
    bad = BOTH.replace("env:TOKEN", secret) + f"    account: {secret}\n    {secret}: x\n    region: {secret}\n"
    for text in (bad, bad.replace(f"auth_token: {secret}", f"auth_token: *{secret}")):
        with pytest.raises(Refused) as caught:
            configured(tmp_path, text)
        assert secret not in str(caught.value)
    with pytest.raises(Refused) as caught:
        configured(tmp_path, BOTH + "    page_size: env:TOKEN\n")
    assert TOKEN not in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "syncd.yaml"
    path.write_bytes(b"instance: \xff\n")
    from syncd.settings import load

    with pytest.raises(Refused, match=r"syncd\.yaml: is not UTF-8 text \(byte 11\)"):
        load(path, {}, {})
    with pytest.raises(Refused, match="cannot be read: Is a directory"):
        load(tmp_path, {}, {})


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Refused, match="it is a named pipe, and syncd reads it more than once"):
        configured(tmp_path, BOTH.replace("env:TOKEN", "file:pipe"))


def test_anchors_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["x-0: &a0 [a, b]"] + [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 8)]
    with pytest.raises(Refused, match="more than 50,000 values"):
        configured(tmp_path, "\n".join(lines) + "\n" + PEOPLE)
    with pytest.raises(Refused, match="nested too deeply"):
        configured(tmp_path, "ignore: " + "[" * 700)
