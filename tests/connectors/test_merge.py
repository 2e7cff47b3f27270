"""Setting and removing members by path leaves everything else alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.merge import merged
from syncd.errors import Rejected

names = st.sampled_from(["a", "b", "c"])
documents = st.recursive(st.integers(0, 3), lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=6)
paths = st.lists(names, min_size=1, max_size=3).map(".".join)


def read(document: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    return document


@given(st.dictionaries(names, documents, max_size=3), paths, st.none() | st.integers(7, 9))
def test_one_path_changes_and_nothing_beside_it(document: dict[str, Any], path: str, value: Any) -> None:
    before = copy.deepcopy(document)
    try:
        after = merged(document, {path: value})
    except Rejected:
        steps = path.split(".")
        assert any(isinstance(read(before, ".".join(steps[:n])), int) for n in range(1, len(steps)))
        return
    finally:
        assert document == before
    assert read(after, path) == value
    for n in range(path.count(".") + 1):
        prefix, key = path.split(".")[:n], path.split(".")[n]
        old, new = (read(one, ".".join(prefix)) if prefix else one for one in (before, after))
        if isinstance(old, dict) and isinstance(new, dict):
            assert {name: old[name] for name in old if name != key} == {name: new[name] for name in new if name != key}


def test_examples() -> None:
    assert merged({}, {"a.b.c": 1, "a.b.d": 2}) == {"a": {"b": {"c": 1, "d": 2}}}
    assert merged({"a": {"x": 1}}, {"a.x": None, "b.c": None, "d": None}) == {"a": {}}
    assert merged({"a": None}, {"a.x": 1}) == {"a": {"x": 1}}
    with pytest.raises(Rejected, match=r"a\.x\.y: x holds a value that is no object"):
        merged({"a": {"x": "theirs"}}, {"a.x.y": 1})
