"""The bench of the Twilio connector: the default service of the emulated account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from syncd.benches.emulated import EmulatedBench, opened
from syncd.connectors.base import Connector
from syncd.connectors.twilio import PAGE_SIZE, TwilioConnector, TwilioOptions
from syncd.environment import Environment
from syncd.model import Rate
from syncd.sandbox.twilio import Twilio


class TwilioBench(EmulatedBench[Twilio]):
    page = PAGE_SIZE
    samples = {"role_sid": ("RL" + "1" * 32, "RL" + "2" * 32)}  # noqa: RUF012

    def connect(self, url: str, environment: Environment, writable: bool) -> Connector:
        given = {"base_url": url, "account_sid": Twilio.account_sid, "auth_token": Twilio.auth_token}
        return TwilioConnector(TwilioOptions.model_validate(given), environment=environment, rate=Rate(), writable=writable)

    def seed(self, count: int) -> Sequence[str]:
        there = len(self.provider.service())
        return [self.provider.service().create(f"seeded-{there + n}", f"Seeded {n}")["sid"] for n in range(count)]

    def remove(self, id: str) -> None:
        self.provider.service().delete(id)

    def holds(self) -> Sequence[str]:
        return [*self.provider.service().users]


@contextmanager
def bench() -> Iterator[EmulatedBench[Twilio]]:
    with opened(TwilioBench, Twilio) as one:
        yield one
