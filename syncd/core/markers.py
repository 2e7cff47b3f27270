"""Our markers at one provider: how ``instance:id`` is kept there, and whose an account is by the one it carries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from syncd.core.correlation import marker, parse_marker
from syncd.model import Capability


class Owner(NamedTuple):
    """Whose marker an account carries. ``identity``: empty where the provider's form names none that is known."""

    instance: str
    identity: str


class Markers:
    """``instance``: ours. A provider that normalises the marker's attribute keeps another form of it, a digest perhaps."""

    def __init__(self, capability: Capability, instance: str) -> None:
        spec = None if capability.marker is None else capability.spec(capability.marker)
        self._normal = spec.normalize if spec is not None and spec.name == capability.marker else None
        self.instance = instance

    def of(self, identity: str) -> str:
        """The marker of this identity, as an account of it carries it."""
        text = marker(self.instance, identity)
        return text if self._normal is None else str(self._normal(text))

    def owner(self, kept: Any, likely: Iterable[str]) -> Owner | None:
        """Whose the marker ``kept`` is; None where there is none. A form that cannot be read back is ours only as that of a ``likely``
        identity, and another instance's otherwise."""
        if not isinstance(kept, str) or not kept:
            return None
        plain = parse_marker(kept)
        if plain is not None or self._normal is None:
            return None if plain is None else Owner(*plain)
        return next((Owner(self.instance, one) for one in likely if self.of(one) == kept), Owner("", ""))
