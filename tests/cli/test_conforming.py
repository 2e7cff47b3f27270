"""`syncd connector test`: a line for each obligation, the broken ones quoted; needs nothing but a name."""

from __future__ import annotations

import os

import pytest

from syncd import benches
from syncd.connectors.obligations import OBLIGATIONS
from tests.cli.office import Office
from tests.cli.schemas import valid
from tests.conformance.mutants import MUTANTS
from tests.conformance.readers import ForbiddenIsGone

BROKEN = dict(MUTANTS["no_failure_is_absence"])[ForbiddenIsGone.__name__]


def test_a_line_for_each_obligation(office: Office) -> None:
    office.config.unlink()
    before = os.listdir(office.root)
    said = office.run("connector", "test", "memory")
    lines = said.out.splitlines()
    assert (said.code, said.err, len(lines)) == (0, "", len(OBLIGATIONS) + 1)
    assert lines[1].startswith("ok               2 list.loop          everyone is handed out once; an empty directory is complete")
    assert lines[5].startswith("not applicable   6 list.records       its bench shows none of these faults")
    assert said.last == f"memory: {len(OBLIGATIONS) - 1} obligations hold, 1 does not apply."
    assert office.sandbox.twilio.requests == [] and os.listdir(office.root) == before, "nothing of the user's was touched"


def test_the_obligation_that_is_broken_is_quoted(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benches, "get", lambda name: BROKEN)
    said = office.run("connector", "test", "memory")
    assert said.code == 1
    place = next(n for n, line in enumerate(said.out.splitlines()) if line.startswith("FAILED"))
    assert said.out.splitlines()[place : place + 3] == [
        "FAILED          12 fetch.refused      no failure is absence",
        f"    {OBLIGATIONS['fetch.refused']}",
        "    - no failure is absence: `fetch` took it for absence with the fault 401@*:*",
    ]
    assert said.last == f"memory: 1 obligation is broken, {len(OBLIGATIONS) - 2} hold, 1 does not apply."


def test_the_document(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    made = valid(office.run("connector", "test", "file", "--json").json, "conformance")
    assert made["ok"] and [one["name"] for one in made["obligations"]] == [*OBLIGATIONS]
    assert {one["state"] for one in made["obligations"]} == {"ok", "not applicable"}
    monkeypatch.setattr(benches, "get", lambda name: BROKEN)
    said = office.run("connector", "test", "memory", "--json")
    (broken,) = [one for one in valid(said.json, "conformance")["obligations"] if one["state"] == "failed"]
    assert (said.code, said.json["ok"], broken["clause"]) == (1, False, OBLIGATIONS["fetch.refused"])
    assert broken["checks"] == [{"name": "no failure is absence", "state": "failed", "found": broken["checks"][0]["found"]}]


def test_a_connector_without_a_bench(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benches, "names", lambda: ())
    said = office.run("connector", "test", "twilio")
    assert (said.code, said.out) == (1, "")
    assert said.err == "syncd: twilio has no bench to be tried on: register one among the entry points 'syncd.benches'\n"
