"""`syncd config show`: the configuration as syncd understands it, defaults filled in, secrets masked."""

from __future__ import annotations

import io
from typing import Any

from pydantic import BaseModel, SecretStr

from syncd.model import Connection, Limit, MapEntry, Target
from syncd.settings import place
from syncd.settings.scalars import spelled
from syncd.settings.service import Schedule
from syncd.settings.settings import Settings
from syncd.settings.target import LIMITS

MASK = "***"


def document(settings: Settings) -> dict[str, Any]:
    """The whole configuration as plain data in the shape of the file; a default that tries several names is a list of them."""
    landscape = settings.landscape
    return {
        "version": 1,
        "instance": landscape.instance,
        "store": {"url": place.shown(settings.store.url, MASK), "lease": spelled(settings.store.lease)},
        "precedence": {name: list(order) for name, order in landscape.precedence.items()},
        "ignore": list(landscape.ignore),
        "connections": {one.name: _connection(one, settings) for one in landscape.connections},
        "notify": [{"url": MASK, "format": one.format, "on": list(one.on)} for one in settings.notify],
        **({"server": {"listen": settings.server.listen}} if settings.server else {}),
        "log": {"level": settings.log.level, "format": settings.log.format},
    }


def text(settings: Settings) -> str:
    """The same as YAML, under a comment that names the file."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt", pure=True)
    yaml.width = 4096
    stream = io.StringIO()
    yaml.dump(document(settings), stream)
    return f"# {settings.path}\n{stream.getvalue()}"


def _connection(one: Connection, settings: Settings) -> dict[str, Any]:
    shown: dict[str, Any] = {"connector": one.connector, **_options(settings.options[one.name])}
    shown |= {"authoritative": one.authoritative, "namespace": one.namespace}
    shown["read"] = {"attributes": _map(one.read), "timezone": one.timezone}
    pace = {} if one.rate.per_second is None else {"per_second": one.rate.per_second}
    shown["rate"] = {**pace, "concurrency": one.rate.concurrency}
    shown["schedule"] = _schedule(settings.schedules[one.name])
    if one.write:
        shown["write"] = _write(one.write)
        shown["limits"] = {kind: _limit(kind, limit) for kind, limit in one.write.limits.items()}
        shown["settle"] = spelled(one.write.settle)
    return shown


def _schedule(given: Schedule) -> dict[str, Any]:
    return {"every": spelled(given.every), "full": given.full, "jitter": spelled(given.jitter), "timezone": given.timezone}


def _options(options: BaseModel) -> dict[str, Any]:
    return {name: MASK if isinstance(value, SecretStr) else value for name, value in options.model_dump(exclude_none=True).items()}


def _write(write: Target) -> dict[str, Any]:
    rules = write.deprovision
    leaving = {"inactive": rules.inactive, "out_of_scope": rules.out_of_scope, "departed": rules.departed, "grace": spelled(rules.grace)}
    return {
        "apply": write.apply,
        **({"scope": write.scope} if write.scope else {}),
        "attributes": _map(write.attributes),
        "correlate": list(write.correlate),
        "adopt": write.adopt,
        "deprovision": leaving | ({"retain": rules.retain} if rules.retain else {}),
        "disabled": dict(write.disabled),
        "drift": write.drift,
        "on_key_change": write.on_key_change,
        "revoke": write.revoke,
    }


def _limit(kind: str, limit: Limit) -> dict[str, Any]:
    """``max`` is shown also where it was taken away from a kind that has one."""
    capped = limit.maximum is not None or LIMITS[kind].maximum is not None
    return ({"max": limit.maximum} if capped else {}) | {"percent": limit.percent}


def _map(entries: tuple[MapEntry, ...]) -> dict[str, Any]:
    return {entry.name: _entry(entry) for entry in entries}


def _entry(entry: MapEntry) -> Any:
    if entry.source == "first":
        names = entry.text.split(",")
        return names if len(names) > 1 else names[0]
    source = {"name": ("from", entry.text), "expr": ("expr", entry.text), "value": ("value", entry.value)}[entry.source]
    options = {
        "map": dict(entry.table) if entry.table is not None else None,
        "on": "create" if entry.on_create else None,
        "empty": "keep" if entry.keep_empty else None,
        "mode": "replace" if entry.replace else None,
        "own": entry.own,
    }
    said = {name: value for name, value in options.items() if value is not None} | ({"default": entry.default} if entry.has_default else {})
    return dict([source]) | said if said or entry.source == "value" else entry.text
