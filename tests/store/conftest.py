"""An empty store for each test, copied from one that was migrated once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.store import Store, journal
from tests.store.rows import NOW, register

Opener = Callable[[], Store]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "syncd.db"
    Store(f"sqlite:///{path}").close()
    return path.read_bytes()


@pytest.fixture(scope="session")
def scratch() -> Iterator[Store]:
    """One store for all examples of a property, which must tidy up."""
    store = Store("sqlite://")
    yield store
    store.close()


@pytest.fixture
def opened(tmp_path: Path, template: bytes) -> Iterator[Opener]:
    """Opens the same store again and again, as so many processes would."""
    path = tmp_path / "syncd.db"
    path.write_bytes(template)
    stores: list[Store] = []

    def opener() -> Store:
        stores.append(Store(f"sqlite:///{path}"))
        return stores[-1]

    yield opener
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Opener) -> Store:
    return opened()


@pytest.fixture
def run(store: Store) -> int:
    """A run of a store that knows one target."""
    register(store, "app")
    return journal.start_run(store, "delta", NOW)
