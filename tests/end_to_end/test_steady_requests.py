"""A cycle in which nothing changed asks a provider exactly what its API needs to say so, in each process anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.cli.invocation import registry
from syncd.engine.cycle import cycle
from syncd.environment import Environment
from syncd.sandbox import Sandbox, serve
from syncd.settings import load
from syncd.store import Store, connections
from syncd.wiring import connected
from tests import stores

pytestmark = pytest.mark.anyio
LIMITS = "    limits: {create: {max: 1000, percent: 1000}}\n"


class Steady:
    """Three people who have their accounts at one provider, and a process for each run."""

    def __init__(self, root: Path, provider: str, url: str, sandbox: Sandbox) -> None:
        (root / "people.csv").write_text(
            "id,userName,displayName,email\n" + "".join(f"{n},p{n},P {n},p{n}@corp.example\n" for n in range(3))
        )
        target = sandbox.config_yaml(url, [provider]).partition("connections:\n")[2]
        self._config = root / "syncd.yaml"
        people = "  people: {connector: file, path: people.csv, id: id, authoritative: true}\n"
        target = target[target.index(f"connector: {provider}") :]
        self._config.write_text(f"version: 1\nconnections:\n{people}  it:\n    {target}{LIMITS}")
        self._place, self.provider = root, sandbox.providers[provider]

    async def run(self, mode: str = "delta") -> list[str]:
        """What was asked, as method and query."""
        before = len(self.provider.journal.requests)
        settings, environment = load(self._config, registry(), stores.environ(self._place)), Environment()
        store = Store(stores.url(self._place))
        try:
            async with connected(settings, environment, writable=True) as each:
                report, _ = await cycle(environment, settings.landscape, each, store, mode=mode, selection=[*each], approve=_yes)
                assert report.converged, report
            self.language = connections.row(store, "it").language  # type: ignore[union-attr]
        finally:
            store.close()
        return [f"{one.method} {one.path} {one.query}" for one in self.provider.journal.requests[before:]]


async def _yes(plan: object) -> bool:
    return True


@pytest.fixture
def steady(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Steady]:
    sandbox = Sandbox(only=[request.param])
    with serve(sandbox) as url:
        yield Steady(tmp_path, request.param, url, sandbox)


@pytest.mark.parametrize("steady", ["twilio", "appwrite", "chatbotkit"], indirect=True)
async def test_who_has_nothing_to_say_is_asked_once(steady: Steady) -> None:
    """One page of what changed, or of all there is."""
    for _ in range(2):
        await steady.run()
    for _ in range(2):
        (asked,) = await steady.run()
        assert asked.startswith("GET ")


@pytest.mark.parametrize("version", ["1.5.11", "1.7.4", "1.8.1"])
@pytest.mark.parametrize("steady", ["appwrite"], indirect=True)
async def test_an_appwrite_of_any_version_is_asked_for_it_by_whole_readings_alone(steady: Steady, version: str) -> None:
    steady.provider.version = version  # type: ignore[attr-defined]
    await steady.run()
    assert steady.language == version[:3]
    (asked,) = await steady.run()
    assert ("total=false" in asked) == (version[:3] == "1.8"), "as it speaks"
    probe, *pages = await steady.run("full")
    assert ("limit=version" in probe, len(pages)) == (True, 2), "a page of all, and the empty one that ends it"


@pytest.mark.parametrize("steady", ["appwrite"], indirect=True)
async def test_an_upgrade_is_noticed_by_the_next_whole_reading_and_a_downgrade_at_once(steady: Steady) -> None:
    server = steady.provider
    await steady.run()
    server.version = "1.6.2"  # type: ignore[attr-defined]
    assert len(await steady.run()) == 1, "it warns, and answers all the same"
    assert steady.language is None
    assert len(await steady.run()) == 2, "so it is asked again"
    assert steady.language == "1.6"
    server.version = "1.8.1"  # type: ignore[attr-defined]
    assert (len(await steady.run()), steady.language) == (1, "1.6")
    await steady.run("full")
    assert (len(await steady.run()), steady.language) == (1, "1.8")
