"""An empty store for each test, in SQLite and in PostgreSQL, copied from one that was migrated once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syncd.store import Store, journal
from tests import stores
from tests.store.rows import NOW, register

Opener = Callable[[], Store]
ONLY_SQLITE = pytest.mark.parametrize("kind", ["sqlite"])
"""Of what the other database does not have: PRAGMAs, conflict clauses, files, its own way of telling how it goes about a query."""
ONLY_POSTGRESQL = pytest.mark.parametrize("kind", ["postgresql"])


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "syncd.db"
    Store(f"sqlite:///{path}").close()
    return path.read_bytes()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def scratch(request: pytest.FixtureRequest) -> Iterator[Store]:
    """One store for all examples of a property, which must tidy up."""
    store = Store("sqlite://" if request.param == "sqlite" else stores.empty())
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """In which database; what is about one of them alone is parametrized with it (`ONLY_SQLITE`)."""
    return str(request.param)


@pytest.fixture
def place(kind: str, tmp_path: Path, template: bytes) -> Iterator[str]:
    """The URL of an empty store."""
    if kind == "postgresql":
        url = stores.empty()
        yield url
        stores.server().drop(url)
    else:
        (tmp_path / "syncd.db").write_bytes(template)
        yield f"sqlite:///{tmp_path}/syncd.db"


@pytest.fixture
def opened(place: str) -> Iterator[Opener]:
    """Opens the same store again and again, as so many processes would."""
    made: list[Store] = []

    def opener() -> Store:
        made.append(Store(place))
        return made[-1]

    yield opener
    for store in made:
        store.close()


@pytest.fixture
def store(opened: Opener) -> Store:
    return opened()


@pytest.fixture
def run(store: Store) -> int:
    """A run of a store that knows one target."""
    register(store, "app")
    return journal.start_run(store, "delta", NOW)
