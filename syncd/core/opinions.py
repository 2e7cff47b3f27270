"""What a target says of people itself: the attributes for which precedence names it, and where it may be asked for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from syncd.core import variables
from syncd.core.entitlement import window
from syncd.core.mapping import ReadMap, inverse
from syncd.core.paths import under, with_value
from syncd.core.source import compile_source
from syncd.errors import Rejected
from syncd.model import Account, Attributes, Capability, Connection, MapEntry, Mutability


class Opinions:
    """``entries``: where each attribute that it contributes is read from (`contributed`)."""

    def __init__(self, entries: Iterable[MapEntry], capability: Capability) -> None:
        self._readers = {entry.name: (entry, ReadMap([entry], capability)) for entry in entries}
        self._capability = capability
        self.names = frozenset(self._readers)

    def read(self, account: Account) -> dict[str, Any]:
        """The canonical attributes that have a value. One that cannot be read is none, nor is one whose holder has yet to prove it."""
        said: dict[str, Any] = {}
        for entry, reader in self._readers.values():
            if self._proven(entry, account.attributes):
                said.update(_readable(reader, account))
        return said

    def asked(self, id: str, attributes: Attributes, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """What an account with these attributes will say when it is as ``wanted`` (provider path -> value)."""
        for path, value in wanted.items():
            attributes = with_value(attributes, path, value)
        return {name: value for _, reader in self._readers.values() for name, value in _readable(reader, Account(id, attributes)).items()}

    def touched(self, paths: Iterable[str]) -> frozenset[str]:
        """The attributes that are read where one of these provider paths is written."""
        written = tuple(paths)
        return frozenset(name for name, (entry, _) in self._readers.items() if any(_overlap(entry.text, path) for path in written))

    def _proven(self, entry: MapEntry, attributes: Attributes) -> bool:
        spec = self._capability.spec(entry.text) if entry.source == "name" else None
        return spec is None or spec.trusted_if is None or attributes.get(spec.trusted_if) is True


def contributed(name: str, one: Connection, capability: Capability) -> MapEntry:
    """Where a target's accounts say ``name``: as the configuration reads it, else the inverse of its plain write entry, else the default.

    Raises Rejected where nothing says it, or where syncd writes something else over it: it would not stay.
    """
    assert one.write is not None
    read = next((entry for entry in one.read if entry.name == name), None)
    plain = next((back for back in inverse(one.write.attributes) if back.name == name), None)
    entry = read if name in one.explicit else plain or read
    if entry is None:
        raise Rejected(f"nothing at {one.name} is read as {name}")
    for path in _paths(entry, capability):
        _refuse_unseen(path, one, capability)
        for other in one.write.attributes:
            if _overlap(other.name, path) and not _same(entry, other):
                raise Rejected(f"{one.name} writes {other.name} from something else than {name} alone, so {name} cannot be read back there")
    return entry


def echoing(entry: MapEntry, one: Connection) -> bool:
    """Whether what syncd writes there comes back as this attribute."""
    assert one.write is not None
    return any(_same(entry, other) for other in one.write.attributes)


def trustworthy(entry: MapEntry, capability: Capability) -> bool:
    """Whether only an administrator can write it, or the account tells whether its holder has proven it."""
    spec = capability.spec(entry.text) if entry.source == "name" else None
    return spec is not None and (spec.trusted or spec.trusted_if is not None)


def _same(entry: MapEntry, other: MapEntry) -> bool:
    back = inverse([other])
    return bool(back) and entry.source == "name" and entry.table is None and (back[0].name, back[0].text) == (entry.name, entry.text)


def _refuse_unseen(path: str, one: Connection, capability: Capability) -> None:
    spec = capability.spec(path)
    if spec is not None and (spec.mutability is Mutability.WRITE_ONLY or not spec.carried):
        raise Rejected(f"no listing of {one.name} shows {path}")


def _paths(entry: MapEntry, capability: Capability) -> list[str]:
    if entry.source == "expr":
        compiled = compile_source(entry, variables.account(capability), variables.canonical_kind(entry.name)).expression
        return sorted(compiled.names) if compiled is not None else []
    return [text.strip() for text in entry.text.split(",")] if entry.source in ("name", "first") else []


def _readable(reader: ReadMap, account: Account) -> dict[str, Any]:
    try:
        said = reader.read(account)
        window(said.get("activeFrom"), said.get("activeUntil"), "UTC")
    except Rejected:
        return {}
    return said


def _overlap(one: str, other: str) -> bool:
    return one == other or under(one, other) or under(other, one)
