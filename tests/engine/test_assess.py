"""Whom an expression matches, counted from the store as it would be one by one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.expression import ExpressionError
from syncd.core.scope import Scope
from syncd.engine import assess as engine
from syncd.engine.assess import assess
from syncd.errors import Rejected
from syncd.model import CANONICAL
from syncd.store import Store
from tests.engine.test_properties import few
from tests.engine.worlds import Template

EXPRESSIONS = (
    'department == "Support"', 'department == "Sales" || "admin" in roles', "active", "!active", "int(title) > 1", "size(roles) > 1",
    'userName.endsWith("1")', "true", 'roles[0] == "admin"', "title == ''",
)  # fmt: skip
persons = st.fixed_dictionaries(
    {},
    optional={
        "department": st.sampled_from(["Support", "Sales", 'a "quoted" one', "é\\"]), "title": st.sampled_from(["1", "2", "Chief"]),
        "roles": st.lists(st.sampled_from(["admin", "user"]), unique=True, min_size=1), "active": st.booleans(),
    },
)  # fmt: skip


def fill(store: Store, everybody: list[dict[str, Any]], departed: int = 0) -> None:
    rows = [
        {"id": f"i{number}", "attributes": orjson.dumps({**one, "userName": f"p{number}"}).decode(), "live": "live"}
        for number, one in enumerate(everybody)
    ]
    rows += [{"id": f"d{number}", "attributes": "{}", "live": "departed"} for number in range(departed)]
    with store.transaction():
        store.many("INSERT INTO identity (id, attributes, live, ignored, forgotten) VALUES (:id, :attributes, :live, FALSE, FALSE)", rows)


def judged(text: str | None, person: dict[str, Any]) -> bool | str:
    try:
        return Scope(text, CANONICAL).includes(person)
    except Rejected as error:
        return str(error).removeprefix("scope: ")


@few
@given(st.lists(persons, max_size=12), st.sampled_from(EXPRESSIONS), st.sampled_from((None, *EXPRESSIONS)))
def test_the_counts_are_those_of_everybody_judged_one_by_one(
    template: Template, everybody: list[dict[str, Any]], text: str, scope: str | None
) -> None:
    with template.temporary() as w:
        fill(w.store, everybody, departed=2)
        found = assess(w.store, text, CANONICAL, [("chat", scope)])
        named = [{**one, "userName": f"p{number}"} for number, one in enumerate(everybody)]
        answers = [(one["userName"], judged(text, one), judged(scope, one)) for one in named]
        assert (found.people, found.matching) == (len(everybody), sum(answer is True for _, answer, _ in answers))
        assert found.undecided.total() == sum(isinstance(answer, str) for _, answer, _ in answers)
        (chat,) = found.targets
        joining = {who for who, answer, before in answers if answer is True and before is not True}
        leaving = {who for who, answer, before in answers if answer is False and before is True}
        assert (chat.joining, chat.leaving) == (len(joining), len(leaving))
        assert set(chat.newcomers) <= joining and len(chat.newcomers) == min(engine.EXAMPLES, len(joining))
        assert set(chat.leavers) <= leaving and len(chat.leavers) == min(engine.EXAMPLES, len(leaving))


@pytest.mark.parametrize("block, remembered", [(1, 1), (3, 2), (1000, 1000)])
def test_neither_blocks_nor_what_is_remembered_changes_an_answer(
    template: Template, monkeypatch: pytest.MonkeyPatch, block: int, remembered: int
) -> None:
    monkeypatch.setattr("syncd.store.census.BLOCK", block)
    monkeypatch.setattr(engine, "REMEMBERED", remembered)
    with template.temporary() as w:
        fill(w.store, [{"department": ["Support", "Sales", "Legal"][number % 3], "title": str(number)} for number in range(30)])
        w.store.run("DELETE FROM identity WHERE id IN ('i3', 'i4')")
        found = assess(w.store, 'department == "Sales" || int(title) > 20', CANONICAL, [("chat", 'department == "Support"')])
        assert (found.people, found.matching) == (28, 15)
        assert (found.targets[0].joining, found.targets[0].leaving) == (12, 6)
        assert len(found.targets[0].newcomers) == 3


def test_an_expression_that_does_not_compile_is_refused_with_its_place(template: Template) -> None:
    with template.temporary() as w, pytest.raises(ExpressionError, match=r"unknown name 'dept'.*at 1:1"):
        assess(w.store, "dept == 'x'", CANONICAL, [])


def test_nobody_is_no_fault(template: Template) -> None:
    with template.temporary() as w:
        found = assess(w.store, "true", CANONICAL, [("chat", None)])
        assert (found.people, found.matching, found.targets[0].joining) == (0, 0, 0)


def test_parts_that_several_processes_judge_add_up(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.store.census.BLOCK", 7)
    with template.temporary() as w:
        fill(w.store, [{"department": ["Support", "Sales", "Legal"][number % 3], "title": str(number)} for number in range(300)], 5)
        asked = ('department == "Sales" || int(title) > 200 || roles[0] == "x"', CANONICAL, [("chat", 'department == "Support"')])
        alone = assess(w.store, *asked)
        monkeypatch.setattr(engine, "SHARE", 10)
        monkeypatch.setattr(engine.os, "cpu_count", lambda: 3)
        assert assess(w.store, *asked) == alone
        assert alone.undecided and len(alone.targets[0].newcomers) == engine.EXAMPLES
