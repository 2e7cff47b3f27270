"""The Twilio sandbox in a process of its own, so that its work is not counted as ours, and a connection to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ruamel.yaml import YAML

from syncd.connectors.twilio import TwilioConnector, TwilioOptions
from syncd.environment import Environment
from syncd.model import Change, Kind, Rate


@dataclass(frozen=True)
class Served:
    """Where the sandbox listens and who may speak to it."""

    url: str
    account_sid: str
    auth_token: str
    config: str

    def connector(self, rate: Rate) -> TwilioConnector:
        options = TwilioOptions(base_url=self.url, account_sid=self.account_sid, auth_token=self.auth_token)  # type: ignore[arg-type]
        return TwilioConnector(options, environment=Environment(), rate=rate, writable=True)


@contextmanager
def served(*arguments: str) -> Iterator[Served]:
    """``arguments``: those of `syncd sandbox`."""
    process = subprocess.Popen([sys.executable, "-m", "syncd.sandbox", *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        config = ""
        while "write: {}" not in config:
            config += process.stdout.readline()
        chat = YAML(typ="safe").load(config)["connections"]["chat"]
        yield Served(chat["base_url"], chat["account_sid"], chat["auth_token"], config)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def creation(number: int) -> Change:
    """A create as the planner makes it."""
    who = f"p{number}@corp.example"
    wanted = {"identity": who, "friendly_name": f"Person {number}", "attributes.externalId": str(number)}
    delta = {path: (None, value) for path, value in wanted.items()}
    return Change(f"c{number}", "chat", Kind.CREATE, f"i{number}", who, None, delta, "new")
