"""Connector names and classes, from the entry points `syncd.connectors`; a connector is imported when it is first asked for."""

from __future__ import annotations

import functools
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncd.connectors.base import Builder

GROUP = "syncd.connectors"


@functools.cache
def _registered() -> dict[str, EntryPoint]:
    return {one.name: one for one in entry_points(group=GROUP)}


def names() -> tuple[str, ...]:
    """All that are installed, in alphabetical order; none is imported."""
    return tuple(sorted(_registered()))


def get(name: str) -> Builder:
    """The class behind a connector's name; raises KeyError for a name that is not installed."""
    builder: Builder = _registered()[name].load()
    return builder
