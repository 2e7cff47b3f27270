"""The bench of the Waii connector: an emulated installation with two organizations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from syncd.benches.emulated import EmulatedBench, opened
from syncd.connectors.base import Connector
from syncd.connectors.waii import WaiiConnector, WaiiOptions
from syncd.environment import Environment
from syncd.model import Rate
from syncd.sandbox import FaultPlan
from syncd.sandbox.waii import Waii
from syncd.sandbox.waii_tree import HOME

OTHER = "other"


class WaiiBench(EmulatedBench[Waii]):
    """``basics``: the organization, which every account is in."""

    omits = True
    basics = {"org_id": HOME}  # noqa: RUF012
    samples = {  # noqa: RUF012
        "org_id": (HOME, OTHER), "tenant_id": ("tenant-1", "tenant-2"), "roles": (["waii-user"], ["waii-trial-user", "waii-user"]),
    }  # fmt: skip

    def __init__(self, provider: Waii, faults: FaultPlan, url: str) -> None:
        super().__init__(provider, faults, url)
        provider.tree.create_organization(OTHER, name="Other")
        for tenant in self.samples["tenant_id"]:
            provider.tree.create_tenant(tenant, HOME, name=tenant)

    def connect(self, url: str, environment: Environment, writable: bool) -> Connector:
        given = {"base_url": f"{url}/api/", "api_key": Waii.api_key, "organizations": [HOME, OTHER]}
        return WaiiConnector(WaiiOptions.model_validate(given), environment=environment, rate=Rate(), writable=writable)

    def seed(self, count: int) -> Sequence[str]:
        there = len(self.provider.tree)
        made = [f"seeded-{there + n}" for n in range(count)]
        for id in made:
            self.provider.tree.create_user(id, name=f"Seeded {id}")
        return made

    def remove(self, id: str) -> None:
        self.provider.tree.delete_user(id)

    def holds(self) -> Sequence[str]:
        return [*self.provider.tree.users]


@contextmanager
def bench() -> Iterator[EmulatedBench[Waii]]:
    with opened(WaiiBench, Waii) as one:
        yield one
