"""The sandbox in a process of its own, so that its work is not counted as ours, and a connection to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from syncd.connectors.twilio import TwilioConnector, TwilioOptions
from syncd.environment import Environment
from syncd.model import Change, Kind, Rate


@dataclass(frozen=True)
class Served:
    """``target``: the connection that points at the first provider served, as the sandbox's own configuration has it."""

    target: Mapping[str, Any]

    @property
    def url(self) -> str:
        """Of its API."""
        return str(self.target["base_url"])

    @property
    def origin(self) -> str:
        return self.url[: self.url.index("/", len("http://")) if self.url.count("/") > 2 else None]

    @property
    def credentials(self) -> tuple[str, str]:
        """Where that provider is Twilio: user and password."""
        return self.target["account_sid"], self.target["auth_token"]

    def connector(self, rate: Rate) -> TwilioConnector:
        """Where that provider is Twilio."""
        account_sid, auth_token = self.credentials
        options = TwilioOptions(base_url=self.url, account_sid=account_sid, auth_token=auth_token)  # type: ignore[arg-type]
        return TwilioConnector(options, environment=Environment(), rate=rate, writable=True)


@contextmanager
def served(*arguments: str, module: str = "syncd.sandbox") -> Iterator[Served]:
    """``arguments``: those of `syncd sandbox`, or of another ``module`` that prints what it prints."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        config = ""
        while "write: {}" not in config:
            config += process.stdout.readline()
        _, target = YAML(typ="safe").load(config)["connections"].values()
        yield Served(target)
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
