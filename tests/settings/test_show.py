"""`config show`: everything that counts, in the shape of the file, without a secret."""

from __future__ import annotations

import json
from pathlib import Path

from configured import CHAT, PEOPLE, TOKEN, configured
from ruamel.yaml import YAML

from syncd.settings.show import document, text

FULL = """\
instance: prod
precedence: {phone: [people]}
ignore: ["svc-*"]
""" + PEOPLE + CHAT + """\
    other_secret: another-secret
    rate: {per_second: 5}
    settle: 90s
    limits: {create: {max: null}, delete: {max: 3}}
    write:
      scope: department == "Support"
      attributes:
        friendly_name: {from: title, map: {a: b}, default: c, on: create, empty: keep}
        attributes.x: {value: false}
        attributes.y: '"a" + title'
        groups: {from: roles, own: "corp*"}
        attributes.externalId: {expr: title, mode: replace}
      deprovision: {departed: delete, retain: title}
      disabled: {attributes.x: true}
"""  # fmt: skip


def test_no_secret_is_shown(tmp_path: Path) -> None:
    shown = text(configured(tmp_path, FULL))
    assert TOKEN not in shown and "another-secret" not in shown
    assert shown.count("'***'") == 2 and shown.startswith(f"# {tmp_path}/syncd.yaml\n")


def test_text_and_document_are_one(tmp_path: Path) -> None:
    loaded = configured(tmp_path, FULL)
    assert YAML(typ="safe", pure=True).load(text(loaded)) == document(loaded)


def test_what_is_shown_of_a_target_means_the_same(tmp_path: Path) -> None:
    loaded = configured(tmp_path, FULL)
    shown = document(loaded)
    del shown["connections"]["people"]["read"]
    again = configured(tmp_path / "again", json.dumps(shown))
    before, after = loaded.landscape.connection("chat"), again.landscape.connection("chat")
    assert before.write and after.write
    assert [(one.name, one.source, one.text, one.table) for one in before.write.attributes] == [
        (one.name, one.source, one.text, one.table) for one in after.write.attributes
    ]
    for name in ("limits", "deprovision", "disabled", "scope", "correlate", "settle"):
        assert getattr(before.write, name) == getattr(after.write, name)
    assert before.rate == after.rate and again.landscape.ignore == loaded.landscape.ignore
    assert again.landscape.precedence == loaded.landscape.precedence and again.store == loaded.store


def test_alternatives_are_a_list(tmp_path: Path) -> None:
    shown = document(configured(tmp_path, PEOPLE))["connections"]["people"]
    assert shown["read"]["attributes"]["userName"] == ["userName", "email", "nr"]
    assert shown["read"]["attributes"]["title"] == "title" and "write" not in shown and "per_second" not in shown["rate"]
