"""Which place set each value, and what ``env:NAME`` and ``file:PATH`` stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from syncd.errors import Refused
from syncd.settings.problems import Keys, Place, Problems, dotted
from syncd.settings.sources import Layer, merge, text_of
from syncd.settings.yaml import Document

REFERENCE = re.compile(r"(env|file):(.*)", re.DOTALL)
ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Unresolved(str):
    """Stands for a reference already reported as missing, so that nothing more is said about it."""


UNRESOLVED = Unresolved("unresolved")


class Origins:
    """The merged configuration and, for each value, the place that set it."""

    def __init__(self, document: Document, layers: list[Layer]) -> None:
        self.document = document
        self.layers = layers
        self.references: dict[Keys, str] = {}
        data = {key: value for key, value in document.data.items() if not key.startswith("x-")}
        self.tree: dict[str, Any] = merge([*(layer.data for layer in layers), data])

    @property
    def directory(self) -> Path:
        """What relative paths are relative to."""
        return self.document.path.parent

    def value(self, keys: Keys) -> Place:
        """The place of a value; of the nearest thing around it when it is not there."""
        return self._layer_place(keys) or self._nearest(self.document.values, keys)

    def key(self, keys: Keys) -> Place:
        return self._layer_place(keys) or self._nearest(self.document.keys, keys)

    def at(self, keys: Keys) -> Any:
        """The value at ``keys``, references resolved; None when there is none."""
        node: Any = self.tree
        for key in keys:
            try:
                node = node[key]
            except (KeyError, IndexError, TypeError):
                return None
        return node

    def literal_in_file(self, keys: Keys) -> bool:
        """Whether the value stands in the YAML file itself."""
        return keys not in self.references and self._layer(keys) is None

    def inside(self, keys: Keys, value: str, line: int, column: int) -> Place:
        """The place of a character of a text value; of the whole value when that was not written in the file."""
        return self.document.inside(keys, value, line, column) if self.literal_in_file(keys) else self.value(keys)

    def resolve(self, environ: Mapping[str, str], problems: Problems) -> None:
        """Replaces each ``env:NAME`` and ``file:PATH`` (relative to the configuration file) by what it stands for."""
        self.tree = self._resolved(self.tree, (), environ, problems)

    def _layer(self, keys: Keys) -> Layer | None:
        return next((layer for layer in self.layers if layer.name(keys)), None)

    def _layer_place(self, keys: Keys) -> Place | None:
        layer = self._layer(keys)
        exact = keys in self.document.keys and layer is not None and keys not in layer.names
        return Place(layer.name(keys) or "") if layer and not exact else None

    def _nearest(self, places: Mapping[Keys, Place], keys: Keys) -> Place:
        while keys and keys not in places:
            keys = keys[:-1]
        return places.get(keys) or self.document.values[()]

    def _resolved(self, value: Any, keys: Keys, environ: Mapping[str, str], problems: Problems) -> Any:
        if isinstance(value, dict):
            return {key: self._resolved(inner, (*keys, key), environ, problems) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._resolved(inner, (*keys, n), environ, problems) for n, inner in enumerate(value)]
        match = REFERENCE.fullmatch(value) if isinstance(value, str) else None
        layer = self._layer(keys)
        if not match or (layer and layer.literal) or (keys[0] == "ignore" and match[1] == "file"):
            return value
        self.references[keys] = value
        try:
            return self._looked_up(match[1], match[2].strip(), self.value(keys), environ)
        except Refused as refusal:
            problems.add(self.value(keys), f"{dotted(keys)}: {refusal.message}", refusal.cure)
            return UNRESOLVED

    def _looked_up(self, kind: str, name: str, place: Place, environ: Mapping[str, str]) -> str:
        if kind == "file":
            return text_of(self.directory / name, str(place))
        if not ENVIRONMENT_NAME.fullmatch(name):
            raise Refused(str(place), "env: needs the name of an environment variable", "for example env:TWILIO_AUTH_TOKEN")
        if name not in environ:
            raise Refused(str(place), f"environment variable {name} is not set", f"export {name}=... before starting, or use file:PATH")
        return environ[name]
