"""What a connector is: its protocol, and the Options from which the configuration schema is made; what it owes is in `obligations`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, ClassVar, Protocol, runtime_checkable

import orjson
from pydantic import BaseModel, ConfigDict, SecretStr

from syncd.environment import Environment
from syncd.model import USER, Account, Capability, Change, Cursor, Gone, Health, Meter, Page, Rate, Ref, Step, Unknown, Watermark


class Options(BaseModel):
    """The configuration keys that belong to one connector; each connector subclasses it. Secrets are typed ``SecretStr``.

    ``UNSEEN``: keys that change nothing of what a listing shows.
    """

    UNSEEN: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def binding(self) -> dict[str, str]:
        """What ties this connection to one directory: ``root`` and account, project or service; compared between runs and connections.

        What is not configured stays out; `Capability.directory` says by which attribute every account tells it. A value may name several
        parts of the directory, one a line, ``*`` all of them: connections that share one overlap.
        """
        raise NotImplementedError

    def capability(self) -> Capability:
        """What this connector can do when configured so."""
        raise NotImplementedError

    def passport(self, key: bytes) -> dict[str, str]:
        """Who asks for a listing, and how: under other ``credentials`` or other ``options`` a provider may show other accounts.

        Digests keyed with ``key``, from which nobody can tell a secret.
        """
        given = {name: value for name, value in self if value is not None and name not in self.UNSEEN}
        secrets = {name: value.get_secret_value() for name, value in given.items() if isinstance(value, SecretStr)}
        others = self.model_dump(mode="json", include=given.keys() - secrets.keys())
        return {"credentials": _digest(key, secrets), "options": _digest(key, others)}


def _digest(key: bytes, values: Mapping[str, Any]) -> str:
    return blake2b(orjson.dumps(values, option=orjson.OPT_SORT_KEYS), digest_size=16, key=key).hexdigest()


Permit = Callable[[], None]
"""Raises Quarantined when nothing unsafe may be sent any more."""


def granted() -> None:
    """Who writes outside a run has nobody to ask."""


class Connector(Protocol):
    """One kind of system. The engine owns every loop; a connector turns one question into requests and answers into records.

    What it owes the engine, clause by clause: `syncd.connectors.obligations`. `syncd connector test NAME` tries each.
    """

    name: ClassVar[str]
    capability: Capability
    meter: Meter
    permit: Permit

    def parse(self, record: bytes, object: str = USER) -> Account:
        """``object``: that of the record's page."""
        ...

    def steps(self, change: Change) -> tuple[Step, ...]: ...

    async def check(self) -> Health: ...

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page: ...

    async def fetch(self, ref: Ref) -> Account | Gone | Unknown: ...

    async def find(self, keys: Mapping[str, str]) -> Sequence[Account]:
        """Accounts whose provider attribute equals the given value, in the most exact way the provider has; keys: path -> value."""
        ...

    async def perform(self, step: Step) -> Account | None:
        """Send one step; None after a delete. A delete of what is gone already succeeds."""
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class Columned(Protocol):
    """A connector whose records have the columns that somebody's export gives them."""

    def remember(self, columns: Mapping[str, str]) -> None:
        """From now on a listing that lacks one of these columns is refused before its first record (column -> what to do about it)."""
        ...


@runtime_checkable
class Speaking(Protocol):
    """A connector that has to ask its server which language it speaks, before it can ask anything else."""

    @property
    def language(self) -> str | None:
        """What the server spoke, as far as that is to be remembered; None where it was not asked, or an answer contradicted it."""
        ...

    def recall(self, language: str) -> None:
        """It spoke this when the same was asked of it before. It is not asked again, until an answer contradicts."""
        ...


class Builder(Protocol):
    """How the command line makes a connector from its Options (``writable`` False = the dry-run door: unsafe methods are refused)."""

    name: ClassVar[str]
    summary: ClassVar[str]
    options: ClassVar[type[Options]]

    def __call__(self, options: Any, *, environment: Environment, rate: Rate, writable: bool) -> Connector: ...
