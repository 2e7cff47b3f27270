"""The sandbox as a process: its config, its doors for other processes, its end."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from ruamel.yaml import YAML

from syncd.sandbox import Sandbox, serve
from syncd.sandbox.__main__ import main
from syncd.sandbox.people import person


@contextmanager
def process(*arguments: str, end: signal.Signals = signal.SIGTERM) -> Iterator[dict[str, Any]]:
    """The sandbox in a process of its own: its config; ends it and expects a clean end."""
    command = [sys.executable, "-m", "syncd.sandbox", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        text = ""
        while "write: {}" not in text:
            line = running.stdout.readline()
            assert line, running.communicate()
            text += line
        yield YAML(typ="safe").load(text)
        running.send_signal(end)
        _, errors = running.communicate(timeout=10)
        assert (running.returncode, errors) == (0, "")


def client(chat: dict[str, str]) -> httpx.Client:
    return httpx.Client(base_url=chat["base_url"], auth=(chat["account_sid"], chat["auth_token"]), trust_env=False)


def test_another_process_reads_the_state_while_it_runs_and_afterwards(tmp_path: Path) -> None:
    end = tmp_path / "state.json"
    with process("--users", "2", "--state", str(end), "--latency", "0.001") as config:
        assert config["connections"]["people"] == {"connector": "file", "path": "people.csv", "id": "employeeNumber", "authoritative": True}
        with client(config["connections"]["chat"]) as http:
            sid = http.post("/v1/Users", data={"Identity": "ada"}).json()["sid"]
            state = http.get("/_sandbox/state", auth=None).json()
    assert state == orjson.loads(end.read_bytes())
    assert set(state) == {"twilio", "appwrite", "chatbotkit", "waii"}
    state = state["twilio"]
    default, named = state["services"].values()
    assert [user["identity"] for user in default] == [person(1).email, person(2).email, "ada"]
    assert named == []
    assert [(one["sid"], one["status"], one["body"]) for one in state["log"]] == [(sid, 201, {"Identity": "ada"})]
    assert state["requests"] == {"create 201": 1}


def test_the_main_function_serves_until_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    listens = threading.Event()
    monkeypatch.setattr(out, "flush", listens.set)
    statuses: list[int] = []

    def use() -> None:
        listens.wait()
        try:
            with client(YAML(typ="safe").load(out.getvalue())["connections"]["chat"]) as http:
                statuses.extend(http.get("/v1/Users").status_code for _ in range(3))
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    user = threading.Thread(target=use)
    user.start()
    before = signal.getsignal(signal.SIGINT)
    assert main(["--faults", "500@list:1", "--list-lag", "3", "--per-second", "0.001", "--burst", "1500"]) == 0
    user.join()
    assert statuses == [500, 200, 429]
    assert signal.getsignal(signal.SIGINT) is before


def test_bad_faults_and_a_port_in_use_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--faults", "boom"]) == 64
    assert "no fault is called 'boom'" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert capsys.readouterr().err == f"port {port}: Address already in use\n"


def test_faults_and_a_fresh_start_over_http() -> None:
    sandbox = Sandbox(users=1, faults="404@fetch")
    sandbox.list_lag = 5
    auth = (sandbox.twilio.account_sid, sandbox.twilio.auth_token)
    with serve(sandbox) as url, httpx.Client(base_url=url, auth=auth, trust_env=False) as http:
        assert http.post("/_sandbox/faults", content="500@list:2").status_code == 204
        assert [http.get("/v1/Users").status_code for _ in range(3)] == [500, 500, 200]
        refused = http.post("/_sandbox/faults", content="boom")
        assert (refused.status_code, "no fault is called" in refused.text) == (400, True)
        http.post("/v1/Users", data={"Identity": "ada"})
        assert http.post("/_sandbox/reset").status_code == 204
        assert http.get("/_sandbox/state").json()["twilio"]["requests"] == {}
        assert [user["identity"] for user in sandbox.twilio.service().users.values()] == [person(1).email]
        assert [http.get(f"/v1/Users/{person(1).email}").status_code for _ in range(2)] == [404, 200]
        assert sandbox.list_lag == sandbox.twilio.service().directory.lag == 5
