"""All that people can say and do, in random order, with crashes, lost answers and restored stores in between.

`SYNCD_SCHEDULES=1000:1200 pytest tests/engine/test_together.py` plays the schedules from 1000 up to 1200; a number alone, that many.
"""

from __future__ import annotations

import os

import pytest

from tests.engine.together import hands, make
from tests.engine.worlds import Template

__all__ = ["hands"]
pytestmark = pytest.mark.anyio
LENGTH = 30


def schedules() -> range:
    first, _, last = os.environ.get("SYNCD_SCHEDULES", "24").partition(":")
    return range(int(first), int(last)) if last else range(int(first))


@pytest.mark.parametrize("seed", schedules())
async def test_whatever_happens_in_whatever_order(template: Template, seed: int, hands: None) -> None:
    with template.temporary() as w:
        story = make(w, seed)
        try:
            await story.play(LENGTH)
            await story.settle()
        except BaseException as error:
            error.add_note("\n".join(["the schedule:", *story.log]))
            raise
