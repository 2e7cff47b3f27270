"""`syncd check`: probe every connection at once; what each can do, may do, and what is wrong with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syncd.cli.documents import document as _document
from syncd.cli.printer import GREEN, RED, Styled
from syncd.cli.text import count, table
from syncd.engine.context import Connected
from syncd.environment import Environment
from syncd.errors import SyncdError
from syncd.model import Health
from syncd.settings import Settings
from syncd.wiring import connected


@dataclass(frozen=True)
class Found:
    """What came of probing one connection. ``capabilities``: in words."""

    name: str
    capabilities: tuple[str, ...]
    health: Health

    @property
    def ok(self) -> bool:
        return self.health.ok and not self.health.problems


async def probe(settings: Settings, environment: Environment) -> list[Found]:
    """Ask each connection once; none is written to."""
    async with connected(settings, environment, writable=False) as each:
        healths = await asyncio.gather(*(_health(one) for one in each.values()))
        return [Found(one.name, capabilities(one), health) for one, health in zip(each.values(), healths, strict=True)]


async def _health(one: Connected) -> Health:
    try:
        health = await one.connector.check()
    except SyncdError as error:
        return Health(False, problems=(str(error),))
    return replace(health, problems=(*health.problems, *_lacking(one, health)))


def _lacking(one: Connected, health: Health) -> Iterator[str]:
    """What a target is not permitted, where no problem names it yet; to a connection that is only read, what it may not do is no matter."""
    for name, granted in health.permissions.items():
        if one.policy is not None and not granted and not any(name in problem for problem in health.problems):
            yield f"needs {name}: give it to these credentials, or remove `write` to only read here"


def capabilities(one: Connected) -> tuple[str, ...]:
    """What syncd can do there as it is configured: ``read, create, update, disable (overlay), delete, proves absence``."""
    can, target = one.connector.capability, one.connection.write
    words = ["read"]
    if target is not None and can.writes:
        words += ["create", "update"]
        words += ["disable (native)"] if can.switch else ["disable (overlay)"] if target.disabled else []
        words += ["delete"] if can.deletes else []
    words += ["reads changes only"] if can.delta else []
    return (*words, "proves absence") if can.gone else tuple(words)


def document(found: Sequence[Found]) -> dict[str, Any]:
    return _document(
        "check",
        connections=[
            {
                "name": one.name, "ok": one.ok, "capabilities": list(one.capabilities), "permissions": dict(one.health.permissions),
                "problems": list(one.health.problems),
            }
            for one in found
        ],
    )  # fmt: skip


def lines(found: Sequence[Found], settings: Settings) -> Iterator[str | Styled]:
    yield f"configuration: {settings.path}"
    yield from table([(one.name, "ok" if one.ok else "PROBLEM", ", ".join(one.capabilities)) for one in found])
    for one in found:
        yield from (f"{one.name}: not permitted: {name}" for name, granted in one.health.permissions.items() if not granted)
        yield from ((f"{one.name}: {problem}", RED) for problem in one.health.problems)
    yield from (f"note: {notice}" for notice in settings.notices)
    bad = sum(not one.ok for one in found)
    told = f"{count(bad, 'connection has', 'connections have')} a problem." if bad else "Everything answers. Next: syncd plan"
    yield told, RED if bad else GREEN
