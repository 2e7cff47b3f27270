"""A daemon as a service manager has it: a real process over a people file and an emulated Twilio, with a datagram socket to speak to."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.sandbox import Sandbox
from tests import stores

CONFIG = """\
version: 1
connections:
  people:
    connector: file
    path: people.csv
    id: employeeNumber
    authoritative: true
    schedule: {{every: 1s, jitter: 0s}}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {account}
    auth_token: file:token
    rate: {{concurrency: 4}}
    limits: {{create: {{max: 10000, percent: 1000000}}}}
    write: {{disabled: {{attributes.active: false}}}}
    schedule: {{every: 1h, jitter: 0s}}
{more}
"""
MakeService = Callable[..., "Service"]
PATIENCE = 30.0
"""Seconds after which what a test waits for will not come."""


@dataclass
class Service:
    """``manager``: the socket of the service manager; ``process``: the daemon's last one."""

    root: Path
    sandbox: Sandbox
    url: str
    more: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(self.root / "notify"))
        (self.root / "token").write_text(self.sandbox.twilio.auth_token)
        self.configure()
        self.hire()

    def configure(self, more: str | None = None) -> None:
        self.more = self.more if more is None else more
        (self.root / "syncd.yaml").write_text(CONFIG.format(url=self.url, account=self.sandbox.twilio.account_sid, more=self.more))

    def hire(self, *numbers: int) -> None:
        """These people, and nobody else; the file is replaced at once, as an export should be."""
        rows = [f"E{one},p{one}@corp.example,Person {one}" for one in numbers]
        (self.root / "new.csv").write_text("\n".join(["employeeNumber,email,displayName", *rows]) + "\n")
        os.replace(self.root / "new.csv", self.root / "people.csv")

    def start(self, *arguments: str) -> None:
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.root), "NOTIFY_SOCKET": str(self.root / "notify")}
        environ |= {**stores.environ(self.root), **self.environ}
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "syncd", "run", *arguments],
                cwd=self.root, env=environ, stderr=log, stdout=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def ready(self) -> None:
        self.start()
        self.hears("READY=1")

    def hears(self, line: str) -> Mapping[str, str]:
        """The next message to the service manager that holds this line, as KEY -> value."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if select.select([self.manager], [], [], 0.2)[0]:
                lines = self.manager.recv(4096).decode().split("\n")
                if line in lines:
                    return dict(one.split("=", 1) for one in lines)
            assert self.running, self.log()
        raise AssertionError(f"{line} never came:\n{self.log()}")

    def silent(self) -> None:
        """Drop what was said to the manager until now."""
        while select.select([self.manager], [], [], 0)[0]:
            self.manager.recv(4096)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def ends(self, number: int = signal.SIGTERM, within: float = 10.0) -> int:
        """Its exit code after the signal; more than ``within`` seconds fail."""
        assert self.process is not None
        self.send(number)
        return self.process.wait(within)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command beside it."""
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.root), **stores.environ(self.root)}
        return subprocess.run(
            [sys.executable, "-m", "syncd", *arguments], cwd=self.root, env=environ, capture_output=True, text=True, timeout=PATIENCE * 2
        )  # fmt: skip

    def until(self, done: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < deadline and self.running, self.log()
            time.sleep(0.02)

    def settle(self, *numbers: int) -> None:
        """The first contact is over and the daemon runs."""
        self.hire(*numbers)
        done = self.run("sync", "--yes")
        assert done.returncode == 0, done
        self.ready()

    def rotate(self, token: str) -> None:
        """From now on the provider takes no other."""
        self.sandbox.twilio._accepted = {b64encode(f"{self.sandbox.twilio.account_sid}:{token}".encode()).decode()}

    @property
    def users(self) -> set[str]:
        return {one["identity"] for one in self.sandbox.twilio.service().users.values()}

    def log(self) -> str:
        return (self.root / "log").read_text()

    def events(self, event: str) -> list[dict[str, Any]]:
        """What it logged, a dictionary an event."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [one for one in lines if one["event"] == event]

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.manager.close()


def answer(port: int, path: str) -> tuple[int, str]:
    """Status and body of a request to the daemon's own server."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
