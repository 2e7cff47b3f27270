"""Where each connector is tried: its emulated provider, found by the connector's name in the entry points `syncd.benches`."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncd.connectors.conformance import Open

GROUP = "syncd.benches"


def _registered() -> dict[str, EntryPoint]:
    return {one.name: one for one in entry_points(group=GROUP)}


def names() -> tuple[str, ...]:
    """The connectors that have one, in alphabetical order; none is imported."""
    return tuple(sorted(_registered()))


def get(name: str) -> Open:
    """Opens the bench of a connector; raises KeyError for one that has none."""
    open: Open = _registered()[name].load()
    return open
