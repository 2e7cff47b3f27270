"""What a correct configuration becomes: defaults, effective maps, limits, leavers, fingerprint."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from configured import CHAT, PEOPLE, TOKEN, chat, configured

from syncd.model import CANONICAL, Connection, Deprovision, Limit, MapEntry, Rate, Target
from syncd.settings import Settings


def write(connection: Connection) -> Target:
    assert connection.write is not None
    return connection.write


def entry(entries: tuple[MapEntry, ...], name: str) -> MapEntry:
    return next(one for one in entries if one.name == name)


def test_everything_unsaid_has_its_default(tmp_path: Path) -> None:
    loaded = configured(tmp_path, PEOPLE + CHAT + "    write: {}\n")
    people, target = loaded.landscape.connections
    assert (loaded.landscape.instance, loaded.landscape.precedence, loaded.landscape.ignore) == ("default", {}, ())
    assert loaded.store.lease == loaded.landscape.lease == timedelta(seconds=10)
    assert (loaded.log.level, loaded.log.format, loaded.path) == ("info", "auto", tmp_path / "syncd.yaml")
    assert (people.name, people.namespace, people.authoritative, people.timezone, people.write) == ("people", "people", True, "UTC", None)
    assert (people.rate, people.explicit) == (Rate(None, 8), frozenset())
    assert (target.authoritative, target.binding) == (False, {"root": "https://chat.example", "account": "A1"})
    made = write(target)
    assert made == Target(
        attributes=made.attributes, deprovision=Deprovision("keep", "keep", "keep", timedelta(days=7)), settle=timedelta(seconds=10),
        limits={"delete": Limit(20, 5, 1), "create": Limit(500, 20, 10), "update": Limit(None, 50, 10), "clear": Limit(None, 5, 1)},
    )  # fmt: skip
    assert [(one.name, one.source, one.text) for one in made.attributes] == [
        ("identity", "name", "userName"), ("friendly_name", "name", "displayName"), ("attributes.externalId", "name", "externalId"),
    ]  # fmt: skip
    assert loaded.secrets == (TOKEN,) and not loaded.warnings


def test_a_written_map_extends_the_default_key_by_key(tmp_path: Path) -> None:
    lines = """\
    write:
      attributes:
        friendly_name: email
        attributes.externalId: null
        role_sid: {from: title, map: {Boss: RL1, 7: RL2, true: RL3}, default: RL9, on: create, empty: keep}
        groups: {from: roles, own: "corp*"}
        attributes.team: '"support-" + lower(tenant)'
        attributes.level: {value: 3}
        attributes.plan: {expr: 'size(roles)', mode: replace}
"""
    made = write(chat(tmp_path, lines)).attributes
    assert [one.name for one in made] == [
        "identity", "friendly_name", "role_sid", "groups", "attributes.team", "attributes.level", "attributes.plan",
    ]  # fmt: skip
    where = f"{tmp_path}/syncd.yaml:"
    assert entry(made, "friendly_name") == MapEntry("friendly_name", "name", "email", where=where + "12:24")
    assert entry(made, "role_sid") == MapEntry(
        "role_sid", "name", "title", table={"Boss": "RL1", "7": "RL2", "true": "RL3"}, default="RL9", has_default=True,
        on_create=True, keep_empty=True, where=where + "14:19",
    )  # fmt: skip
    assert entry(made, "groups").own == "corp*"
    assert entry(made, "attributes.team") == MapEntry("attributes.team", "expr", '"support-" + lower(tenant)', where=where + "16:26")
    assert entry(made, "attributes.level") == MapEntry("attributes.level", "value", value=3, where=where + "17:27")
    assert entry(made, "attributes.plan").replace and entry(made, "attributes.plan").source == "expr"
    assert entry(made, "identity").where == "default map of chat"


def test_a_read_map_of_columns(tmp_path: Path) -> None:
    read = """\
    read:
      timezone: Europe/Paris
      attributes:
        userName: Work e-mail
        displayName: row["First"] + " " + row["Last"]
        shoeSize: size
        photo: null
        active: {from: state, map: {on: true, off: false}}
"""
    people = configured(tmp_path, PEOPLE + read).landscape.connection("people")
    by_name = {one.name: (one.source, one.text) for one in people.read}
    assert by_name["userName"] == ("name", "Work e-mail")
    assert by_name["displayName"] == ("expr", 'row["First"] + " " + row["Last"]')
    assert by_name["shoeSize"] == ("name", "size") and "photo" not in by_name
    assert by_name["externalId"] == ("first", "nr") and by_name["title"] == ("first", "title")
    assert entry(people.read, "active").table == {"on": True, "off": False}
    assert set(by_name) == {*CANONICAL, "shoeSize"} - {"photo"}
    assert people.explicit == {"userName", "displayName", "shoeSize", "active"} and people.timezone == "Europe/Paris"


def test_alternatives_of_the_default_map_stay_in_order(tmp_path: Path) -> None:
    people = configured(tmp_path, PEOPLE).landscape.connection("people")
    assert entry(people.read, "userName") == MapEntry("userName", "first", "userName,email,nr", where="default map of sheet")


def test_a_read_map_of_a_provider(tmp_path: Path) -> None:
    lines = "    read: {attributes: {email: attributes.mail, title: lower(friendly_name), externalId: id, labels: groups}}\n"
    read = chat(tmp_path, lines).read
    assert [(one.name, one.source, one.text) for one in read] == [
        ("userName", "name", "identity"), ("displayName", "name", "friendly_name"), ("externalId", "name", "id"),
        ("email", "name", "attributes.mail"), ("title", "expr", "lower(friendly_name)"), ("labels", "name", "groups"),
    ]  # fmt: skip


def test_attributes_that_only_a_read_map_names_are_known_everywhere(tmp_path: Path) -> None:
    text = PEOPLE + "    read: {attributes: {legalHold: hold, badge: badge}}\n" + CHAT
    text += "    write: {scope: 'badge != \"\"', attributes: {role_sid: badge}, correlate: [badge], deprovision: {retain: legalHold}}\n"
    loaded = configured(tmp_path, "precedence: {badge: [people]}\n" + text)
    made = write(loaded.landscape.connection("chat"))
    assert made.attributes[-1].source == "name" and made.correlate == ("badge",) and made.deprovision.retain == "legalHold"
    assert loaded.landscape.precedence == {"badge": ("people",)}


def test_a_further_attribute_that_looks_misspelt_gets_a_warning(tmp_path: Path) -> None:
    loaded = configured(tmp_path, PEOPLE + "    read: {attributes: {dispalyName: name, badge: badge}}\n")
    assert [warning.split(": ", 1) for warning in loaded.warnings] == [
        [f"{tmp_path}/syncd.yaml:7:25", '"dispalyName" is no standard attribute and becomes one of your own; did you mean "displayName"?']
    ]


KEPT = "leavers of chat are kept: no `disabled` overlay says how to disable an account there"
LEAVERS = [
    ("write: {}", ("keep", "keep", "keep"), 7, [KEPT]),
    ("write: {disabled: {attributes.active: false}}", ("disable", "disable", "disable"), 7, []),
    ("switch: true\n    write: {}", ("disable", "disable", "disable"), 7, []),
    ("write: {deprovision: delete}", ("keep", "delete", "delete"), 7, ["inactive people keep"]),
    ("switch: true\n    write: {deprovision: delete}", ("disable", "delete", "delete"), 7, []),
    ("write: {deprovision: keep}", ("keep", "keep", "keep"), 7, ["inactive people keep"]),
    ("write: {deprovision: {departed: delete, grace: 0}}", ("keep", "keep", "delete"), 0, ["inactive people and people out of scope keep"]),
    ("switch: true\n    write: {deprovision: {inactive: keep, grace: 2d}}", ("keep", "disable", "disable"), 2, []),
]


@pytest.mark.parametrize(("lines", "events", "days", "notices"), LEAVERS)
def test_leavers(tmp_path: Path, lines: str, events: tuple[str, ...], days: int, notices: list[str]) -> None:
    loaded = configured(tmp_path, PEOPLE + CHAT + f"    {lines}\n")
    rules = write(loaded.landscape.connection("chat")).deprovision
    assert (rules.inactive, rules.out_of_scope, rules.departed) == events and rules.grace == timedelta(days=days)
    assert len(loaded.notices) == len(notices) and all(said.startswith(word) for said, word in zip(loaded.notices, notices, strict=True))


def test_the_overlay_is_kept_as_the_provider_stores_it(tmp_path: Path) -> None:
    overlay = "{role_sid: 7, groups: [b, a], attributes.x: {y: 1}, attributes.z: null}"
    lines = f"    write: {{attributes: {{role_sid: title, groups: roles}}, disabled: {overlay}}}\n"
    assert write(chat(tmp_path, lines)).disabled == {"role_sid": "7", "groups": ["a", "b"], "attributes.x": {"y": 1}, "attributes.z": None}


def test_limits_are_merged_key_by_key(tmp_path: Path) -> None:
    lines = "    write: {}\n    limits: {create: {percent: 500}, delete: {max: 0}, update: {max: 9}, clear: {max: null, percent: 0}}\n"
    assert write(chat(tmp_path, lines)).limits == {
        "create": Limit(500, 500, 10), "delete": Limit(0, 5, 1), "update": Limit(9, 50, 10), "clear": Limit(None, 0, 1),
    }  # fmt: skip
    assert write(chat(tmp_path, "    write: {}\n    limits: {create: {max: null}}\n")).limits["create"] == Limit(None, 20, 10)


def test_all_that_can_be_said(tmp_path: Path) -> None:
    lines = """\
    namespace: old
    rate: {per_second: 20, concurrency: 3}
    settle: 0s
    write: {apply: never, adopt: never, drift: report, on_key_change: replace, correlate: []}
"""
    connection = chat(tmp_path, lines)
    made = write(connection)
    assert (connection.namespace, connection.rate, made.settle) == ("old", Rate(20.0, 3), timedelta())
    assert (made.apply, made.adopt, made.drift, made.on_key_change, made.correlate) == ("never", "never", "report", "replace", ())


def test_the_top_level_correlate_is_the_default(tmp_path: Path) -> None:
    text = "correlate: [email]\n" + PEOPLE + CHAT
    assert write(configured(tmp_path, text + "    write: {}\n").landscape.connection("chat")).correlate == ("email",)
    assert write(configured(tmp_path, text + "    write: {correlate: [phone]}\n").landscape.connection("chat")).correlate == ("phone",)


def test_ignore_lists_are_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "protected.txt").write_text("# ours\nroot-*\n\n  admin@x.example \r\n")
    loaded = configured(tmp_path, "ignore: ['svc-*', 'file:protected.txt', env:ONE]\n" + PEOPLE, {"ONE": "one"})
    assert loaded.landscape.ignore == ("svc-*", "root-*", "admin@x.example", "one")


def test_anchors_merge_keys_and_extension_keys(tmp_path: Path) -> None:
    text = (
        "x-base: &base {account: A9, page_size: 3, region: us}\nx-more: [env:NOWHERE]\n" + PEOPLE + CHAT + "    <<: *base\n    region: eu\n"
    )
    options = configured(tmp_path, text).options["chat"].model_dump()
    assert (options["account"], options["page_size"], options["region"]) == ("A9", 3, "eu")


def test_yaml_is_1_2(tmp_path: Path) -> None:
    values = [f"attributes.a{n}: {{value: {text}}}" for n, text in enumerate(("yes", "010", "2026-01-01", "12:30"))]
    lines = f"    write: {{attributes: {{{', '.join(values)}}}}}\n"
    made = write(chat(tmp_path, lines)).attributes
    assert [one.value for one in made[-4:]] == ["yes", 10, "2026-01-01", "12:30"]


def test_two_writers_on_different_directories_are_fine(tmp_path: Path) -> None:
    twin = CHAT.replace("chat:", "twin:") + "    account: A2\n    write: {}\n"
    assert len(configured(tmp_path, PEOPLE + CHAT + "    write: {}\n" + twin).landscape.connections) == 3
    reader = CHAT.replace("chat:", "twin:")
    assert len(configured(tmp_path, PEOPLE + CHAT + "    write: {}\n" + reader).landscape.connections) == 3


def test_a_namespace_is_shared_only_with_connections_that_bring_nobody(tmp_path: Path) -> None:
    assert chat(tmp_path, "    namespace: people\n").namespace == "people"


def fingerprints(directory: Path, *texts: str) -> list[str]:
    return [configured(directory, text).fingerprint() for text in texts]


def test_the_fingerprint_follows_meaning_not_writing(tmp_path: Path) -> None:
    text = PEOPLE + CHAT + "    write: {deprovision: {departed: delete}}\n    limits: {delete: {max: 5, percent: 5}}\n"
    other = "# a comment\n\nlog: {level: debug}\n" + text.replace("{max: 5, percent: 5}", "{percent: 5.0, max: 5}").replace(
        "env:TOKEN", "literal"
    )
    assert len(set(fingerprints(tmp_path, text, other))) == 1
    changes = [
        ("departed: delete", "departed: delete, grace: 1d"), ("max: 5", "max: 6"), ("id: nr", "id: no"), 
        ("write: {", "write: {drift: report, "),
        ("authoritative: true", "authoritative: true\n    namespace: x"),
    ]  # fmt: skip
    before = ["instance: x\n", "store: {url: 'sqlite:///b'}\n", "ignore: [x]\n"]
    changed = fingerprints(tmp_path, text, *(text.replace(*change) for change in changes), *(line + text for line in before))
    assert len(set(changed)) == len(changed)


def test_settings_are_frozen(tmp_path: Path) -> None:
    loaded = configured(tmp_path, PEOPLE)
    assert isinstance(loaded, Settings)
    with pytest.raises(AttributeError):
        loaded.path = tmp_path  # type: ignore[misc]
