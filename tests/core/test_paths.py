"""Reading and changing an account by path."""

from copy import deepcopy

import pytest
from core_strategies import documents, paths, same, values
from hypothesis import assume, given

from syncd.core.paths import clean, get, present, under, with_value, without


@given(documents, paths, values)
def test_what_is_set_is_read_back(document, path, value):
    assume(present(value))
    assert same(get(with_value(document, path, value), path), value)


@given(documents, paths)
def test_what_is_removed_is_gone(document, path):
    assert get(without(document, path), path) is None


@given(documents, paths, values)
def test_setting_twice_is_setting_once(document, path, value):
    once = with_value(document, path, value)
    assert same(with_value(once, path, value), once)


@given(documents, paths)
def test_putting_back_what_was_read_changes_nothing(document, path):
    assert same(clean(with_value(document, path, get(document, path))), clean(document))


@given(documents, paths, values)
def test_removing_undoes_setting(document, path, value):
    before = without(document, path)
    parents = [path.rsplit(".", depth)[0] for depth in range(1, path.count(".") + 1)]
    assume(all(get(before, parent) is None or isinstance(get(before, parent), dict) for parent in parents))
    assert same(clean(without(with_value(before, path, value), path)), clean(before))


@given(documents, paths, values)
def test_the_document_itself_is_never_changed(document, path, value):
    kept = deepcopy(document)
    with_value(document, path, value)
    without(document, path)
    assert same(document, kept)


def test_other_members_stay():
    document = {"friendly_name": "A", "attributes": {"team": {"name": "x", "size": 3}, "theirs": [1]}}
    assert with_value(document, "attributes.team.name", "y") == {
        "friendly_name": "A",
        "attributes": {"team": {"name": "y", "size": 3}, "theirs": [1]},
    }
    assert without(document, "attributes.team.name") == {"friendly_name": "A", "attributes": {"team": {"size": 3}, "theirs": [1]}}


def test_an_object_that_is_emptied_goes_too():
    assert without({"attributes": {"team": {"name": "x"}}}, "attributes.team.name") == {}


def test_a_value_in_the_way_gives_way():
    assert with_value({"attributes": "text"}, "attributes.team.name", 1) == {"attributes": {"team": {"name": 1}}}
    assert without({"attributes": "text"}, "attributes.team.name") == {"attributes": "text"}


@pytest.mark.parametrize("path", ["nothing", "attributes.nothing", "attributes.team.name.first", "friendly_name.first"])
def test_what_is_not_there_reads_as_none(path):
    assert get({"friendly_name": "A", "attributes": {"team": {"name": "x"}}}, path) is None


def test_no_value_is_written_by_removing():
    assert with_value({"a": {"b": 1, "c": 2}}, "a.b", "") == {"a": {"c": 2}}


def test_under_means_below_not_alike():
    assert under("attributes.team", "attributes") and not under("attributes", "attributes") and not under("attributes2.team", "attributes")
