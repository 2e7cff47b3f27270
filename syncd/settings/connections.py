"""One connection as written: split into the keys that every connection has and those of its connector, each checked."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from pydantic import BaseModel

from syncd.model import Capability
from syncd.settings import sections
from syncd.settings.origins import Origins, Unresolved
from syncd.settings.problems import Keys, Problems, did_you_mean, dotted
from syncd.settings.reading import names, validated

COMMON = frozenset(names(sections.Connection))


class ConnectorOptions(Protocol):
    """What option classes offer beside being pydantic models: the bond to one directory, and what can be done there."""

    def binding(self) -> dict[str, str]: ...

    def capability(self) -> Capability: ...


Registry = Mapping[str, type[BaseModel]]
"""Connector name -> its option class: a pydantic model that is also a ConnectorOptions."""


@dataclass(frozen=True)
class Parsed:
    """A connection whose keys and types are right. ``at``: its keys, ``("connections", NAME)``."""

    name: str
    at: Keys
    section: sections.Connection
    options: BaseModel
    binding: Mapping[str, str]
    capability: Capability


class ConnectionReader:
    """Reads connections; problems go to ``problems``, every secret value to ``problems.secrets``, literal secrets are warned of."""

    def __init__(self, registry: Registry, origins: Origins, problems: Problems) -> None:
        self.registry, self.origins, self.problems = registry, origins, problems
        self.secrets: list[str] = []
        self._literal: list[Keys] = []

    @property
    def warnings(self) -> list[str]:
        """One, at the first secret that is written in the file."""
        if not self._literal:
            return []
        first, *others = self._literal
        what = "is a secret" if not others else f"and {len(others)} more are secrets"
        return [f"{self.origins.value(first)}: {dotted(first)} {what} written in the file; use env:NAME or file:PATH"]

    def parse(self, name: str, data: Any) -> Parsed | None:
        """None when something is wrong with it, already noted."""
        at: Keys = ("connections", name)
        if not sections.NAME_PATTERN.fullmatch(name):
            cure = "a small letter, then small letters, digits and single underscores"
            self.problems.add(self.origins.key(at), f'"{name}" is no connection name', cure)
        if not isinstance(data, dict):
            self.problems.add(self.origins.value(at), f"{dotted(at)} must be a mapping (key: value)", "begin with `connector:`")
            return None
        options = self._connector(at, data.get("connector"), data)
        self._presence(at, data)
        common = {key: value for key, value in data.items() if key in COMMON}
        section = validated(sections.Connection, common, at, self.origins, self.problems)
        chosen = None if options is None else self._options(options, at, {key: data[key] for key in data if key not in COMMON})
        if section is None or chosen is None:
            return None
        own = cast(ConnectorOptions, chosen)
        return Parsed(name, at, section, chosen, own.binding(), own.capability())

    def _connector(self, at: Keys, name: Any, data: Mapping[str, Any]) -> type[BaseModel] | None:
        if isinstance(name, str) and name in self.registry:
            return self.registry[name]
        if isinstance(name, str) and not isinstance(name, Unresolved):
            self.problems.add(self.origins.value((*at, "connector")), f'unknown connector "{name}"', did_you_mean(name, self.registry))
        return None

    def _presence(self, at: Keys, data: Mapping[str, Any]) -> None:
        if "write" not in data:
            for key in ("limits", "settle"):
                if key in data:
                    self.problems.add(
                        self.origins.key((*at, key)), f"{dotted((*at, key))} has no meaning without `write`", "add `write: {}`"
                    )
        elif data["write"] is None:
            self.problems.add(
                self.origins.key((*at, "write")), f"{dotted(at)}.write is empty", "say `write: {}` for a target, or remove it"
            )

    def _options(self, model: type[BaseModel], at: Keys, data: dict[str, Any]) -> BaseModel | None:
        hidden = [name for name, field in model.model_fields.items() if "SecretStr" in str(field.annotation)]
        for name in hidden:
            self.secret((*at, name), data.get(name))
        before = len(self.problems.found)
        if "path" in model.model_fields and isinstance(data.get("path"), str):
            data["path"] = self._path((*at, "path"), data["path"])
        if len(self.problems.found) > before:
            return None
        return validated(model, data, at, self.origins, self.problems, COMMON)

    def secret(self, keys: Keys, value: Any) -> None:
        """Hide it from here on; an empty one is a problem."""
        if not isinstance(value, str) or isinstance(value, Unresolved):
            return
        if not value.strip():
            self.problems.add(self.origins.value(keys), f"{dotted(keys)} is empty", "see that its variable or file holds the secret")
            return
        if any(character < " " or character == "\x7f" for character in value):
            cure = "see that its variable or file holds the secret alone, on one line"
            self.problems.add(self.origins.value(keys), f"{dotted(keys)} holds a line break or another control character", cure)
        self.problems.secrets.add(value)
        self.secrets.append(value)
        if self.origins.literal_in_file(keys):
            self._literal.append(keys)

    def _path(self, keys: Keys, text: str) -> str:
        """Relative to the configuration file; it must exist."""
        path = Path(os.path.normpath(self.origins.directory / text))
        if not os.path.exists(path) and not isinstance(text, Unresolved):
            close = difflib.get_close_matches(path.name, _siblings(path), n=1)
            cure = f'did you mean "{close[0]}"?' if close else "paths are relative to the configuration file"
            self.problems.add(self.origins.value(keys), f"{dotted(keys)}: {path} does not exist", cure)
        return str(path)


def _siblings(path: Path) -> list[str]:
    try:
        return os.listdir(path.parent)
    except (OSError, ValueError):
        return []
