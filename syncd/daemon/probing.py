"""A suspended connection is asked, with as few requests as its check takes, whether it can be used again."""

from __future__ import annotations

from syncd import wiring
from syncd.daemon.due import ENOUGH
from syncd.environment import Environment
from syncd.errors import SyncdError
from syncd.settings import Settings
from syncd.store import Store, connections


async def probe(settings: Settings, environment: Environment, store: Store, name: str) -> str:
    """Why it cannot be used yet, which is remembered; "" when it can."""
    connector = wiring.connector(settings, settings.landscape.connection(name), environment, writable=False)
    try:
        health = await connector.check()
        problem = "" if health.ok else "; ".join(health.problems) or "it does not answer"
    except SyncdError as error:
        problem = str(error)
    finally:
        await connector.aclose()
    if problem and not environment.ending:
        connections.unusable(store, name, problem, ENOUGH, environment.now())
    return problem
