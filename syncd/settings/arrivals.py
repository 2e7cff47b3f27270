"""What this version has not learnt yet: refused by name, so that nobody waits for it in vain."""

from __future__ import annotations

from typing import Any

from syncd.settings.origins import Origins
from syncd.settings.problems import Keys, Place, Problems, dotted


def refuse(origins: Origins, problems: Problems) -> None:
    """Notes what has not arrived and takes it out of the tree, so that it is not reported again as unknown."""
    store = origins.tree.get("store")
    if isinstance(store, dict):
        _remove(origins, store, ("store",), "history", problems)


def _remove(origins: Origins, section: dict[str, Any], at: Keys, key: str, problems: Problems) -> None:
    if key in section:
        _note(origins.key((*at, key)), dotted((*at, key)), problems, "remove it")
        del section[key]


def _note(place: Place, what: str, problems: Problems, cure: str) -> None:
    problems.add(place, f"{what} has not arrived in this version", cure)
