"""A plan as text, Markdown and CSV, each as it is kept in golden/; written anew by ``GOLDEN=1 pytest tests/cli/test_plan_formats.py``."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.office import DISABLING, Office, person
from tests.cli.schemas import valid

GOLDEN = Path(__file__).parent / "golden"
SUFFIX = {"text": "txt", "markdown": "md", "csv": "csv"}
APP = """\
  app:
    connector: appwrite
    base_url: {url}/v1
    project: {project}
    api_key: {key}
    write: {{}}
"""


@pytest.fixture
def busy(office: Office) -> Office:
    """At chat one of each kind: new, found, renamed, gone; at app a first contact, and somebody whom only their own e-mail finds."""
    appwrite = office.sandbox.appwrite
    rest = DISABLING + APP.format(url=office.url, project=appwrite.project_id, key=appwrite.api_key)
    office.configure(DISABLING)
    office.settled(*range(1, 13))
    office.configure(rest)
    appwrite.project.create("visitor", "p3@corp.example")
    office.sandbox.twilio.service().create("p13@corp.example", "Thirteen | <b>`x`</b>")
    office.rows[1]["displayName"] = "=2+2"
    office.rows[3:] = []
    office.rows += [person(13), person(14) | {"displayName": "Fourteen @all #1 _x_ | `y` <i>"}]
    office.save()
    return office


def plain(text: str) -> str:
    """Without what differs from run to run."""
    text = re.sub(r"US[0-9a-f]{32}", "US...", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "<moment>", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>", text)
    text = re.sub(r"syncd[0-9a-f]{30}", "<label>", text)
    return re.sub(r"\b[0-9a-f]{24}\b", "<change>", text)


def parts(text: str) -> list[str]:
    """In no order: changes of a kind are planned in order of links, which are made in order of ids."""
    return sorted(re.split(r"\n(?=  ? ?[~+-] |    [~+] |- |\|)|\n\n|\n(?=chat,|app,)|(?<=disable) |, ", text))


@pytest.mark.parametrize("form", SUFFIX)
def test_as_it_is_kept(busy: Office, form: str) -> None:
    said = busy.run("plan", "--format", form)
    path, shown = GOLDEN / f"plan.{SUFFIX[form]}", plain(said.out.replace("\r\n", "\n"))
    if os.environ.get("GOLDEN"):
        path.write_text(shown, encoding="utf-8")
    assert said.code == 0 and parts(shown) == parts(path.read_text(encoding="utf-8"))


def test_changes_of_one_kind_stand_together(busy: Office) -> None:
    signs = re.findall(r"^  ([+~-]) (\w+)", busy.run("plan", "-c", "people", "-c", "chat").out, flags=re.M)
    assert signs == [("+", "create"), ("~", "adopt"), ("~", "update")]


def test_json_by_either_name(busy: Office) -> None:
    one, other = busy.run("plan", "--format", "json").json, busy.run("plan", "--json").json
    assert valid(one, "plan")["digest"] == other["digest"]
    assert valid(busy.run("plan", "--json", "--format", "json").json, "plan")


def cells(text: str) -> Iterator[dict[str, str]]:
    return csv.DictReader(io.StringIO(text, newline=""))


def test_csv_has_every_change_whole(busy: Office) -> None:
    busy.run("plan")
    document = busy.run("plan", "--json").json
    rows = list(cells(busy.run("plan", "--format", "csv").out))
    assert [row["id"] for row in rows] == [change["id"] for change in document["changes"]]
    for row, change in zip(rows, document["changes"], strict=True):
        assert json.loads(row["attributes"]) == change["attributes"]
        assert [row[name] or None for name in ("who", "kind", "reason", "held", "account")] == [
            change[name] for name in ("who", "kind", "reason", "held", "account")
        ]


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\uff1d1"])
def test_no_cell_of_the_csv_is_run(office: Office, name: str) -> None:
    office.rows = [person(1) | {"email": name}]
    office.save()
    (row,) = cells(office.run("plan", "--format", "csv").out)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d")) for cell in row.values())
    assert row["who"].startswith("'")


def test_markdown_shows_the_first_and_all_when_asked(office: Office) -> None:
    office.settled(1)
    office.configure(DISABLING + "    limits: {create: {max: 1000, percent: 100000}}\n")
    office.hire(*range(2, 204))
    out = office.run("plan", "--format", "markdown").out
    assert out.count("| create <code>") == 200 and "... and more of chat: <code>syncd plan -v --format markdown</code>" in out
    assert office.run("plan", "-v", "--format", "markdown").out.count("| create <code>") == 202


def test_a_value_ends_no_cell_and_mentions_nobody(office: Office) -> None:
    office.settled(1)
    office.rows[0]["displayName"] = "a|b\n\n# @all `c` <script>https://evil.example [x](y) ![z](q)\u202e"
    office.save()
    (row,) = (line for line in office.run("plan", "--format", "markdown").out.splitlines() if "| update" in line)
    told = row.split(" -> " if " -> " in row else "-&gt;")[1].split(" | ")[0]
    assert row.count("|") == 5 and not set("|@`<[]#") & set(told.replace("<code>", "").replace("</code>", "").replace("&#", ""))
    assert "://" not in told and "\u202e" not in told


def test_what_waits_for_review_is_shown_in_full(office: Office) -> None:
    office.settled(1)
    office.configure(DISABLING + "      apply: review\n")
    office.hire(*range(2, 9))
    assert office.run("plan").out.count("    + create p") == 7
    assert office.run("plan", "--format", "markdown").out.count("| <code>+</code> | create <code>p") == 7


def test_a_plan_without_changes(office: Office) -> None:
    office.settled(1)
    assert office.run("plan", "--format", "markdown").out.startswith("## Plan: 0 to create, 0 to adopt, 0 to update")
    assert list(cells(office.run("plan", "--format", "csv").out)) == []


def test_secrets_are_masked_in_every_form(office: Office) -> None:
    office.rows = [person(1) | {"displayName": office.environ["CHAT_TOKEN"]}]
    office.save()
    for form in ("text", "json", "markdown", "csv"):
        assert office.environ["CHAT_TOKEN"] not in office.run("plan", "--format", form).out
