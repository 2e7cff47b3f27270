"""A plan as a file: one canonical form, sealed over every byte with the store's own key; what must not be applied is refused by name.

::

    {
      "version": 1,                  the members of `plan --json`, one a line; `whole`, `store` and, of each connection, `settled` besides
      ...
      "changes": [
        {..., "apply": {...}},       one a line; `apply`: what only the journal knows of it
        ...
      ],
      "seal": "..."                  keyed blake2b of all lines before the last three
    }
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import mkstemp
from typing import Any, BinaryIO, Never

import orjson

from syncd.cli import documents
from syncd.cli.exits import Failed
from syncd.engine.planning import Digest, Plan
from syncd.settings import Settings, place
from syncd.store import Store

CHANGES = b'  "changes": [\n'
END = b"  ],\n"
Mask = Callable[[Any], Any]


def writable(path: Path, settings: Settings) -> None:
    """Raise Failed where no file can be put, or where one is that the configuration lives by: to be asked before a long run."""
    if path.resolve() in {one.resolve() for one in _needed_files(settings)}:
        _unwritten(path, "it is the configuration, or a file that it names")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        _unwritten(path, "it is a directory" if path.is_dir() else f"{path.parent} is no directory that can be written to")


def _needed_files(settings: Settings) -> Iterator[Path]:
    """The configuration, the store with what SQLite keeps beside it, the people files."""
    yield settings.path
    if (store := place.file(settings.store.url)) is not None:
        yield from (store.with_name(store.name + suffix) for suffix in ("", "-wal", "-shm", "-journal"))
    yield from (Path(path) for one in settings.options.values() if isinstance(path := getattr(one, "path", None), str))


def write(path: Path, made: Plan, config: str, mask: Mask) -> None:
    """Whole and 0600, or not at all. ``config``: the fingerprint of the configuration. Raises Failed."""
    try:
        with _beside(path) as file:
            seal = sealing(made.store)
            for line in _lines(made, config, mask):
                seal.update(line)
                file.write(line)
            file.write(tail(seal.hexdigest()))
    except OSError as error:
        _unwritten(path, error.strerror or str(error))


@contextmanager
def _beside(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of ``path`` once it is whole and on disk."""
    handle, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(handle)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _lines(made: Plan, config: str, mask: Mask) -> Iterator[bytes]:
    """Raises Failed when the journal no longer has all of this plan: a run that began meanwhile plans anew."""
    document = documents.plan(made, config)
    del document["changes"]
    document["whole"] = made.whole
    document["store"] = {"id": made.store.id, "epoch": made.store.epoch}
    for part, planned in zip(made.connections, document["connections"], strict=True):
        planned["settled"] = part.settled
    mark = b"{\n"
    for name, value in document.items():
        yield b'%s  "%s": %s' % (mark, name.encode(), orjson.dumps(mask(value)))
        mark = b",\n"
    yield mark + CHANGES
    digest, mark = Digest(), b""
    for row in digest.over(made.changes()):
        yield mark + b"    " + orjson.dumps(mask({**documents.change(row), "apply": _needed(row)}))
        mark = b",\n"
    yield b"\n" if mark else b""
    if digest.text != made.digest:
        raise Failed("another run began before the plan was written: make it again")


def _needed(row: Any) -> dict[str, Any]:
    return {
        "hold": row.hold, "expects": None if row.expects is None else row.expects.hex(), "requests": row.requests,
        "revoke": bool(row.revoke), "counted": bool(row.counted), "released": bool(row.released), "cleared": row.cleared,
        "evidence_at": row.evidence_at,
    }  # fmt: skip


def sealing(store: Store) -> Any:
    """An empty keyed hash: whoever has not the store can make no plan for it."""
    return blake2b(key=store.digest_key, digest_size=32, person=b"syncd.plan")


def tail(seal: str) -> bytes:
    """What follows the last change."""
    return END + b'  "seal": "%s"\n}\n' % seal.encode()


def _unwritten(path: Path, why: str) -> Never:
    raise Failed(f"the plan cannot be written to {path}: {why}\n  choose another place with --out")
