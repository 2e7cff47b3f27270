"""Why a scope answers so, and what would bring somebody into it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.explanation import scoped
from syncd.core.scope import Scope
from syncd.errors import Rejected
from syncd.model import CANONICAL

SCOPES = (
    'department == "Support"', 'department in ["Support", "Sales"] && active', '"admin" in roles', '!("admin" in roles)',
    "title != ''", 'title.startsWith("Chief") || department == "Sales"', "int(title) > 1", "size(roles) > 1", "true", "active",
)  # fmt: skip
people = st.fixed_dictionaries(
    {},
    optional={
        "department": st.sampled_from(["Support", "Sales", "Legal"]), "title": st.sampled_from(["Chief", "1", "2"]),
        "roles": st.lists(st.sampled_from(["admin", "user"]), unique=True, min_size=1), "active": st.booleans(),
    },
)  # fmt: skip


@given(st.sampled_from(SCOPES), people)
def test_the_answer_is_the_scopes_own_and_every_other_value_that_is_named_would_do(text: str, person: dict[str, Any]) -> None:
    scope = Scope(text, CANONICAL)
    found = scoped(scope, person)
    try:
        assert found.answer is scope.includes(person)
    except Rejected as error:
        assert found.answer is None and found.error in str(error)
    assert found.values.keys() == scope.names
    for name, value in found.instead:
        assert found.answer is not True and scope.includes({**person, name: value})


def test_what_would_bring_them_into_scope() -> None:
    assert scoped(Scope('department == "Support"', CANONICAL), {"department": "Sales"}).instead == (("department", "Support"),)
    assert scoped(Scope('"a" in roles && active', CANONICAL), {"roles": ["b"]}).instead == (("roles", ["b", "a"]),)
    assert scoped(Scope('!("a" in roles)', CANONICAL), {"roles": ["a", "b"]}).instead == (("roles", ["b"]),)
    assert scoped(Scope("active", CANONICAL), {"active": False}).instead == (("active", True),)
    assert scoped(Scope("title == ''", CANONICAL), {"title": "x"}).instead == (("title", ""),)
    assert scoped(Scope('title == "a" && department == "b"', CANONICAL), {}).instead == (), "no single value would"


def test_everyone_is_in_scope_where_there_is_none() -> None:
    assert scoped(Scope(None, CANONICAL), {}) == scoped(Scope(None, CANONICAL), {"title": "x"})
    assert scoped(Scope(None, CANONICAL), {}).answer is True


def test_the_search_for_another_value_ends() -> None:
    text = " || ".join(f'title == "{number}x"' for number in range(25)) + " || size(title) > 99"
    assert scoped(Scope(f"({text}) && active", CANONICAL), {"active": False, "title": "1"}).instead == ()
