"""What a configuration becomes once it is checked: frozen, resolved, ready for the engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from syncd.model import Landscape
from syncd.settings import place
from syncd.settings.service import Notice, Schedule, Server


@dataclass(frozen=True, slots=True)
class Store:
    """``url``: sqlite:////ABSOLUTE/PATH or postgresql://..., as it is opened. ``lease``: how long a dead writer blocks others at most."""

    url: str = field(repr=False)
    lease: timedelta


@dataclass(frozen=True, slots=True)
class Log:
    """``level``: debug | info | warning | error. ``format``: auto | console | json."""

    level: str
    format: str


@dataclass(frozen=True, slots=True)
class Settings:
    """``options``: connection name -> its connector's options. ``secrets``: every secret value, for redaction. ``schedules`` (by
    connection), ``server`` and ``notify`` are the daemon's.

    ``warnings``: sentences with a place. ``notices``: what a person should know of it in `check` and in each plan.
    """

    path: Path
    landscape: Landscape
    options: Mapping[str, BaseModel]
    store: Store
    log: Log
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    server: Server | None = None
    notify: tuple[Notice, ...] = ()
    warnings: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def fingerprint(self) -> str:
        """32 hex digits that change with whatever could change a plan: not with secrets, logging, comments or the order of keys."""
        options = {name: option.model_dump(mode="json") for name, option in self.options.items()}
        document = {"landscape": _plain(asdict(self.landscape)), "options": options, "store": place.shown(self.store.url, "")}
        return hashlib.blake2b(json.dumps(document, sort_keys=True).encode(), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    """JSON of records: durations in seconds, sets sorted, places in the file left out."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items() if key != "where"}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(value)
    return value.total_seconds() if isinstance(value, timedelta) else value
