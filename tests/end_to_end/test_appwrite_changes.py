"""Between full readings an Appwrite project is asked only who changed; what is gone shows in the daily full reading."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from tests.end_to_end.app import App, ident, mail, person

pytestmark = pytest.mark.anyio


def listings(app: App) -> list[str]:
    """What each page of the last run was asked for: everybody, or who changed since. The question for the version is refused."""
    asked = [unquote(one.query) for one in app.appwrite.requests if one.operation == "list" and one.status == 200]
    return ["changes" if "$updatedAt" in query else "everybody" for query in asked]


async def loaded(app: App, *more: Any) -> App:
    app.people(*(person(number) for number in range(1, 8)), *more)
    assert (await app.run()).converged
    assert "changes" not in listings(app)
    return app


async def test_a_further_run_reads_only_who_changed(app: App) -> None:
    await loaded(app)
    report = await app.run()
    assert (set(listings(app)), report.results[1].listing.delta) == ({"changes"}, True)  # type: ignore[union-attr]
    app.project.update(ident(3), name="By hand")
    report = await app.run()
    assert (set(listings(app)), app.writes(), app.user(3)["name"]) == ({"changes"}, ["PATCH /{id}/name"], "Person 3")
    assert report.converged
    await app.rests()


async def test_everything_is_read_once_a_day_and_on_request(app: App) -> None:
    await loaded(app)
    await app.run("full")
    assert "changes" not in listings(app)
    app.clock.pass_time(timedelta(hours=24))
    await app.run()
    assert "changes" not in listings(app)
    await app.run()
    assert "everybody" not in listings(app)


async def test_who_was_deleted_there_is_made_again_once_everything_was_read(app: App) -> None:
    await loaded(app)
    app.project.delete(ident(2))
    assert (await app.run()).converged and app.posts() == []
    assert (await app.run("full")).converged and app.posts() == [mail(2)]
    await app.rests()


async def test_whoever_signs_up_meanwhile_is_found_before_an_account_is_made(app: App) -> None:
    """The newcomer of the file has an account of their own since the last reading, verified."""
    await loaded(app)
    app.project.create("theirs", mail(9), None, name="Myself")
    app.project.update("theirs", emailVerification=True)
    app.people(*(person(number) for number in range(1, 8)), person(9))
    report = await app.run()
    assert (set(listings(app)), report.results[1].applied["adopt"], app.posts()) == ({"changes"}, 1, [])
    await app.rests()


async def test_a_change_of_the_map_reads_everything_again(app: App) -> None:
    await loaded(app)
    app.config.write_text(
        app.config.read_text().replace("connector: appwrite", "connector: appwrite\n    read: {attributes: {locale: prefs.locale}}")
    )
    await app.run()
    assert "changes" not in listings(app)
