"""What is typed wrongly ends with 64 and a sentence; what has not arrived is refused by name; global options stand anywhere."""

from __future__ import annotations

import subprocess
import sys

import pytest

import syncd
from syncd.cli import arrivals
from syncd.cli.app import ORDER, app
from tests.cli.office import Office

WRONG = {
    "pln": "No such command 'pln'. Did you mean 'plan'",
    "held relase 1": "Did you mean 'release'?",
    "plan --jsn": "--json",
    "plan extra": "extra",
    "held release": "Missing argument 'RUN'",
    "held release seven": "Invalid value for 'RUN'",
    "held": "Usage: syncd held",
    "plan -c chta": "no connection is named 'chta' (did you mean 'chat'?)",
    "sync": "`syncd sync` asks before it writes, and here is no terminal: say --yes",
    "connection forget chat": "say --yes",
    "forget ann": "say --yes",
    "revert 3": "say --yes",
    "demo --json": "`syncd demo` has no --json",
    "--json sandbox": "`syncd sandbox` has no --json",
    "sandbox --port 70000": "--port",
    "sandbox --faults boom": "no fault is called 'boom'",
    "sandbox --provider twillio": "did you mean 'twilio'?",
    "connector test twlio": "no connector is called 'twlio' (did you mean 'twilio'?)",
    "connector test": "Missing argument 'NAME'",
    "apply": "Missing argument 'FILE'",
    "plan --format yaml": "Invalid value for '--format'",
    "plan --json --format csv": "--json and --format csv contradict each other: say one",
}
LATER = (
    "account list",
    "container list",
    "store migrate",
    "account --help",
)  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_wrong_usage(office: Office, line: str) -> None:
    office.save()
    said = office.run(*line.split())
    assert (said.code, said.out) == (64, "")
    assert WRONG[line] in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("line", LATER)
def test_what_has_not_arrived_is_refused_by_name(office: Office, line: str) -> None:
    said = office.run(*line.split())
    named = [word for word in line.split() if word.isalpha() and word.islower()][:1] + [word for word in line.split() if word[:2] == "--"][
        :1
    ]
    assert (said.code, said.out) == (64, "")
    assert said.err.endswith("` has not arrived in this version\n") and named[0] in said.err
    assert office.sandbox.twilio.requests == [] and not (office.root / "people.csv").exists(), "nothing was read first"


def test_without_a_command_there_is_help_and_64(office: Office) -> None:
    process = subprocess.run([sys.executable, "-m", "syncd"], capture_output=True, text=True, check=False)
    assert process.returncode == 64 and "Usage: syncd" in process.stderr


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_what_has_arrived_in_the_order_one_meets_it(office: Office, option: str) -> None:
    said = office.run(option)
    commands = [line.split()[0] for line in said.out.split("Commands:")[1].splitlines() if line.strip()]
    assert said.code == 0 and commands == [name for name in ORDER if name not in arrivals.LATER[app]]
    assert "..." not in said.out.split("Commands:")[1], "a line of help is cut off"


def test_help_of_a_command(office: Office) -> None:
    said = office.run("plan", "-h")
    assert said.code == 0
    for option in ("--connection", "--full", "--out", "--format", "--detailed-exitcode", "--config", "--json", "--verbose", "--quiet"):
        assert option in said.out


def test_the_version(office: Office) -> None:
    assert office.run("--version").out == f"syncd {syncd.__version__}\n"


@pytest.mark.parametrize("line", ["--json status", "status --json"])
def test_global_options_stand_before_or_after_the_command(office: Office, line: str) -> None:
    office.save()
    assert office.run(*line.split()).json["kind"] == "status"


def test_completion_for_a_shell(office: Office) -> None:
    """As the shells ask: by a variable (--show-completion asks the same way, once it has found out which shell called it)."""
    assert {"--install-completion", "--show-completion"} <= set(office.run("--help").out.split())

    def asked(**environ: str) -> str:
        return subprocess.run([sys.executable, "-m", "syncd"], capture_output=True, text=True, check=True, env=environ).stdout

    assert "_SYNCD_COMPLETE=complete_bash" in asked(_SYNCD_COMPLETE="source_bash")
    assert asked(_SYNCD_COMPLETE="complete_bash", COMP_WORDS="syncd he", COMP_CWORD="1").split() == ["held"]
    assert asked(_SYNCD_COMPLETE="complete_bash", COMP_WORDS="syncd plan --detail", COMP_CWORD="2").split() == ["--detailed-exitcode"]


def test_to_say_its_version_it_imports_nothing_heavy() -> None:
    heavy = "{'sqlalchemy', 'sqlmodel', 'pydantic', 'httpx', 'structlog', 'starlette', 'rich', 'ruamel'}"
    program = f"import sys; from syncd.cli.main import main; main(['--version']); print({heavy} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == [f"syncd {syncd.__version__}", "set()"]
