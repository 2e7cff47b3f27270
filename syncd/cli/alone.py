"""A command that moves what runs rely on works alone: it holds the leases meanwhile, as a run does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from syncd.cli.exits import Failed
from syncd.cli.invocation import Invocation
from syncd.cli.text import did_you_mean
from syncd.errors import Busy
from syncd.store import Store, connections, lease


def known(store: Store, name: str) -> None:
    """Raises Failed when the store does not know the connection."""
    names = connections.known(store)
    if name not in names:
        raise Failed(f"the store knows no connection {name!r}{did_you_mean(name, names)}")


@contextmanager
def alone(invocation: Invocation, store: Store, names: Sequence[str]) -> Iterator[dict[str, int]]:
    """No run works on these connections meanwhile; their leases, given back afterwards. Raises Failed, and Busy when a run holds one."""
    for name in names:
        known(store, name)
    tokens = lease.acquire(store, names, "a command", invocation.environment.now(), invocation.settings.landscape.lease)
    if isinstance(tokens, str):
        raise Busy(f"{tokens}: a run holds its lease; try again when it is over")
    try:
        yield tokens
    finally:
        lease.release(store, tokens)


@contextmanager
def decided(invocation: Invocation, store: Store, names: Sequence[str]) -> Iterator[None]:
    """One transaction, alone with these connections: what a person says is done whole or not at all, also while they are paused, for
    nothing is written there. Raises as `alone`, and Quarantined when the leases were lost before it began."""
    with alone(invocation, store, names) as tokens, store.transaction():
        for name, token in tokens.items():
            lease.alone(store, name, token, invocation.environment.now())
        yield
