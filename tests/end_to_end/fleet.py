"""Several daemons, and whatever else runs beside them, on one store: real processes over an emulated Twilio that knows who asks."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from starlette.types import Receive, Scope, Send

from syncd.sandbox import Sandbox, serve

CONFIG = """\
version: 1
store: {{url: "{store}", lease: {lease}}}
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
    account_sid: {twilio.account_sid}
    auth_token: env:TOKEN
    rate: {{concurrency: 4}}
    settle: 1s
    limits: {{create: {{max: 100000, percent: 1000000}}, update: {{percent: 1000}}, delete: {{max: 100000, percent: 100}}}}
    write: {{deprovision: {{departed: delete, grace: 0s}}}}
    schedule: {{every: 1h, jitter: 0s}}
{more}
"""
DESK = """\
  desk:
    connector: twilio
    base_url: {url}
    account_sid: {twilio.account_sid}
    auth_token: env:TOKEN
    service_sid: {twilio.service_sid}
    rate: {{concurrency: {concurrency}}}
    settle: 1s
    limits: {{create: {{max: 100000, percent: 1000000}}, update: {{percent: 1000}}, delete: {{max: 100000, percent: 100}}}}
    write: {{deprovision: {{departed: delete, grace: 0s}}}}
    schedule: {{every: 1h, jitter: 0s}}
"""
PATIENCE = 90.0


class Heard(NamedTuple):
    """A request that began to arrive: when (monotonic), from which member, its method and path."""

    at: float
    member: str
    method: str
    path: str


@dataclass
class Fleet:
    """``members``: name -> its process; the token that each asks with is made of its name. ``more``: the further connections."""

    root: Path
    store: str = "sqlite:///syncd.db"
    lease: str = "1s"
    latency: float = 0.02
    more: str = ""
    concurrency: int = 4
    heard: list[Heard] = field(default_factory=list)
    members: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(latency=self.latency)
        self._tokens: dict[str, str] = {}

    @contextmanager
    def served(self) -> Iterator[Fleet]:
        """For as long as the providers are there; no process outlives them."""
        with serve(self) as url:
            told = {"url": url, "twilio": self.sandbox.twilio, "concurrency": self.concurrency}
            (self.root / "syncd.yaml").write_text(CONFIG.format(store=self.store, lease=self.lease, more=self.more.format(**told), **told))
            try:
                yield self
            finally:
                for name in [*self.members]:
                    self.kill(name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        credentials = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Basic ")
        self.heard.append(Heard(time.monotonic(), self._tokens.get(credentials, "?"), scope["method"], scope["path"]))
        await self.sandbox(scope, receive, send)

    def employ(self, rows: dict[int, str]) -> None:
        """Number -> name of everybody; the file is replaced at once."""
        lines = ["employeeNumber,email,displayName", *(f"E{n},p{n}@corp.example,{name}" for n, name in sorted(rows.items()))]
        (self.root / "new.csv").write_text("\n".join(lines) + "\n")
        os.replace(self.root / "new.csv", self.root / "people.csv")

    def hire(self, many: int) -> None:
        self.employ({n: f"Person {n}" for n in range(1, many + 1)})

    def busy(self, many: int = 2000) -> None:
        """So many have no account yet, or nearly."""
        if len((self.root / "people.csv").read_text().splitlines()) - len(self.users()) < many / 2:
            self.hire(len(self.users()) + many)

    def environ(self, name: str) -> dict[str, str]:
        token = f"token-of-{name}"
        credentials = b64encode(f"{self.sandbox.twilio.account_sid}:{token}".encode()).decode()
        self._tokens[credentials] = name
        self.sandbox.twilio._accepted.add(credentials)
        return {"PATH": os.environ["PATH"], "HOME": str(self.root), "TOKEN": token}

    def start(self, name: str, *arguments: str) -> None:
        with (self.root / f"{name}.log").open("ab") as log:
            self.members[name] = subprocess.Popen(
                [sys.executable, "-m", "syncd", *(arguments or ("run",))],
                cwd=self.root, env=self.environ(name), stderr=log, stdout=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def run(self, *arguments: str, name: str = "person") -> subprocess.CompletedProcess[str]:
        """Another command, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "syncd", *arguments],
            cwd=self.root, env=self.environ(name), capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip

    def settle(self) -> None:
        """The first contact is over."""
        self.hire(1)
        done = self.run("sync", "--yes")
        assert done.returncode == 0, done

    def send(self, name: str, number: int) -> None:
        self.members[name].send_signal(number)

    def kill(self, name: str) -> None:
        self.members[name].kill()
        self.members.pop(name).wait()

    def revived(self, besides: str) -> bool:
        """Who ended by itself is started again, as a service manager does."""
        for name, process in [*self.members.items()]:
            if name != besides and process.poll() not in (None, 0):
                self.start(name)
        return True

    def until(self, done: Callable[[], Any]) -> Any:
        """What ``done`` gives as soon as it is something."""
        deadline = time.monotonic() + PATIENCE
        while not (found := done()):
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.005)
        return found

    def requests(self, since: float, *, of: str = "", besides: str = "", writes: bool = False) -> list[Heard]:
        """Those to the provider since an instant, of one member, or of all ``besides`` one."""
        each = [one for one in self.heard if one.at > since and one.member in self.members]
        return [
            one for one in each if one.member != besides and of in ("", one.member) and (not writes or one.method in ("POST", "DELETE"))
        ]  # fmt: skip

    def worker(self, since: float) -> str:
        """Who is writing."""
        return str(self.until(lambda: self.requests(since, writes=True))[-1].member)

    def stands(self, name: str) -> bool:
        """Whether all threads of a member stand still: a signal reaches them one after the other (proc_pid_stat(5))."""
        tasks = Path(f"/proc/{self.members[name].pid}/task").glob("*/stat")
        return all(one.read_text().rpartition(")")[2].split()[0] == "T" for one in tasks)

    def holds(self, name: str) -> bool:
        """Whether a member has the lease of the target."""
        (holder,) = self._asked("SELECT holder FROM lease WHERE connection = 'chat' AND until <> ''") or ("",)
        return f":{self.members[name].pid}:" in str(holder)

    @property
    def token(self) -> int:
        """The last fencing token of the target."""
        (token,) = self._asked("SELECT token FROM lease WHERE connection = 'chat'") or (0,)
        return int(token)

    def written_with(self, token: int, since: datetime) -> int:
        """How many accounts the provider made since an instant that the journal sent with this token, or an older one, alone."""
        made = [one.identity for one in self.sandbox.twilio.log if one.method == "POST" and one.at > since and one.status == 201]
        text = "SELECT MAX(s.token) FROM step AS s JOIN change AS c ON c.seq = s.change WHERE s.connection = 'chat' AND c.who = ?"
        return sum(((self._asked(text, who) or (0,))[0] or 0) <= token for who in made)

    def _asked(self, text: str, *values: object) -> tuple[Any, ...] | None:
        """The first row, of an SQLite store."""
        door = sqlite3.connect(self.root / "syncd.db", timeout=PATIENCE)
        row: tuple[Any, ...] | None = door.execute(text, values).fetchone()
        door.close()
        return row

    def listed(self, name: str, since: float) -> float:
        """When a member began to list the accounts anew; never is far away."""
        begun = (one.at for one in self.requests(since, of=name) if one.method == "GET" and one.path.endswith("/Users"))
        return next(begun, float("inf"))

    def locked(self) -> bool:
        """Whether somebody keeps the store from being written."""
        if not self.store.startswith("sqlite"):
            return False
        door = sqlite3.connect(self.root / "syncd.db", timeout=0.3, isolation_level=None)
        try:
            door.execute("BEGIN IMMEDIATE")
            door.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
        finally:
            door.close()
        return False

    def users(self, service: str | None = None) -> dict[str, str]:
        """Identity -> name of whoever has an account."""
        return {one["identity"]: one["friendly_name"] for one in self.sandbox.twilio.service(service).users.values()}

    def doubled(self) -> list[str]:
        """Whoever was made twice at one service without having been deleted between."""
        there: set[tuple[str, str]] = set()
        twice = []
        for one in self.sandbox.twilio.log:
            account = one.path.split("/Users")[0], str(one.identity)
            if one.method == "POST" and one.path.endswith("/Users") and one.status == 201:
                twice += [str(one.identity)] if account in there else []
                there.add(account)
            elif one.method == "DELETE":
                there.discard(account)
        return twice

    def events(self, name: str, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in (self.root / f"{name}.log").read_text().splitlines() if line.startswith("{")]
        return [one for one in lines if one["event"] == event]

    def logs(self) -> str:
        return "\n".join(f"== {file.name}\n{file.read_text()[-3000:]}" for file in sorted(self.root.glob("*.log")))


@dataclass
class Takeover:
    """``seconds`` from the loss of one daemon to the first request of another; ``late``: unsafe requests that the lost one began since."""

    seconds: float
    late: list[Heard]


def takeover(fleet: Fleet, number: int, chance: random.Random) -> Takeover:
    """Who is writing is killed (SIGKILL, and started again) or stopped (SIGSTOP, and let go on once another is at work).

    What the one that was stopped writes after it has listed the accounts anew, or what the journal knows to have been sent with a later
    token, it writes by right.

    Who is stopped within a transaction keeps an SQLite store locked, so that nobody can do anything, nor take anything over: that is
    tried again.
    """
    began = time.monotonic()
    lost = fleet.worker(began)
    while True:
        time.sleep(chance.uniform(0.0, 0.2))
        fleet.send(lost, number)
        if number == signal.SIGSTOP:
            fleet.until(lambda lost=lost: fleet.stands(lost))
        gone = time.monotonic()
        if number == signal.SIGKILL or (not fleet.locked() and fleet.holds(lost)):
            break
        fleet.send(lost, signal.SIGCONT)
        lost = fleet.worker(time.monotonic())
    token = fleet.token
    first = fleet.until(lambda: fleet.revived(lost) and fleet.requests(gone, besides=lost))[0]
    if number == signal.SIGKILL:
        fleet.kill(lost)
        fleet.start(lost)
        return Takeover(first.at - gone, [])
    fleet.until(lambda: fleet.revived(lost) and fleet.requests(first.at, besides=lost, writes=True))
    fleet.send(lost, signal.SIGCONT)
    again, since = time.monotonic(), datetime.now(UTC)
    time.sleep(chance.uniform(0.2, 0.4))  # whatever it would still send, it sends at once
    other = fleet.requests(first.at, besides=lost)[-1].member
    assert other != lost
    late = [one for one in fleet.requests(again, of=lost, writes=True) if one.at < fleet.listed(lost, again)]
    return Takeover(first.at - gone, late[: fleet.written_with(token, since)])
