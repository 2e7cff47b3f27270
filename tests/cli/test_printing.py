"""The one door to the terminal: escaped, masked, coloured only where it is wanted; and an unexpected fault says little."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.cli import text
from syncd.cli.printer import GREEN, Printer
from syncd.redaction import Redactor
from syncd.store import Store
from tests import stores
from tests.cli.office import Office

SECRET = "s3cret/Token+Value="


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(st.text())
def test_no_text_escapes_its_line(given: str) -> None:
    shown = text.escaped(given)
    assert not any(ord(one) < 32 or 0x7F <= ord(one) < 0xA0 or one in "\u2028\u2029\u202e\u2066" for one in shown)
    assert len(shown.splitlines()) <= 1


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_document_reads_back(value: object) -> None:
    out = io.StringIO()
    Printer(out, out, {}, json=True).show({"version": 1, "value": value, "list": [value], "stream": iter([value, value])}, lambda: [])
    assert json.loads(out.getvalue()) == {"version": 1, "value": value, "list": [value], "stream": [value, value]}


def test_half_a_surrogate_pair_leaves_as_its_escape() -> None:
    out = io.StringIO()
    Printer(out, out, {}, json=True).show({"path": "\udce9"}, lambda: [])
    out.getvalue().encode()
    assert json.loads(out.getvalue()) == {"path": "\udce9"}


def stream() -> Iterator[str]:
    yield "first"
    raise RuntimeError("the store is gone")


def test_an_iterator_is_written_as_it_comes() -> None:
    out = io.StringIO()
    with pytest.raises(RuntimeError):
        Printer(out, out, {}, json=True).show({"changes": stream()}, lambda: [])
    assert '"first"' in out.getvalue()


@pytest.mark.parametrize(
    ("terminal", "environ", "colored"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": "", "TERM": "xterm"}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour(terminal: bool, environ: dict[str, str], colored: bool) -> None:
    out = Screen() if terminal else io.StringIO()
    Printer(out, out, environ).lines([("done", GREEN)])
    assert out.getvalue() == ("\x1b[32mdone\x1b[0m\n" if colored else "done\n")


@pytest.mark.parametrize("json_", [False, True])
def test_secrets_are_masked_in_text_documents_notes_and_questions(json_: bool) -> None:
    out, err = io.StringIO(), io.StringIO()
    printer = Printer(out, err, {}, json=json_)
    printer.mask = Redactor([SECRET]).value
    printer.show({"reason": f"token {SECRET}", "list": [{SECRET: SECRET}]}, lambda: [f"token {SECRET}"])
    printer.text(SECRET)
    printer.note(SECRET)
    printer.failure(f"first\n{SECRET}")
    printer.prompt(SECRET)
    assert SECRET not in out.getvalue() + err.getvalue() and "***" in out.getvalue() and err.getvalue().count("***") == 3


def test_quiet_keeps_failures_and_drops_notes() -> None:
    err = io.StringIO()
    printer = Printer(io.StringIO(), err, {}, quiet=True)
    printer.note("a warning")
    printer.failure("a failure")
    assert err.getvalue() == "a failure\n" and not printer.live


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (4, "just now"),
        (5, "5 seconds ago"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86400 * 1200, "1,200 days ago"),
    ],
)
def test_moments(seconds: int, words: str) -> None:
    assert text.ago(NOW - timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.44, "0.4 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (12000, "3 h 20 min")]
)
def test_durations(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words


@pytest.mark.parametrize(("value", "shown"), [(None, "(none)"), ("", "(none)"), ([], "(none)"), (False, "false"), ("é", '"é"'), (0, "0")])
def test_values(value: object, shown: str) -> None:
    assert text.value(value) == shown


def test_an_unexpected_fault_says_little_and_v_says_where(office: Office) -> None:
    office.settled(1)
    store = Store(stores.url(office.root))
    with store.transaction():
        store.run("DROP TABLE pending")
    store.close()
    said = office.run("pending")
    assert (said.code, said.out) == (1, "")
    assert re.match(r"syncd: unexpected (Operational|Programming)Error: ", said.err) and "with -v it shows where" in said.err
    assert "Traceback" not in said.err and "SELECT" not in said.err
    assert "Traceback" in office.run("-v", "pending").err


def test_the_traceback_of_an_unexpected_fault_is_masked(office: Office) -> None:
    office.settled(1)
    token = office.environ["CHAT_TOKEN"]
    store = Store(stores.url(office.root))
    with store.transaction():
        store.run("UPDATE identity SET attributes = :text", text=f'"{token}')
    store.close()
    said = office.run("-v", "verify")
    assert said.code == 1 and "Traceback" in said.err and token not in said.err


def test_no_secret_in_anything_that_is_printed(office: Office) -> None:
    """Somebody pasted the token into the people file, so that it stands in every value that is shown."""
    office.environ["CHAT_TOKEN"] = token = "canary/s3cret+token="
    (office.root / "people.csv").write_text(f"employeeNumber,email,displayName\nE1,p1@corp.example,{token}\n")
    commands = ("plan", "sync --yes", "status", "pending", "check", "config show", "verify", "identities", "identities --csv")
    printed = ""
    for command, *forms in product(commands, ("", "--json"), ("-v", "-q")):
        said = office.run(*command.split(), *filter(None, forms))
        printed += said.out + said.err
    assert "p1@corp.example" in printed and "***" in printed
    assert token not in printed and "canary%2Fs3cret" not in printed


def test_a_reader_that_goes_away_is_no_fault(office: Office) -> None:
    office.hire(*range(1, 300))
    command = f"{sys.executable} -m syncd --config {office.config} plan -v --json"
    said = subprocess.run(f"{command} | head -1", shell=True, capture_output=True, text=True, check=True, env=dict(office.environ))
    assert said.stdout == "{\n" and "Error" not in said.stderr and "Traceback" not in said.stderr
