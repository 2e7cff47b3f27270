"""A plan file opened: whole, of this store and this configuration, or refused with the reason and the cure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Never

import orjson

from syncd.cli.plan_file import CHANGES, END, sealing, tail
from syncd.engine.saved import ANEW, Change, Saved
from syncd.environment import instant
from syncd.errors import Outdated
from syncd.store import Store

VERSION = 1
LONGEST = 64 * 2**20
"""Bytes of a line, and of all before the changes; what is longer is none of ours."""
_CLAIM = re.compile(rb'\A\{\s*"version": ?([0-9]{1,9}),\s*"kind": ?"plan"')
_COPIED = ("id", "connection", "object", "kind", "identity", "account", "who", "reason", "replaces")


@dataclass(frozen=True, slots=True)
class Opened:
    """``connections``: those the plan was made of, in the order of the configuration."""

    saved: Saved
    connections: list[str]


def opened(path: Path, store: Store, config: str) -> Opened:
    """``config``: the fingerprint of the configuration. Raises Outdated."""
    try:
        with path.open("rb") as file:
            head = _head(path, file, store)
        seal = _verified(path, store)
    except OSError as error:
        raise Outdated(f"plan file {path} cannot be read: {error.strerror}\n  {ANEW}") from None
    if head["config"] != config:
        _refuse(path, "was made under another configuration")
    if head["store"]["epoch"] != store.epoch:
        _refuse(path, "is older than the restoring of this store: what was made of the store since does not fit it any more")
    settled = {part["name"]: part["settled"] for part in head["connections"]}
    made = Saved(seal, instant(head["created"]), settled, head["whole"], lambda: _changes(path, store, seal))
    return Opened(made, list(settled))


def _refuse(path: Path, why: str) -> Never:
    raise Outdated(f"plan file {path} {why}\n  {ANEW}")


def _head(path: Path, file: BinaryIO, store: Store) -> Any:
    """The members before the changes, as far as it takes to know that this store could have sealed them."""
    text = b""
    while not text.endswith(CHANGES):
        line = file.readline(LONGEST)
        text += line
        if not line or len(text) > LONGEST:
            break
    _claims(path, text)
    try:
        head = orjson.loads(text.removesuffix(CHANGES).rstrip(b",\n") + b"}") if text.endswith(CHANGES) else None
    except orjson.JSONDecodeError:
        head = None
    if head is None:
        _refuse(path, "was altered, or is not whole: nothing of it is done")
    if not isinstance(head.get("store"), dict):
        _refuse(path, "was printed, not saved: only what `syncd plan --out FILE` writes can be applied")
    if head["store"].get("id") != store.id:
        _refuse(path, "was made with another store: apply it where that store is, or plan anew here")
    return head


def _claims(path: Path, text: bytes) -> None:
    claim = _CLAIM.match(text)
    if claim is None:
        _refuse(path, "is no plan file of syncd")
    if int(claim[1]) > VERSION:
        raise Outdated(
            f"plan file {path} was made by a newer syncd (version {int(claim[1])}, this one knows {VERSION})\n  upgrade syncd, or {ANEW}"
        )


def _verified(path: Path, store: Store) -> str:
    """The seal, once it is known to be over every byte."""
    seal = sealing(store)
    with path.open("rb") as file:
        for line in _until_end(file):
            seal.update(line)
        if END + file.read(len(tail(seal.hexdigest()))) != tail(seal.hexdigest()):
            _refuse(path, "was altered since it was made: nothing of it is done")
    return str(seal.hexdigest())


def _until_end(file: BinaryIO) -> Iterator[bytes]:
    while (line := file.readline(LONGEST)) and line != END:
        yield line


def _changes(path: Path, store: Store, seal: str) -> Iterator[Change]:
    """Read a second time, and verified again: only what was verified is acted on."""
    digest, begun = sealing(store), False
    with path.open("rb") as file:
        for line in _until_end(file):
            digest.update(line)
            if begun:
                yield _change(orjson.loads(line.rstrip(b",\n")))
            begun = begun or line == CHANGES
    if digest.hexdigest() != seal:
        _refuse(path, "was altered while it was read: nothing of it is done")


def _change(said: dict[str, Any]) -> Change:
    """As the journal takes it."""
    needed = said["apply"]
    return {
        **{name: said[name] for name in _COPIED},
        "delta": orjson.dumps(said["attributes"], option=orjson.OPT_SORT_KEYS).decode(),
        **needed,
        "expects": None if needed["expects"] is None else bytes.fromhex(needed["expects"]),
    }
