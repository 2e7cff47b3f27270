"""One target connection's rules, compiled once: map, scope, deprovisioning, the overlay that disabling writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import orjson

from syncd.core.entitlement import Event, retained
from syncd.core.fingerprint import fingerprint
from syncd.core.mapping import WriteMap
from syncd.core.markers import Markers
from syncd.core.scope import Scope
from syncd.model import Capability, Connection, MapEntry, Target


class Policy:
    """What the configuration says about one target. Raises ValueError for a connection without ``write``."""

    def __init__(self, connection: Connection, capability: Capability, instance: str, canonical: Collection[str]) -> None:
        if connection.write is None:
            raise ValueError(f"{connection.name} is not a target")
        self.name, self.instance = connection.name, instance
        self.target: Target = connection.write
        self.capability = capability
        self.markers = Markers(capability, instance)
        self.map = WriteMap(self.target.attributes, capability, canonical)
        self.scope = Scope(self.target.scope, canonical)
        self.overlay: Mapping[str, Any] = {**self.target.disabled, **_switch(capability)}
        self._canonical = canonical

    @property
    def managed(self) -> frozenset[str]:
        """The provider's attributes of which syncd writes something."""
        paths = {*(entry.name for entry in self.target.attributes), *self.overlay, self.capability.marker or "", self.capability.key or ""}
        return frozenset(path if path in self.capability.attributes else path.partition(".")[0] for path in paths)

    @property
    def can_disable(self) -> bool:
        return bool(self.overlay)

    @property
    def revokes(self) -> bool:
        """Whether who is disabled or deleted loses sessions, tokens and keys, too."""
        return self.target.revoke and bool(self.capability.revokes)

    def action(self, event: Event, attributes: Mapping[str, Any]) -> tuple[str, bool]:
        """(disable | delete | keep, whether `retain` changed it) for an owned account at ``event``."""
        rules = self.target.deprovision
        chosen: str = getattr(rules, event.value)
        if chosen == "delete" and rules.retain is not None and retained(rules.retain, attributes, self._canonical):
            return ("disable" if self.can_disable else "keep"), True
        return chosen, False

    def ours(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """What syncd alone puts into lists and objects that others fill too: remembered, so that it can be taken out again."""
        return self.map.ours(attributes, self.map.shared)

    def fingerprint(self) -> bytes:
        """Changes whenever the same identity could be wanted differently (map, scope, deprovisioning, overlay; not limits, not rate)."""
        rules = asdict(self.target.deprovision)
        return fingerprint(
            {
                "attributes": [_text(entry) for entry in self.target.attributes],
                "scope": self.target.scope, "disabled": dict(self.overlay), "key": self.target.on_key_change,
                "instance": self.instance, "deprovision": {name: str(value) for name, value in rules.items()},
            }
        )  # fmt: skip


def _text(entry: MapEntry) -> str:
    """As text, so that "" is told from nothing: in a ``map`` it means no value, where an unmapped one rejects the change."""
    return orjson.dumps({**asdict(entry), "where": ""}, option=orjson.OPT_SORT_KEYS).decode()


def _switch(capability: Capability) -> Mapping[str, Any]:
    return {} if capability.switch is None else {capability.switch[0]: capability.switch[2]}
