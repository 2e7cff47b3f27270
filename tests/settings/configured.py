"""A small registry of option classes, and configurations written into a temporary directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, SecretStr, model_validator

from syncd.connectors.base import Options
from syncd.model import CANONICAL, AttributeSpec, Capability, Connection, Mutability
from syncd.settings import Settings, load

TOKEN = "s3cret/Token+Value="
SPECS = (
    AttributeSpec("identity", mutability=Mutability.IMMUTABLE, trusted=True),
    AttributeSpec("friendly_name", limit=20),
    AttributeSpec("role_sid"),
    AttributeSpec("status", "boolean"),
    AttributeSpec("groups", "set"),
    AttributeSpec("attributes", "object"),
    AttributeSpec("created", mutability=Mutability.READ_ONLY),
)


class SheetOptions(Options):
    """A source whose columns are known only when it is read."""

    path: str
    id: str

    def binding(self) -> dict[str, str]:
        return {"root": os.path.abspath(self.path)}

    def capability(self) -> Capability:
        defaults: dict[str, str | tuple[str, ...]] = {name: name for name in CANONICAL}
        defaults |= {"externalId": self.id, "userName": ("userName", "email", self.id)}
        return Capability(attributes={}, writes=False, deletes=False, gone=False, read_defaults=defaults)


class ChatOptions(Options):
    """A target with an immutable key, an object of its own, and no switch unless ``switch`` says so."""

    base_url: str = "https://chat.example"
    account: str = "A1"
    auth_token: SecretStr
    other_secret: SecretStr | None = None
    page_size: int = 50
    webhooks: bool = False
    region: Literal["eu", "us"] = "eu"
    insecure_http: bool = False
    switch: bool = False
    deletes: bool = True

    @model_validator(mode="after")
    def _address(self) -> ChatOptions:
        if self.base_url.startswith("http:") and not self.insecure_http:
            raise ValueError("base_url plain http is only for loopback")
        return self

    def binding(self) -> dict[str, str]:
        return {"root": self.base_url, "account": self.account}

    def capability(self) -> Capability:
        writes = {"identity": "userName", "friendly_name": "displayName", "attributes.externalId": "externalId"}
        return Capability(
            attributes={spec.name: spec for spec in SPECS}, key="identity", marker="attributes.syncd", write_defaults=writes,
            read_defaults={name: path for path, name in writes.items()}, deletes=self.deletes,
            switch=("status", True, False) if self.switch else None,
        )  # fmt: skip


REGISTRY: dict[str, type[BaseModel]] = {"sheet": SheetOptions, "chat": ChatOptions}

PEOPLE = """\
connections:
  people:
    connector: sheet
    path: people.csv
    id: nr
    authoritative: true
"""
"""Six lines: what follows begins at line 7."""

CHAT = """\
  chat:
    connector: chat
    auth_token: env:TOKEN
"""
"""Lines 7 to 9 after PEOPLE: what follows begins at line 10."""


def configured(directory: Path, text: str, environ: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """Loads ``text`` as syncd.yaml beside an empty people.csv; $TOKEN is set. ``flags``: dots spelled ``__``."""
    directory.mkdir(exist_ok=True)
    (directory / "people.csv").touch()
    path = directory / "syncd.yaml"
    path.write_text(text, encoding="utf-8")
    named = {name.replace("__", "."): value for name, value in flags.items()}
    return load(path, REGISTRY, {"TOKEN": TOKEN, **(environ or {})}, flags=named)


def chat(directory: Path, lines: str = "    write: {}\n", **environ: str) -> Connection:
    """The connection ``chat`` of a configuration with these lines (indented by four) in it."""
    return configured(directory, PEOPLE + CHAT + lines, environ).landscape.connection("chat")
