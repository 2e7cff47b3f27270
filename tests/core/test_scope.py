"""Who is in scope of a connection."""

import pytest

from syncd.core.expression import ExpressionError
from syncd.core.scope import Scope
from syncd.errors import Rejected

NAMES = ["department", "active", "roles", "costCenter"]


def test_without_a_scope_everyone_is_in():
    assert Scope(None, NAMES).includes({}) is True


@pytest.mark.parametrize(
    ("attributes", "included"),
    [({"department": "Support"}, True), ({"department": "Sales"}, False), ({"department": None}, False), ({}, False)],
)
def test_a_missing_attribute_is_empty_not_everyone(attributes, included):
    assert Scope('department == "Support"', NAMES).includes(attributes) is included


def test_sets_booleans_and_names_of_ones_own():
    scope = Scope('active && "lead" in roles && costCenter.startsWith("4")', NAMES)
    assert scope.includes({"roles": ["lead"], "costCenter": "42"}) is True
    assert scope.includes({"roles": ["lead"], "costCenter": "42", "active": False}) is False


@pytest.mark.parametrize("text", ['roles[0] == "lead"', '!(roles[0] == "lead")', "int(costCenter) > 4"])
def test_without_an_answer_one_is_neither_in_nor_out(text):
    with pytest.raises(Rejected, match=r"^scope: "):
        Scope(text, NAMES).includes({})


@pytest.mark.parametrize("text", ["department", "departmnt == 'x'", "title == 'x'", ""])
def test_a_scope_is_checked_when_it_is_made(text):
    with pytest.raises(ExpressionError):
        Scope(text, NAMES)
