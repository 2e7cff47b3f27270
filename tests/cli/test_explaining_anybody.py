"""Whatever happened to somebody, it can be told: of everybody in random worlds, now and at each past run."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.cli.explaining import Explaining
from syncd.cli.past_view import PastView
from syncd.cli.stranger_view import StrangerView
from syncd.engine.explain import explain
from syncd.engine.past import earliest, past
from syncd.engine.stranger import stranger
from syncd.store import identities
from tests.cli.schemas import valid
from tests.engine.conftest import template
from tests.engine.test_explain import context
from tests.engine.test_properties import NUMBERS, Story, few, rules, scripts
from tests.engine.worlds import Template, target
from tests.world import LIMITS, World

__all__ = ["template"]


def told(made: Any, kind: str) -> list[str]:
    valid(json.loads(json.dumps(made.document())), kind)
    return [line if isinstance(line, str) else line[0] for line in made.lines()]


@few
@given(scripts, rules, st.booleans())
def test_everybody_and_every_account_can_be_explained(template: Template, script: Any, rule: dict[str, Any], limited: bool) -> None:
    async def story(w: World) -> None:
        played, times = Story(w), []
        w.directory.add("c1", userName="p3@corp.example")
        w.directory.add("c2", userName="c2", meta={"externalId": "e4", "syncd": "other:00000000-0000-5000-8000-000000000000"})
        for number in NUMBERS:
            played.edit("hire", number, "x")
        for scene in script:
            await played.play([scene])
            times.append(w.clock.now())
            w.clock.pass_time(timedelta(minutes=1))
        asked = context(w)
        for id in identities.all_ids(w.store, ""):
            made = await explain(asked, id)
            for whole in (False, True):
                lines = told(Explaining(made, w.clock.now(), whole=whole), "explain")
                assert [line for line in lines if line.startswith(("What would change it:", "Nothing waits and nothing differs"))]
            at = made.targets[0]
            if at.step != "in_step" or at.waits:
                assert lines[-1].startswith("  app: "), lines
            first = earliest(asked, id)
            assert first is not None
            for then in (time for time in times if time >= first):
                told(PastView(past(asked, id, then), whole=True), "explain_past")
        for row in w.store.rows("SELECT account FROM account WHERE connection = 'app'"):
            nobodys = await stranger(asked, asked.connected["app"], row.account)
            assert nobodys is not None
            assert told(StrangerView(nobodys, "default"), "explain_account")[-1].startswith("  ")

    with template.temporary(target=target(**rule), limits=LIMITS if limited else {}) as w:
        asyncio.run(story(w))
