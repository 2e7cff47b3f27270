"""The containers of one directory, as a listing shows them: which there are, and how many live in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from syncd.connectors.base import Connector
from syncd.core.paths import get
from syncd.errors import Incomplete, Rejected
from syncd.model import Account, Container, Page

Place = tuple[str, str]
"""Kind and id of a container: ("tenant", "acme-ca")."""


@dataclass(slots=True)
class Tree:
    """``found``: the containers there are. ``lodgers``: how many accounts, and containers further in, name each. ``blind``: somebody's
    record cannot be read, who may live anywhere. ``whole``: the listing reached its proven end.
    """

    found: dict[Place, Account] = field(default_factory=dict)
    lodgers: Counter[Place] = field(default_factory=Counter)
    blind: bool = False
    whole: bool = False

    def take(self, connector: Connector, page: Page) -> None:
        """A page of containers. Raises Incomplete when one cannot be read: nothing may be planned beside it."""
        if page.flaws:
            raise Incomplete(f"{page.flaws[0].where} of the {page.object}s: {page.flaws[0].reason}")
        for record in page.records:
            try:
                account = connector.parse(record, page.object)
            except Rejected as error:
                raise Incomplete(f"one of the {page.object}s cannot be read: {error}") from error
            self.found[page.object, account.id] = account
            self.lodgers.update(around(connector.capability.containers, account.attributes, page.object))

    def count(self, containers: Mapping[str, Container], records: Iterable[bytes | str]) -> None:
        """Accounts; of a record only the members that name containers are looked at. Whoever deletes a container looks again."""
        for record in records:
            try:
                self.lodgers.update(around(containers, orjson.loads(record)))
            except orjson.JSONDecodeError:
                self.blind = True


def around(containers: Mapping[str, Container], attributes: Mapping[str, Any], object: str = "") -> list[Place]:
    """The containers that these attributes name, outermost first: of an account, or (``object``) of a container, those around it."""
    kinds = list(containers)
    outer = kinds[: kinds.index(object)] if object in kinds else kinds
    named = ((kind, get(attributes, containers[kind].named_by)) for kind in outer)
    return [(kind, id) for kind, id in named if isinstance(id, str) and id]
