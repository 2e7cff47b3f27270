"""The demo plays to its end by itself and leaves nothing; the sandbox serves what its configuration says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.cli import demo
from syncd.cli.demo_stage import ALL, VISITOR, Stage
from syncd.sandbox import people_csv
from tests import stores
from tests.cli.office import Office


def started(*arguments: str, directory: Path, **environ: str) -> subprocess.Popen[str]:
    """The real command in a process of its own."""
    command = [sys.executable, "-m", "syncd", *arguments]
    return subprocess.Popen(
        command, cwd=directory, env={"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd(), **environ},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_demo_comes_out_as_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with started("demo", directory=tmp_path, TMPDIR=str(tmp_path), SYNCD_STORE__URL=stores.url(tmp_path, "mine.db")) as process:
        out, err = process.communicate(timeout=60)
    assert (err, process.returncode) == ("", 0)
    assert list(tmp_path.iterdir()) == [], "neither its own files nor a store of mine"
    for told in (
        "Plan: 0 to create, 0 to adopt, 0 to update, 0 to disable, 0 to delete; 32 held.",
        "(exit code 0; writes the providers saw: 8 chat, 13 app, 8 bots, 8 sql)",
        "sql: 5 created, 3 adopted",
        "(exit code 0; writes the providers saw: none)",
        "changed outside syncd",
        "- delete ",
        "! 4 held (4 to disable): 4 leave (44 % of 9, limit 1 with 1 more in the last 24 h)",
        "(exit code 3; writes the providers saw: none)",
        "$ syncd held release 6",
        "All 5 in step; nothing waits for you.",
    ):
        assert told in out
    assert out.endswith("Everything came out as told.\n")


def test_the_demo_keeps_config_store_and_log_and_overwrites_nothing(office: Office) -> None:
    kept = office.root / "kept"
    said = office.run("demo", "--keep", str(kept))
    assert said.code == 0 and said.last == f"Config, store and log: {kept}"
    assert {one.name for one in kept.iterdir()} >= {"syncd.yaml", "people.csv", "syncd.db", "syncd.log"}
    assert '"event": "synced"' in (kept / "syncd.log").read_text()
    again = office.run("demo", "--keep", str(kept))
    assert (again.code, again.out) == (1, "") and "already holds syncd.yaml" in again.err


def meddle(stage: Stage, name: str) -> None:
    stage.consoles[name].rename(VISITOR, "touched")


def let_in(stage: Stage, name: str) -> None:
    """Whoever left is signed in once more."""
    (gone,) = (email for email, one in stage.consoles[name].everybody().items() if not one.live)
    stage.consoles[name].sign_in(gone)


def hire(stage: Stage, name: str) -> None:
    """By hand, at the provider alone."""
    stage.consoles[name].create("zz@example.com", "Nobody")


BROKEN = [(0, meddle, name, f"{name}: the visitor was touched") for name in sorted(ALL)] + [
    (2, hire, "bots", "bots: 9 live accounts, not 8"),
    (5, let_in, "app", "app: somebody who left is still signed in"),
    (5, let_in, "sql", "sql: somebody who left is still signed in"),
]


@pytest.mark.parametrize(("act", "done", "name", "told"), BROKEN, ids=[f"{act}-{done.__name__}-{name}" for act, done, name, _ in BROKEN])
def test_a_demo_that_does_not_come_out_as_told_says_where(
    office: Office, monkeypatch: pytest.MonkeyPatch, act: int, done: Callable[[Stage, str], None], name: str, told: str
) -> None:
    """Somebody is at the provider's console meanwhile."""
    one = demo.ACTS[act]

    def before(stage: Stage) -> None:
        one.before(stage)
        done(stage, name)

    monkeypatch.setattr(demo, "ACTS", (*demo.ACTS[:act], replace(one, before=before)))
    said = office.run("demo")
    assert said.code == 1 and "this did not come out as told: " in said.err and told in said.err


def test_a_demo_that_expects_something_else_says_what(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    expecting = replace(demo.ACTS[0], live=4, astray={"app"}, held=1, code=3, writes={"chat": 1})
    monkeypatch.setattr(demo, "ACTS", (expecting,))
    err = office.run("demo").err.splitlines()[0]
    assert "exit code 0, not 3; chat: 0 writes, not 1; chat: 3 live accounts, not 4; app: 3 live" in err
    assert "; bots: not everybody is as in the file; chat: not everybody is as in the file; sql: not" in err and err.endswith(
        "; 32 held, not 1"
    )


def test_a_demo_that_is_ended_leaves_nothing_behind(tmp_path: Path) -> None:
    with started("demo", directory=tmp_path, TMPDIR=str(tmp_path), PYTHONUNBUFFERED="1") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM and list(tmp_path.iterdir()) == []


WORKS = {
    "twilio": ('"counts": {"create": 2, "adopt": 3,', "2 created, 3 adopted", 0),
    "appwrite": ('"counts": {"create": 2, "adopt": 3,', "2 created", 3),
}
"""Provider -> what plan and sync say of the five people and its three users, and how sync ends: an unverified address proves nobody."""


@pytest.mark.parametrize(("provider", "planned", "done", "code"), [(name, *told) for name, told in WORKS.items()], ids=WORKS)
def test_the_sandbox_prints_a_config_that_works(tmp_path: Path, provider: str, planned: str, done: str, code: int) -> None:
    with started("sandbox", "--users", "3", "--provider", provider, directory=tmp_path) as process:
        assert process.stdout is not None and process.stderr is not None
        config = ""
        while "write: {}" not in config:
            config += process.stdout.readline()
        assert config.startswith("version: 1\n")
        (tmp_path / "syncd.yaml").write_text(config)
        (tmp_path / "people.csv").write_text(people_csv(5))
        with started("plan", "--json", directory=tmp_path) as plan:
            out, _ = plan.communicate(timeout=30)
        with started("sync", "--yes", directory=tmp_path) as sync:
            synced, _ = sync.communicate(timeout=30)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert plan.returncode == 0 and planned in out
    assert sync.returncode == code and done in synced
    assert process.returncode == 0 and "Save this as syncd.yaml" in err
