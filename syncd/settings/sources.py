"""The sources of values, strongest first: flags, environment, secrets directory, YAML; and their merger."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.errors import Refused
from syncd.settings.problems import Keys, dotted

PREFIX = "SYNCD_"
TOP_SCALARS = frozenset({"version", "instance"})
"""Top-level keys with a single value: the only ones an environment name without ``__`` may set."""
SECTIONS = frozenset({"store", "precedence", "connections", "log", "correlate", "ignore", "notify", "server"})
MAXIMUM_BYTES = 1 << 20


@dataclass
class Layer:
    """One source: nested values, and what to quote for each (an environment name, a flag, a secret file)."""

    data: dict[str, Any] = field(default_factory=dict)
    names: dict[Keys, str] = field(default_factory=dict)
    literal: bool = False

    def put(self, keys: tuple[str, ...], value: Any, name: str) -> None:
        """Raises Refused where one name sets a value and another something inside it."""
        node = self.data
        for key in keys[:-1]:
            node = node.setdefault(key, {})
            if not isinstance(node, dict):
                raise Refused(name, f"another name already sets {key} as a whole")
        if keys[-1] in node:
            raise Refused(name, f"{dotted(keys)} is set twice, also by {self.name(keys)}", "keep one of them")
        node[keys[-1]] = value
        self.names[keys] = name

    def name(self, keys: Keys) -> str | None:
        """What set this value, something inside it or the whole of which it is a part; None = this source is silent."""
        return next((name for own, name in self.names.items() if own[: len(keys)] == keys or keys[: len(own)] == own), None)


def keys_of(name: str) -> tuple[str, ...]:
    """``CONNECTIONS__CHAT__AUTH_TOKEN`` -> its keys, capitals lowered; a segment with small letters keeps its case (``userName``)."""
    return tuple(part.lower() if part.isupper() else part for part in name.split("__"))


def from_environment(environ: Mapping[str, str]) -> Layer:
    """Names with ``__`` or of a top-level scalar; an empty value is no value. Kubernetes injects SYNCD_PORT and the like: ignored."""
    layer = Layer()
    for name in sorted(environ):
        keys = keys_of(name.removeprefix(PREFIX))
        if name.startswith(PREFIX) and environ[name] and all(keys) and (len(keys) > 1 or keys[0] in TOP_SCALARS):
            layer.put(keys, environ[name], name)
    return layer


def from_flags(flags: Mapping[str, Any]) -> Layer:
    """``flags``: dotted key -> value, e.g. ``{"log.level": "debug"}``."""
    layer = Layer()
    for name, value in flags.items():
        layer.put(tuple(name.split(".")), value, f"--{name}")
    return layer


def from_secrets(environ: Mapping[str, str]) -> list[Layer]:
    """One layer for $SYNCD_SECRETS_DIR and one for $CREDENTIALS_DIRECTORY: a file per value, named like the variable or with dots."""
    layers = []
    for variable in ("SYNCD_SECRETS_DIR", "CREDENTIALS_DIRECTORY"):
        if environ.get(variable):
            layer = Layer(literal=True)
            for path in _files(variable, Path(environ[variable])):
                keys = _secret_keys(path.name)
                if keys:
                    layer.put(keys, text_of(path, str(path)), str(path))
            layers.append(layer)
    return layers


def _files(variable: str, directory: Path) -> Iterator[Path]:
    try:
        entries = sorted(directory.iterdir())
    except OSError as error:
        raise Refused(variable, f"{directory} cannot be read: {error.strerror}") from None
    return (path for path in entries if path.is_file() and not path.name.startswith("."))


def _secret_keys(name: str) -> tuple[str, ...]:
    """Keys of a file name; ``()`` for a file that is none of ours (systemd and Kubernetes may put others beside)."""
    bare = name.removeprefix(PREFIX)
    keys = keys_of(bare if "__" in bare else bare.replace(".", "__"))
    ours = (keys[0] in TOP_SCALARS) if len(keys) == 1 else (keys[0] in SECTIONS and all(keys))
    return keys if ours else ()


def text_of(path: Path, where: str) -> str:
    """A small text file without its last newline. Raises Refused."""
    cure = f"see that it is a file that {_me()} may read"
    try:
        if path.is_fifo() and not str(path).startswith(("/dev/", "/proc/")):
            raise Refused(where, f"{path} cannot be read: it is a named pipe, and syncd reads it more than once", cure)
        with path.open("rb") as file:
            content = file.read(MAXIMUM_BYTES + 1)
        if len(content) > MAXIMUM_BYTES:
            raise Refused(where, f"{path} is longer than {MAXIMUM_BYTES:,} bytes")
        return content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise Refused(where, f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise Refused(where, f"{path} cannot be read: {error.strerror}", cure) from None
    except ValueError:
        raise Refused(where, "a file name cannot hold a NUL character") from None


def _me() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def merge(layers: list[dict[str, Any]]) -> dict[str, Any]:
    """Deep merge, strongest first, by pydantic-settings (imported here: it costs 0.2 s at start-up)."""
    from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

    class Merged(BaseSettings):
        tree: dict[str, Any] = {}

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *args: Any, **kwargs: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(InitSettingsSource(settings_cls, {"tree": layer}) for layer in layers)

    return Merged().tree
