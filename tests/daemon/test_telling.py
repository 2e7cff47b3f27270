"""Whose accounts are counted again after a cycle: not where changes were asked for, and there were none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syncd.daemon import telling
from syncd.engine.reading import Reading
from syncd.engine.report import Result

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "moved"),
    [
        (Result("app", Reading("app", NOW, delta=True)), False),
        (Result("app", Reading("app", NOW, delta=True, changed=1)), True),
        (Result("app", Reading("app", NOW, delta=True), applied={"create": 1}), True),
        (Result("app", Reading("app", NOW, delta=True), error="HTTP 503"), True),
        (Result("app", Reading("app", NOW)), True),
        (Result("app"), True),
    ],
)
def test_accounts_are_counted_where_they_may_have_moved(made: Result, moved: bool) -> None:
    assert telling.moved(made) is moved
