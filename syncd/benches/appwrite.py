"""The bench of the Appwrite connector: the emulated project, in pages of five."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from syncd.benches.emulated import EmulatedBench, opened
from syncd.connectors.appwrite import AppwriteConnector, AppwriteOptions
from syncd.connectors.base import Connector
from syncd.environment import Environment
from syncd.model import Rate
from syncd.sandbox.appwrite import Appwrite


class AppwriteBench(EmulatedBench[Appwrite]):
    page = 5
    samples = {"email": ("One@Conformance.example", "two@conformance.example"), "phone": ("+12025550101", "+12025550102")}  # noqa: RUF012

    def connect(self, url: str, environment: Environment, writable: bool) -> Connector:
        given = {"base_url": f"{url}/v1", "project": Appwrite.project_id, "api_key": Appwrite.api_key, "page_size": self.page}
        return AppwriteConnector(AppwriteOptions.model_validate(given), environment=environment, rate=Rate(), writable=writable)

    def seed(self, count: int) -> Sequence[str]:
        there = len(self.provider.project)
        return [self.provider.project.create(f"seeded-{there + n}", name=f"Seeded {n}").id for n in range(count)]

    def remove(self, id: str) -> None:
        self.provider.project.delete(id)

    def holds(self) -> Sequence[str]:
        return [*self.provider.project.users]


@contextmanager
def bench() -> Iterator[EmulatedBench[Appwrite]]:
    with opened(AppwriteBench, Appwrite) as one:
        yield one
