"""One line of a write map: its source, the provider attribute it is for, and the form that attribute wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from syncd.core.globs import Globs
from syncd.core.kinds import coerce, fits
from syncd.core.members import shared
from syncd.core.paths import clean, present
from syncd.core.source import Source, compile_source
from syncd.core.values import legible
from syncd.errors import Refused, Rejected
from syncd.model import SETS, Attributes, AttributeSpec, Capability, MapEntry, Mutability


@dataclass(frozen=True, slots=True)
class Derived:
    """What one line of a map makes of a person: of which attributes, and which value; or, in ``error``, why it makes none."""

    path: str
    entry: MapEntry
    reads: Attributes
    value: Any
    error: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """``path``: of the provider attribute. ``spec``: of that attribute, or of the object it is a member of.

    ``shares``: it is a list or an object of which only the members that we wrote are ours.
    """

    path: str
    entry: MapEntry
    spec: AttributeSpec
    source: Source
    own: Globs | None
    shares: bool

    def value(self, person: Attributes) -> Any:
        """What we want there, as the provider stores it; None = no value. Raises Rejected, naming the attribute."""
        value = self.source.value(person, person)
        try:
            return None if value is None else self.settled(value)
        except Rejected as error:
            raise Rejected(f"{self.path}: {error}") from None

    def derived(self, person: Attributes) -> Derived:
        reads = {name: person.get(name) for name in self.source.reads}
        try:
            return Derived(self.path, self.entry, reads, self.value(person))
        except Rejected as error:
            return Derived(self.path, self.entry, reads, None, str(error))

    def settled(self, value: Any) -> Any:
        """A clean, present value in the type and form of the attribute. Raises Rejected for the wrong type and for one over the limit."""
        value = _formed(self.spec, self.path, value)
        if self.path == self.spec.name and self.spec.limit is not None:
            for one in value if isinstance(value, list) else [value]:
                size, unit = self.spec.length(one) if isinstance(one, str) else (0, "")
                if size > self.spec.limit:
                    raise Rejected(f"{size} {unit}, the limit is {self.spec.limit}")
        return value

    def beside_others(self, value: Any, current: Any, written: Any) -> Any:
        """``value`` of a shared list or object, and the members that others put there; None = no value."""
        if self.spec.kind == "set" and fits("set", current):
            current = self.spec.normalize(current) if self.spec.normalize is not None and self.path == self.spec.name else current
        together = shared(current, value, written, self.own)
        return together if present(together) else None


def seen(capability: Capability, path: str, value: Any) -> Any:
    """A value that was read at ``path``, in the same form; a value of another type stays as it is."""
    value = legible(value)
    spec = None if value is None else capability.spec(path)
    return value if spec is None or not fits(_kind(spec, path), value) else _formed(spec, path, value)


def _kind(spec: AttributeSpec, path: str) -> str:
    """Members of an object may be of any type."""
    return spec.kind if path == spec.name else "any"


def _formed(spec: AttributeSpec, path: str, value: Any) -> Any:
    kind = _kind(spec, path)
    value = coerce(kind, value)
    if spec.normalize is not None and path == spec.name:
        value = clean(spec.normalize(value))
        value = None if value is None else coerce(kind, value)
    return value if present(value) else None


def compile_rule(entry: MapEntry, capability: Capability, types: Mapping[str, str]) -> Rule:
    """``types``: the canonical names and their types. Raises Refused for an entry that can never work."""
    spec = capability.spec(entry.name)
    if spec is None:
        raise Refused(entry.where, f"unknown attribute {entry.name!r}", _near(entry.name, capability.attributes))
    if spec.mutability is Mutability.READ_ONLY:
        raise Refused(entry.where, f"{entry.name} is read-only")
    for name in Source(entry, None, False).reads:
        if name not in types:
            raise Refused(entry.where, f"{entry.name}: unknown name {name!r}", _near(name, types))
    kind = _kind(spec, entry.name)
    shares = not entry.replace and (kind in ("set", "object") or entry.text in SETS)
    source = compile_source(entry, types, kind, strict=True)
    rule = Rule(entry.name, entry, spec, source, None if entry.own is None else Globs([entry.own]), shares)
    _check_literals(rule)
    return rule


def _near(name: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else ""


def _check_literals(rule: Rule) -> None:
    entry = rule.entry
    for literal in (entry.value, entry.default, *(entry.table or {}).values()):
        try:
            value = clean(literal)
            if value is not None:
                rule.settled(value)
        except Rejected as error:
            raise Refused(entry.where, f"{rule.path}: {error}") from None
