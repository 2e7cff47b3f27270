"""A pause in the middle of a change of several requests: what is begun is finished by the run after it was resumed, once."""

from __future__ import annotations

import pytest

from syncd.store import pauses
from tests.end_to_end.app import App, ident, mail, person
from tests.end_to_end.office import result
from tests.end_to_end.test_appwrite_leavers import DISABLE, OFF, staffed

pytestmark = pytest.mark.anyio


def paused_at(app: App, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody pauses the target when the run gets there."""

    def reached(where: str) -> None:
        if where == point:
            with app.store() as store:
                pauses.pause(store, "app", "an audit", None, app.clock.now(), {})

    monkeypatch.setattr(app.clock, "reached", reached)


def resumed(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with app.store() as store:
        assert pauses.resume(store, "app", app.clock.now(), {})


@pytest.mark.parametrize("point", ["after_send", "after_settle"])
async def test_a_leaver_whose_sessions_were_still_to_be_ended(app: App, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await staffed(app, DISABLE, 1, 2)
    app.people(person(2))
    paused_at(app, point, monkeypatch)
    report = await app.run()
    one = result(report, "app")
    assert app.writes() == OFF[:1] and app.project.sessions == {ident(1): 1, ident(2): 1}
    assert (one.error, report.failed, report.converged) == ("", False, False) and one.paused.startswith("paused since")
    resumed(app, monkeypatch)
    report = await app.run()
    assert report.converged and app.writes() == OFF[1:] and app.project.sessions == {ident(2): 1}
    await app.rests()


@pytest.mark.parametrize("point", ["after_intent", "after_send", "after_settle"])
async def test_a_newcomer_of_whom_a_part_is_made(app: App, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await staffed(app, "{attributes: {prefs.team: department}}", 1)
    app.people(person(1), person(2, department="Ops"))
    paused_at(app, point, monkeypatch)
    report = await app.run()
    assert not report.failed and len(app.writes()) == (0 if point == "after_intent" else 1)
    resumed(app, monkeypatch)
    report = await app.run()
    assert report.converged and [one["email"] for one in app.project.users.values()] == [mail(1), mail(2)]
    await app.rests()
