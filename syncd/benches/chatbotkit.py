"""The bench of the ChatBotKit connector: the emulated parent account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from syncd.benches.emulated import EmulatedBench, opened
from syncd.connectors.base import Connector
from syncd.connectors.chatbotkit import ChatBotKitConnector, ChatBotKitOptions
from syncd.connectors.chatbotkit_table import PAGE_SIZE
from syncd.environment import Environment
from syncd.model import Rate
from syncd.sandbox.chatbotkit import ChatBotKit


class ChatBotKitBench(EmulatedBench[ChatBotKit]):
    page = PAGE_SIZE
    samples = {  # noqa: RUF012
        "email": ("one@conformance.example", "two@conformance.example"), "alias": ("one", "two"),
        "limits": ({"messages": 1, "tokens": 1}, {"messages": 2, "tokens": 2}),
    }  # fmt: skip

    def connect(self, url: str, environment: Environment, writable: bool) -> Connector:
        given = {"base_url": f"{url}/v1", "secret": ChatBotKit.secret}
        return ChatBotKitConnector(ChatBotKitOptions.model_validate(given), environment=environment, rate=Rate(), writable=writable)

    def seed(self, count: int) -> Sequence[str]:
        return [self.provider.parent.create({"name": f"Seeded {n}"}).id for n in range(count)]

    def remove(self, id: str) -> None:
        self.provider.parent.delete(id)

    def holds(self) -> Sequence[str]:
        return [*self.provider.parent.users]


@contextmanager
def bench() -> Iterator[EmulatedBench[ChatBotKit]]:
    with opened(ChatBotKitBench, ChatBotKit) as one:
        yield one
