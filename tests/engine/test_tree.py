"""What a listing shows of containers: which there are, who lives in each, and when that is not known of everybody."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.memory import MemoryOptions
from syncd.engine.tree import Tree, around
from syncd.errors import Incomplete
from syncd.model import Flaw, Page, Rate
from tests.engine.town import KINDS, ORGANIZATION, TENANT, TownConnector
from tests.world import Clock

places = st.fixed_dictionaries(
    {}, optional={ORGANIZATION: st.sampled_from(["a", "b", "", None, 3]), TENANT: st.sampled_from(["x", "y", None])}
)


def connector() -> TownConnector:
    return TownConnector(MemoryOptions(directory="tree"), environment=Clock(), rate=Rate(), writable=False)


@given(st.lists(places, max_size=8))
def test_everybody_lives_where_their_record_says_and_only_text_is_an_id(records: list[dict[str, object]]) -> None:
    tree = Tree()
    tree.count(KINDS, [orjson.dumps(one) for one in records])
    told = [(kind, one[kind]) for one in records for kind in (ORGANIZATION, TENANT) if isinstance(one.get(kind), str) and one[kind]]
    assert tree.lodgers == Counter(told) and not tree.blind


@given(places)
def test_the_outermost_comes_first_and_a_container_lies_in_none_of_its_own_kind(attributes: dict[str, object]) -> None:
    kinds = [kind for kind, _ in around(KINDS, attributes)]
    assert kinds == [kind for kind in KINDS if kind in kinds]
    assert TENANT not in [kind for kind, _ in around(KINDS, attributes, TENANT)]
    assert around(KINDS, attributes, ORGANIZATION) == []


def test_a_record_that_cannot_be_read_may_be_of_somebody_anywhere() -> None:
    tree = Tree()
    tree.count(KINDS, [b'{"tenant": "x"}', b'{"tenant": "\\ud800"}'])
    assert (tree.lodgers, tree.blind) == (Counter({(TENANT, "x"): 1}), True)


def test_containers_are_taken_with_what_lies_in_them() -> None:
    tree = Tree()
    tree.take(connector(), Page([orjson.dumps({"id": "x", "organization": "a"})], object=TENANT))
    assert (tree.found.keys(), tree.lodgers) == ({(TENANT, "x")}, Counter({(ORGANIZATION, "a"): 1}))


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (Page([b"{"], object=TENANT), "one of the tenants cannot be read: cut off"),
        (Page([], flaws=[Flaw("record 2", "no object")], object=TENANT), "record 2 of the tenants: no object"),
    ],
)
def test_a_container_that_cannot_be_read_makes_the_listing_incomplete(page: Page, told: str) -> None:
    with pytest.raises(Incomplete, match=told):
        Tree().take(connector(), page)
