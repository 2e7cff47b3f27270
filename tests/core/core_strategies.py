"""Random JSON documents, and the equality they are judged by."""

import json
from typing import Any

from hypothesis import strategies as st

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
names = st.sampled_from(["team", "name", "level", "a", "b"])
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8)
documents = st.dictionaries(names, st.recursive(scalars, lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=6), max_size=4)
paths = st.lists(names, min_size=1, max_size=3).map(".".join)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: unlike Python, 1 is not True."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
