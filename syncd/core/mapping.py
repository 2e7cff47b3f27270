"""Attribute maps both ways: what an account says about a person, and what a person's account should hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson

from syncd.core import variables
from syncd.core.fingerprint import canonical as canonical_json
from syncd.core.kinds import coerce, fits, text
from syncd.core.paths import clean, get, present, under, with_value
from syncd.core.rule import Derived, Rule, compile_rule, seen
from syncd.core.source import compile_source
from syncd.errors import Rejected
from syncd.model import Account, Attributes, Capability, MapEntry, Mutability


class ReadMap:
    """Canonical attributes <- those of an account, or the columns of a file's row (``columns``).

    An entry with a plain column name insists on the column, one with alternatives ("first") does not. ``id`` is the account's own id where
    no attribute bears that name. Raises Refused for an expression that does not compile.
    """

    def __init__(self, entries: Iterable[MapEntry], capability: Capability, *, columns: bool = False) -> None:
        types = variables.ROW if columns else variables.account(capability)
        self._sources = tuple(compile_source(entry, types, variables.canonical_kind(entry.name), columns=columns) for entry in entries)
        self._rows = columns and any(source.expression is not None for source in self._sources)

    def read(self, account: Account) -> dict[str, Any]:
        """The canonical attributes that have a value: sets sorted, ``active`` a boolean, all others text. Raises Rejected, naming one."""
        attributes = {"id": account.id, **account.attributes}
        seen: Mapping[str, Any] = {"row": _row(account.attributes)} if self._rows else attributes
        values = ((source.entry.name, source.value(attributes, seen)) for source in self._sources)
        read = {name: _canonical(name, value) for name, value in values if value is not None}
        return {name: value for name, value in read.items() if value is not None}


def _canonical(name: str, value: Any) -> Any:
    kind = variables.canonical_kind(name)
    try:
        if kind == "set":
            members = value.split(";") if isinstance(value, str) else value
            return clean(coerce("set", [member.strip() for member in coerce("set", members)]))
        return clean(coerce(kind, value.strip() if isinstance(value, str) else value))
    except Rejected as error:
        raise Rejected(f"{name}: {error}") from None


def _row(attributes: Attributes) -> dict[str, str]:
    """Every column as the text a CSV file would hold: no value is "", a list is joined by ``;``, an object is JSON."""
    row = {}
    for column, value in attributes.items():
        try:
            row[column] = _cell(clean(value))
        except Rejected as error:
            raise Rejected(f"column {column}: {error}") from None
    return row


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if fits("set", value):
        return ";".join(value)
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else text(value)


class WriteMap:
    """Provider attributes <- canonical ones.

    ``immutable``: its paths that only a create can set. ``hidden``: those that cannot be read back. ``shared``: those whose value also
    holds members that are not ours. ``erased``: attributes that have no entry, and that an update therefore erases.
    Raises Refused for an entry that cannot work: an unknown or read-only attribute, an unknown name, a bad expression, a literal of the
    wrong type or over the limit.
    """

    def __init__(self, entries: Iterable[MapEntry], capability: Capability, canonical: Collection[str]) -> None:
        types = variables.canonical(canonical)
        self._rules = tuple(sorted((compile_rule(entry, capability, types) for entry in entries), key=lambda rule: rule.path))
        self._for_existing = tuple(rule for rule in self._rules if not rule.entry.on_create)
        self._below = _below(self._rules, capability)
        self._bounded = [
            (name, spec.limit) for name, spec in capability.attributes.items() if spec.kind == "object" and spec.limit is not None
        ]
        self.immutable = frozenset(rule.path for rule in self._rules if rule.spec.mutability is Mutability.IMMUTABLE)
        self.shared = frozenset(rule.path for rule in self._rules if rule.shares)
        self.hidden = frozenset(rule.path for rule in self._rules if not rule.spec.carried or rule.spec.mutability is Mutability.WRITE_ONLY)
        self._volatile = tuple(rule for rule in self._rules if rule.spec.volatile)
        volatile = {name for name, spec in capability.attributes.items() if spec.volatile}
        self.erased = frozenset(volatile - {rule.path for rule in self._volatile})

    def wanted(
        self, identity_attributes: Attributes, current: Attributes | None, written: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Provider path -> wanted value, None = none, for every path managed now; an object comes before its members.

        ``current``: the account, None before its creation. ``written``: what `ours` said when syncd last wrote it; without it, members of a
        shared list or object are added and never removed. Raises Rejected, naming the attribute.
        """
        rules = self._rules if current is None else self._for_existing
        person, account, before = _person(identity_attributes), current or {}, written or {}
        wanted = {}
        for rule in rules:
            value = rule.value(person)
            if value is not None or not rule.entry.keep_empty:
                wanted[rule.path] = rule.beside_others(value, get(account, rule.path), before.get(rule.path)) if rule.shares else value
        return self._completed(wanted, account)

    def derived(self, identity_attributes: Attributes, *, existing: bool) -> tuple[Derived, ...]:
        """What each line makes of a person, as `wanted` uses it. ``existing``: without those that only a creation uses."""
        person = _person(identity_attributes)
        return tuple(rule.derived(person) for rule in (self._for_existing if existing else self._rules))

    def ours(self, identity_attributes: Attributes, paths: Collection[str]) -> dict[str, Any]:
        """What we alone want at these paths of the map, before members that others own are added. Raises Rejected like `wanted`."""
        person = _person(identity_attributes)
        return {rule.path: rule.value(person) for rule in self._rules if rule.path in paths}

    def kept(self, identity_attributes: Attributes) -> dict[str, Any]:
        """What each update must say although it does not change it, lest it be erased; also where it is set `on: create`."""
        if not self._volatile:
            return {}
        person = _person(identity_attributes)
        return {rule.path: value for rule in self._volatile if (value := rule.value(person)) is not None}

    def oversize(self, current: Attributes | None, wanted: Mapping[str, Any]) -> str | None:
        """Why the provider would refuse an object that ``wanted`` (marker included) changes: its size in bytes of JSON; None if it fits."""
        for name, limit in self._bounded:
            before = {name: (current or {}).get(name)}
            after: dict[str, Any] = before
            for path in sorted(path for path in wanted if path == name or under(path, name)):
                after = with_value(after, path, wanted[path])
            size = len(canonical_json(after.get(name)))
            if size > limit and _differ(before[name], after.get(name)):
                return f"{name}: {size} bytes, the limit is {limit}"
        return None

    def _completed(self, wanted: dict[str, Any], account: Attributes) -> dict[str, Any]:
        """An object wanted as a whole holds also what has an entry of its own below it, and our marker."""
        for path, places in self._below:
            value = wanted.get(path)
            if path not in wanted or not (value is None or isinstance(value, dict)):
                continue
            for place in places:
                member = wanted[place] if place in wanted else get(account, place)
                value = with_value(value or {}, place.removeprefix(path + "."), member)
            wanted[path] = value if present(value) else None
        return wanted


def _below(rules: Iterable[Rule], capability: Capability) -> list[tuple[str, list[str]]]:
    """Each path that has others below it -> those, our marker among them; outer paths first."""
    paths = [rule.path for rule in rules]
    places = sorted({*paths, capability.marker or ""})
    nested = ((path, [place for place in places if under(place, path)]) for path in paths)
    return [(path, inner) for path, inner in nested if inner]


def _person(attributes: Attributes) -> Attributes:
    return attributes if present(attributes.get("active")) else {**attributes, "active": True}


def found(current: Attributes, paths: Iterable[str], capability: Capability) -> dict[str, Any]:
    """What the account holds at each of these provider paths, in the form in which `WriteMap.wanted` asks for it; None = no value.

    A value of another type than the attribute's stays as it is, one that cannot be stored becomes text that says so: both differ from all
    that can be wanted, so they are repaired.
    """
    return {path: None if (value := get(current, path)) is None else seen(capability, path, value) for path in paths}


def delta(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Provider path -> (before, after) where the two differ, over the paths of ``wanted``; None = no value."""
    return {path: (found.get(path), value) for path, value in wanted.items() if _differ(found.get(path), value)}


def _differ(before: Any, after: Any) -> bool:
    """Two texts are compared as they are; of all else the canonical form is, because to Python 1 is True."""
    if isinstance(before, str) and isinstance(after, str):
        return before != after
    return before is not after and canonical_json(before) != canonical_json(after)


def inverse(entries: Iterable[MapEntry]) -> tuple[MapEntry, ...]:
    """Read-map entries for the write entries that are a plain name; of several with the same name the first."""
    plain = [entry for entry in entries if entry.source == "name" and entry.table is None and not entry.has_default and entry.own is None]
    read: dict[str, MapEntry] = {}
    for entry in plain:
        read.setdefault(entry.text, MapEntry(name=entry.text, source="name", text=entry.name, where=entry.where))
    return tuple(read.values())
