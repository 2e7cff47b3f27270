"""Sharing a list or an object with others."""

from core_strategies import same
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.globs import Globs
from syncd.core.members import shared

members = st.lists(st.sampled_from(["a", "b", "corp-a", "corp-b"]), unique=True)
owns = st.none() | st.just(Globs(["corp-*"]))


@given(members, members, members, owns)
def test_ours_are_there_theirs_stay_and_nothing_else(current, ours, written, own):
    result = shared(current, ours, written, own)
    assert set(ours) <= set(result) <= set(ours) | set(current)
    for member in set(current) - set(ours):
        mine = member in written or (own is not None and member.startswith("corp-"))
        assert (member in result) == (not mine)


@given(members, members, members, owns)
def test_sharing_again_changes_nothing(current, ours, written, own):
    once = shared(current, ours, written, own)
    assert shared(once, ours, ours, own) == once == sorted(set(once))


@given(members, members, members, owns)
def test_an_object_is_shared_as_the_list_of_its_names_is(current, ours, written, own):
    result = shared(dict.fromkeys(current, "theirs"), dict.fromkeys(ours, "ours"), dict.fromkeys(written, "old"), own)
    assert sorted(result) == shared(current, ours, written, own)
    assert all(result[name] == "ours" for name in ours)


def test_with_nothing_left_of_ours_theirs_stay():
    assert shared(["a", "x"], None, ["a"], None) == ["x"]
    assert same(shared({"a": 1, "x": {"deep": ""}}, None, {"a": 1}, None), {"x": {"deep": ""}})


def test_what_was_of_another_type_counts_as_empty():
    assert shared("text", ["a"], None, None) == ["a"]
    assert shared([1, {"x": 1}, "", "b"], ["a"], 5, None) == ["a", "b"]
    assert shared("text", {"a": 1}, "text", None) == {"a": 1}
    assert shared({"theirs": 1}, ["a"], None, None) == ["a"]
    assert shared(["theirs"], {"a": 1}, None, None) == {"a": 1}
    assert shared(None, None, None, None) == []
