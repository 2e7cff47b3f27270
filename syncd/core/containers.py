"""What containers should be: as the configuration says where it does, with our marker, and in the container that the map says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.core.mapping import delta
from syncd.core.paths import get
from syncd.model import Account, Attributes, Container

Delta = Mapping[str, tuple[Any, Any]]


def wanted(kind: Container, id: str, parents: Mapping[str, str], marker: str) -> dict[str, Any]:
    """Provider path -> value of a container that is to be made. ``parents``: attribute -> id of the containers around it."""
    made: dict[str, Any] = {"id": id, **{path: parent for path, parent in parents.items() if path in kind.capability.attributes}}
    made |= _said(kind, id)
    if kind.capability.marker is not None:
        made[kind.capability.marker] = marker
    return made


def changed(kind: Container, account: Account) -> Delta:
    """What the configuration says of it that it is not; what nobody configured is left alone."""
    said = {path: value for path, value in _said(kind, account.id).items() if path not in ("id", kind.named_by)}
    settable = {path: value for path, value in said.items() if not _fixed(kind, path)}
    return delta({path: get(account.attributes, path) for path in settable}, settable)


def bears(kind: Container, attributes: Attributes, marker: str) -> bool:
    """Whether a container carries this marker: then it is ours."""
    return kind.capability.marker is not None and get(attributes, kind.capability.marker) == marker


def why_not(name: str, kind: Container, id: str, parents: Mapping[str, str], existing: Account | None) -> str:
    """Why nobody can live there, or nothing. ``name``: of the kind; ``parents``: where it would have to lie."""
    lies = {path: get(existing.attributes, path) for path in parents} if existing is not None else kind.named.get(id, {})
    for path, parent in parents.items():
        there = get(lies, path)
        if there not in (None, parent):
            return f"{name} {id} lies in {there}, not in {parent}"
    if existing is None and not kind.open and id not in kind.named:
        return f"{name} {id} does not exist, and `{name}s` does not name it"
    return ""


def _said(kind: Container, id: str) -> dict[str, Any]:
    """What the configuration says: objects by their members, so that others' members stay."""
    said: dict[str, Any] = {}
    for name, value in kind.named.get(id, {}).items():
        spec = kind.capability.spec(name)
        if spec is not None and spec.kind == "object" and isinstance(value, Mapping):
            said |= {f"{name}.{member}": inner for member, inner in value.items()}
        else:
            said[name] = value
    return said


def _fixed(kind: Container, path: str) -> bool:
    spec = kind.capability.spec(path)
    return spec is None or spec.mutability != "readWrite"
