"""The map grammar: from what a person wrote for one attribute to a model.MapEntry that is known to work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from syncd.core import variables
from syncd.core.expression import ExpressionError
from syncd.core.rule import compile_rule
from syncd.core.source import compile_source
from syncd.errors import Refused
from syncd.model import CANONICAL, Capability, MapEntry
from syncd.settings.origins import Origins
from syncd.settings.problems import Keys, Problems, did_you_mean, dotted, nearest
from syncd.settings.sections import MapObject, Maps

COLUMN = re.compile(r"[\w -]+")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OWN = re.compile(r"[^*?]+\*")
QUOTING = "a constant is quoted twice: '\"text\"'"


@dataclass(frozen=True)
class MapReader:
    """Reads the maps of one connection; what is wrong goes to ``problems``. ``at``: the connection's keys."""

    at: Keys
    connector: str
    capability: Capability
    origins: Origins
    problems: Problems

    @property
    def open(self) -> bool:
        """Whether columns are known only when the file is read."""
        return not self.capability.attributes

    def read(self, maps: Maps) -> tuple[MapEntry, ...]:
        """The whole effective read map: the connector's default, extended key by key."""
        at = (*self.at, "read", "attributes")
        types = variables.ROW if self.open else variables.account(self.capability)
        entries = {name: self._default(name, source) for name, source in self.capability.read_defaults.items()}
        for name, entry in self._extended(maps, at, entries, self._path):
            if self._readable(name, maps[name], at):
                self._compile(
                    entry,
                    maps[name],
                    (*at, name),
                    lambda one: compile_source(one, types, variables.canonical_kind(one.name), columns=self.open),
                )
        return tuple(entries.values())

    def write(self, maps: Maps, canonical: Mapping[str, str]) -> tuple[MapEntry, ...]:
        """The whole effective write map. ``canonical``: the canonical names in use -> CEL type."""
        at = (*self.at, "write", "attributes")
        entries = {path: self._default(path, source) for path, source in self.capability.write_defaults.items()}
        entries |= {path: MapEntry(path, "value", value=literal) for path, literal in self.capability.constants.items()}
        for path, entry in self._extended(maps, at, entries, canonical.__contains__):
            if self._writable(path, maps[path], at):
                self._compile(entry, maps[path], (*at, path), lambda one: compile_rule(one, self.capability, canonical))
        self._whole(maps, entries, at)
        return tuple(entries.values())

    # ---- building ----------------------------------------------------------------------------------------------------

    def _default(self, name: str, source: str | tuple[str, ...]) -> MapEntry:
        """A column that only the default map names need not be there; alternatives of which the first present one wins need not either."""
        where = f"default map of {self.connector}"
        if self.open or isinstance(source, tuple):
            return MapEntry(name, "first", source if isinstance(source, str) else ",".join(source), where=where)
        return MapEntry(name, "name", source, where=where)

    def _extended(
        self, maps: Maps, at: Keys, entries: dict[str, MapEntry], is_name: Callable[[str], bool]
    ) -> Iterator[tuple[str, MapEntry]]:
        """Puts each configured entry over the defaults (null: removes it) and yields it."""
        for name, spec in maps.items():
            if spec is None:
                entries.pop(name, None)
                continue
            where = str(self.origins.value((*at, name)))
            entries[name] = self._object(name, spec, where) if isinstance(spec, MapObject) else self._text(name, spec, where, is_name)
            yield name, entries[name]

    def _text(self, name: str, text: str, where: str, is_name: Callable[[str], bool]) -> MapEntry:
        return MapEntry(name, "name" if is_name(text) else "expr", text, where=where)

    def _object(self, name: str, spec: MapObject, where: str) -> MapEntry:
        source, text = ("name", spec.from_) if spec.from_ is not None else ("expr", spec.expr) if spec.expr is not None else ("value", "")
        return MapEntry(
            name, source, text or "", spec.value, spec.map, spec.default,
            has_default="default" in spec.model_fields_set, on_create=spec.on == "create", keep_empty=spec.empty == "keep",
            replace=spec.mode == "replace", own=spec.own, where=where,
        )  # fmt: skip

    def _path(self, text: str) -> bool:
        if self.open:
            return COLUMN.fullmatch(text) is not None
        return text == "id" or self.capability.spec(text) is not None

    # ---- checking ----------------------------------------------------------------------------------------------------

    def _readable(self, name: str, spec: Any, at: Keys) -> bool:
        here = (*at, name)
        if not IDENTIFIER.fullmatch(name):
            return self._refuse(here, "is no attribute name", "letters, digits and _ only, not beginning with a digit", key=True)
        if not isinstance(spec, MapObject):
            return True
        if spec.model_fields_set & {"on", "empty", "mode", "own"}:
            return self._refuse(here, "on, empty, mode and own belong to write maps", "remove them here")
        if spec.from_ is not None and not self.open and not self._path(spec.from_):
            return self._refuse((*here, "from"), f'unknown attribute "{spec.from_}"', did_you_mean(spec.from_, self.capability.attributes))
        return self._one_source(spec, here)

    def _writable(self, path: str, spec: Any, at: Keys) -> bool:
        here = (*at, path)
        governing = self.capability.spec(path)
        if governing is None:
            return self._unknown(here, path)
        if not isinstance(spec, MapObject):
            return True
        if (spec.mode or spec.own) and path == governing.name and governing.kind not in ("set", "object"):
            return self._refuse(here, "mode and own are for lists and objects", "remove them")
        if spec.own is not None and (spec.mode or not OWN.fullmatch(spec.own)):
            return self._refuse((*here, "own"), 'own takes a prefix such as "corp*", and no mode beside it')
        return self._one_source(spec, here)

    def _one_source(self, spec: MapObject, here: Keys) -> bool:
        given = spec.model_fields_set & {"from_", "value", "expr"}
        if len(given) != 1:
            return self._refuse(here, "needs exactly one of from, value and expr")
        if "value" in given and spec.map is not None:
            return self._refuse((*here, "map"), "a constant has no map", "say the value itself")
        if spec.map is None and "default" in spec.model_fields_set:
            return self._refuse((*here, "default"), "default needs a map beside it")
        return True

    def _whole(self, maps: Maps, entries: Mapping[str, MapEntry], at: Keys) -> None:
        """The effective map as a whole: what it removes exists, the account's key has a source, the marker is left to syncd."""
        key, marker = self.capability.key, self.capability.marker
        for path in (path for path in maps if maps[path] is None and self.capability.spec(path) is None):
            self._unknown((*at, path), path)
        if marker is not None and marker in maps:
            self._refuse((*at, marker), "is the marker that syncd writes itself", "remove this line", key=True)
        if key is not None and key in self.capability.write_defaults and key not in entries:
            self._refuse((*at, key), "is the account's key: no account can be created without it", "remove this line", key=True)
        for path in sorted(self.capability.required - entries.keys()):
            message = f"{dotted(at[:-1])} maps nothing to {path}, and no account can be created without it"
            self.problems.add(self.origins.key(at[:-1]), message, f"add `{path}:` to {dotted(at)}")

    def _compile(self, entry: MapEntry, spec: Any, at: Keys, compile: Callable[[MapEntry], object]) -> None:
        try:
            compile(entry)
        except Refused as refusal:
            error = refusal.__context__
            if isinstance(error, ExpressionError):
                self.expression(error, entry.text, (*at, "expr") if isinstance(spec, MapObject) else at)
            else:
                self.problems.add(self.origins.value(at), f"{dotted(at[:-1])}: {refusal.message}", refusal.cure)

    def expression(self, error: ExpressionError, text: str, at: Keys) -> None:
        """Notes an expression that does not compile, at the place inside its text."""
        bare = self.open and at[-3:-1] == ("read", "attributes")
        cure = 'a column is reached as row["its name"]' if bare else QUOTING
        self.problems.add(self.origins.inside(at, text, error.line, error.column), f"{dotted(at)}: {error.message}", cure)

    def _unknown(self, at: Keys, path: str) -> bool:
        return self._refuse(at, f'unknown attribute "{path}"', did_you_mean(path, self.capability.attributes), key=True)

    def _refuse(self, at: Keys, message: str, cure: str = "", *, key: bool = False) -> bool:
        place = self.origins.key(at) if key else self.origins.value(at)
        self.problems.add(place, f"{dotted(at)}: {message}", cure)
        return False


def unusual(name: str) -> str:
    """A warning for a further attribute that looks like a misspelt canonical one; ``""`` otherwise."""
    meant = None if name in CANONICAL else nearest(name, CANONICAL, 0.8)
    return f'"{name}" is no standard attribute and becomes one of your own; did you mean "{meant}"?' if meant else ""
