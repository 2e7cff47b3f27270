"""`syncd init`, typed: what it writes loads, says why, and overwrites nothing; what it cannot guess it says."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.cli.invocation import registry
from syncd.cli.main import main
from syncd.settings import load
from syncd.settings.headers import MEANINGS
from tests.cli.office import Office, Said, keyboard
from tests.cli.schemas import valid
from tests.end_to_end.congress import SNAPSHOTS

ALL = ("twilio", "appwrite", "chatbotkit", "waii")
VALUES = {
    "TWILIO_ACCOUNT_SID": f"AC{'a' * 32}", "TWILIO_AUTH_TOKEN": "t" * 32, "APPWRITE_PROJECT": "p", "APPWRITE_API_KEY": "k" * 32,
    "CHATBOTKIT_SECRET": "s" * 32, "WAII_API_KEY": "w" * 32,
}  # fmt: skip
EXPORT = (
    "Personalnr.;Anrede;Vorname;Name;E-Mail;Abteilung;Austrittsdatum;Aktiv\n"
    "1001;Frau;Änne;Müller;aenne@firma.example;Vertrieb;;ja\n"
    "1002;Herr;Bernd;Weiß;bernd@firma.example;Vertrieb;31.12.2020;ja\n"
    "1003;Herr;Curt;Weiß;curt@firma.example;IT;;nein\n"
)


class Desk:
    """A directory in which somebody types."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.root, self.environ = root, environ

    def put(self, text: str | bytes, name: str = "people.csv") -> None:
        (self.root / name).write_bytes(text.encode() if isinstance(text, str) else text)

    def run(self, *line: str) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), keyboard(None):
            code = main(list(line), self.environ)
        return Said(code, out.getvalue(), err.getvalue())

    @property
    def text(self) -> str:
        return (self.root / "syncd.yaml").read_text(encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, {"TZ": "UTC"})


def test_real_people_and_the_first_plan(desk: Desk) -> None:
    desk.put(SNAPSHOTS[-1].read_bytes())
    said = desk.run("init", "people.csv")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("syncd.yaml is written.\npeople.csv: 537 people; id employeeNumber; userName, email, givenName")
    assert "people: 537 accounts in 1 page, complete; 537 linked" in said.out
    assert desk.text.startswith("# yaml-language-server: $schema=syncd.schema.json\n")
    assert "        displayName: name " in desk.text and "# not used: url\n" in desk.text
    assert desk.run("identities", "--json").json["identities"][0]["attributes"]["department"] in ("Republican", "Democrat", "Independent")
    assert desk.run("verify").code == 0


def test_a_german_export_as_it_comes(desk: Desk) -> None:
    desk.put(EXPORT)
    assert desk.run("init", "people.csv").code == 0
    assert 'delimiter: ";"' in desk.text and "headers are German: perhaps Europe/Berlin" in desk.text and "# not used: Anrede" in desk.text
    people = {one["attributes"]["userName"]: one["attributes"] for one in desk.run("identities", "--json").json["identities"]}
    assert people["aenne@firma.example"]["displayName"] == "Änne Müller"
    assert people["bernd@firma.example"]["activeUntil"] == "2020-12-31"
    assert [one["active"] for one in people.values()].count(False) == 1 and people["curt@firma.example"]["active"] is False


def test_a_draft_is_all_one_needs_to_begin(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The export above into the emulated provider: who is active and has not left gets an account."""
    office.config.unlink()
    monkeypatch.chdir(office.root)
    Desk(office.root, {}).put(EXPORT)
    office.environ |= {"TWILIO_ACCOUNT_SID": office.sandbox.twilio.account_sid, "TWILIO_AUTH_TOKEN": office.sandbox.twilio.auth_token}
    said = office.run("init", "people.csv", "--connector", "twilio")
    assert said.code == 0, said
    office.environ["SYNCD_CONNECTIONS__CHAT__BASE_URL"] = office.url
    assert office.run("check").code == 0
    assert office.run("sync", "--yes").code == 0
    assert {who: one["friendly_name"] for who, one in office.users.items()} == {"aenne@firma.example": "Änne Müller"}


def test_every_target_with_its_keys(desk: Desk) -> None:
    desk.put(EXPORT)
    said = desk.run("init", "people.csv", *(word for name in ALL for word in ("--connector", name)))
    assert said.code == 0 and "Set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, APPWRITE_PROJECT," in said.out and "Plan" not in said.out
    assert """# scope: 'department == "Vertrieb"'""" in desk.text
    made = load(desk.root / "syncd.yaml", registry(), VALUES)
    assert [one.connector for one in made.landscape.connections] == ["file", *ALL]
    assert made.warnings == () and all(one.write is not None for one in made.landscape.connections[1:])
    said = desk.run("check")
    assert said.code == 78 and "TWILIO_ACCOUNT_SID" in said.err


@pytest.mark.parametrize("kind", ALL)
def test_two_of_a_kind(desk: Desk, kind: str) -> None:
    desk.put(EXPORT)
    assert desk.run("init", "people.csv", "--connector", kind, "--connector", kind).code == 0
    again = {f"{name}_2": value[:-1] + "9" for name, value in VALUES.items()}
    first, second = load(desk.root / "syncd.yaml", registry(), {**VALUES, **again}).landscape.connections[1:]
    assert second.name == f"{first.name}_2" and second.binding != first.binding


def test_without_people_a_placeholder_that_check_explains(desk: Desk) -> None:
    said = desk.run("init", "--connector", "appwrite")
    assert said.code == 0 and "Next: put your people where `path` says, or: syncd init people.csv" in said.out
    said = Desk(desk.root, VALUES).run("check")
    assert said.code == 78 and "people.csv does not exist" in said.err
    desk.put("employeeNumber,email,name\n1,a@x.co,Ann\n")
    assert load(desk.root / "syncd.yaml", registry(), VALUES).landscape.connections[0].name == "people"


def test_nothing_is_overwritten(desk: Desk) -> None:
    desk.put(EXPORT)
    desk.put("mine", "syncd.yaml")
    said = desk.run("init", "people.csv")
    assert said.code == 1 and "syncd.yaml exists already and is not overwritten: say another name with --config PATH" in said.err
    assert desk.text == "mine"
    assert desk.run("--config", "sub.yaml", "init", "people.csv").code == 0 and (desk.root / "sub.yaml").exists()


def test_not_even_when_somebody_writes_it_at_that_moment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put(EXPORT)
    desk.put("mine", "syncd.yaml")
    monkeypatch.setattr("os.path.lexists", lambda path: False)
    said = desk.run("init", "people.csv")
    assert said.code == 1 and "syncd.yaml cannot be written: File exists" in said.err and desk.text == "mine"


def test_paths_are_relative_to_the_configuration(desk: Desk) -> None:
    (desk.root / "hr").mkdir()
    desk.put(EXPORT, "hr/export.csv")
    assert desk.run("init", "hr/export.csv", "--connector", "appwrite").code == 0
    assert "path: hr/export.csv" in desk.text
    assert desk.run("--config", "hr/syncd.yaml", "init", "hr/export.csv").code == 0
    assert "path: export.csv" in (desk.root / "hr/syncd.yaml").read_text()


def test_as_a_document(desk: Desk) -> None:
    desk.put(EXPORT)
    made = valid(desk.run("init", "people.csv", "--json").json, "init")
    assert (
        made["id"] == "Personalnr."
        and {"attribute": "email", "from": "E-Mail", "why": "so called in German", "written": True} in made["guesses"]
    )


@pytest.mark.parametrize(
    ("content", "name", "code", "told"),
    [
        ("", "people.csv", 1, "people.csv is empty"),
        (b"PK\x03\x04", "people.csv", 1, "spreadsheet"),
        ("Vorname,Abteilung\nAnn,IT\nAnn,IT\n", "people.csv", 1, "its columns: Vorname, Abteilung"),
        ("employeeNumber,email\n1,a@x.co\n,b@x.co\n1,c@x.co\n", "people.csv", 1,
         "employeeNumber: people.csv line 3: no employeeNumber; people.csv line 4: employeeNumber '1' stands in the file twice"),
        ("id,id\n1,2\n", "people.csv", 1, "id"),
        ("x", "people.xlsx", 1, "not a people file by its name"),
    ],
)  # fmt: skip
def test_what_cannot_be_guessed_is_said_and_nothing_written(desk: Desk, content: str | bytes, name: str, code: int, told: str) -> None:
    desk.put(content, name)
    said = desk.run("init", name)
    assert (said.code, said.out) == (code, "") and told in said.err and "nothing was written" in said.err
    assert not (desk.root / "syncd.yaml").exists() and not (desk.root / "syncd.db").exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [("--connector twlio", "did you mean 'twilio'?"), ("--connector file", "the people file is always there"), ("a b", "b")],
)
def test_wrongly_asked(desk: Desk, line: str, told: str) -> None:
    said = desk.run("init", *line.split())
    assert said.code == 64 and told in said.err and not (desk.root / "syncd.yaml").exists()


def test_rows_that_cannot_be_read_are_told_with_their_lines(desk: Desk) -> None:
    desk.put("employeeNumber,email\n1,a@x.co\n2\n3,c@x.co\n")
    said = desk.run("init", "people.csv", "--connector", "appwrite")
    assert said.code == 0 and "people.csv line 3: 1 cells, but the header has 2" in said.out


header = (
    st.sampled_from(sorted(MEANINGS))
    | st.text(min_size=1, max_size=12)
    | st.sampled_from(["true", "null", "a: b", "# x", 'q"', "o'", "\\"])
)
cell = st.sampled_from(["", "1", "7", "a@x.co", "b@x.co", "31.12.2026", "12/31/2026", "Active", "ja", "Ann", "IT"]) | st.text(max_size=4)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(columns=st.lists(header, unique=True, min_size=1, max_size=6), data=st.data())
def test_whatever_the_columns_are_called_the_draft_loads_or_it_is_said_why_not(
    tmp_path_factory: pytest.TempPathFactory, columns: list[str], data: st.DataObject
) -> None:  # fmt: skip
    import csv

    root = tmp_path_factory.mktemp("any")
    rows = data.draw(st.lists(st.lists(cell, min_size=len(columns), max_size=len(columns)), max_size=4))
    with (root / "people.csv").open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
        csv.writer(file, delimiter=data.draw(st.sampled_from(",;|"))).writerows([columns, *rows])
    path = root / "syncd.yaml"
    said = Desk(root, {}).run("--config", str(path), "init", str(root / "people.csv"), "--connector", "twilio")
    assert "unexpected" not in said.err
    if said.code == 0:
        load(path, registry(), VALUES)
    else:
        assert said.code == 1 and "nothing was written" in said.err and not path.exists(), said
    assert json.dumps(said.out)
