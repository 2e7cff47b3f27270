"""Places of keys, values and characters inside values, whatever their quoting."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.settings.yaml import read

SOURCE = """\
# comment
plain: alpha beta
  gamma
single: 'it''s "alpha" beta'
double: &name "say \\"alpha\\" beta"
literal: |-
  alpha

    beta
folded: >
  alpha
  beta

  gamma
flow: [alpha, {beta: gamma}]
empty:
list:
  -
  - alpha
again: *name
"""


def written(directory: Path, text: str) -> Path:
    path = directory / "any.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_places_of_keys_and_values(tmp_path: Path) -> None:
    document = read(written(tmp_path, SOURCE))
    places = {keys: str(place).removeprefix(f"{tmp_path}/any.yaml:") for keys, place in document.values.items()}
    assert places[("plain",)] == "2:8" and places[("double",)] == places[("again",)] == "5:9"
    assert places[("flow", 1, "beta")] == "15:22" and places[("literal",)] == "6:10"
    assert places[("empty",)] == "16:1" and places[("list", 1)] == "19:5"
    assert str(document.keys[("flow", 1, "beta")]).endswith(":15:16") and str(document.keys[("again",)]).endswith(":20:1")


@pytest.mark.parametrize("name", ["plain", "single", "double", "literal", "folded", "again"])
@pytest.mark.parametrize("word", ["alpha", "beta", "gamma"])
def test_places_inside_values(tmp_path: Path, name: str, word: str) -> None:
    document = read(written(tmp_path, SOURCE))
    value = document.data[name]
    if word not in value:
        return
    head = value[: value.index(word)]
    place = document.inside((name,), value, head.count("\n") + 1, len(head) - head.rfind("\n"))
    assert document.text.splitlines()[place.line - 1][place.column - 1 :].startswith(word)


def test_the_end_of_a_value_and_escapes_without_a_place(tmp_path: Path) -> None:
    document = read(written(tmp_path, 'a: "x + "\nb: "\\u00e9\\u00e8"\nc: é + ü\n'))
    assert str(document.inside(("a",), "x + ", 1, 5)).endswith(":1:8")
    assert str(document.inside(("b",), "éè", 1, 2)).endswith(":2:4")
    assert str(document.inside(("c",), "é + ü", 1, 5)).endswith(":3:8")


def test_merged_mappings_keep_their_own_places(tmp_path: Path) -> None:
    document = read(written(tmp_path, "a: &a {x: 1, y: 1}\nb: &b\n  <<: *a\n  y: 2\nc:\n  <<: [*b, {x: 3, z: 3}]\n  w: 4\n"))
    assert document.data["c"] == {"w": 4, "x": 1, "y": 2, "z": 3}
    assert str(document.values[("c", "x")]).endswith(":1:11") and str(document.values[("c", "y")]).endswith(":4:6")


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff"), max_size=20)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN.filter(lambda key: key != "<<"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(PLAIN.filter(lambda key: key != "<<"), TREES, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_is_read_as_itself(tmp_path: Path, tree: dict[str, object]) -> None:
    """YAML 1.2 holds JSON (section 1.2): whatever JSON says, the reader says too."""
    path = tmp_path / "any.yaml"
    path.write_text(json.dumps(tree, ensure_ascii=False, indent=1), encoding="utf-8")
    assert read(path).data == tree
