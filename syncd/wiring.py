"""Settings -> connectors and compiled rules, ready for the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from syncd import connectors
from syncd.connectors.base import Connector, Options
from syncd.connectors.file import FileConnector
from syncd.engine.context import Asking, Connected, canonical_names
from syncd.environment import Environment
from syncd.model import Connection
from syncd.settings import Settings


def connector(settings: Settings, one: Connection, environment: Environment, *, writable: bool) -> Connector:
    """A file refuses to be read when it lacks a column that the configuration maps by its name."""
    made = connectors.get(one.connector)(settings.options[one.name], environment=environment, rate=one.rate, writable=writable)
    if isinstance(made, FileConnector):
        made.require([entry.text for entry in one.read if entry.source == "name"])
    return made


def asking(settings: Settings, one: Connection) -> Asking:
    """Who asks for its listings, and how."""
    options = settings.options[one.name]
    assert isinstance(options, Options)
    return options.passport


@asynccontextmanager
async def connected(settings: Settings, environment: Environment, *, writable: bool) -> AsyncIterator[Mapping[str, Connected]]:
    """Every configured connection, closed afterwards; without ``writable`` nothing unsafe leaves, whatever is asked."""
    landscape = settings.landscape
    names = canonical_names(landscape)
    made: dict[str, Connected] = {}
    try:
        for one in landscape.connections:
            made[one.name] = Connected(
                one, connector(settings, one, environment, writable=writable), landscape.instance, names, asking(settings, one)
            )  # fmt: skip
        yield made
    finally:
        for each in made.values():
            await each.connector.aclose()
