"""Checks of whole listings: the page loop, cursors, deltas, what is carried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from syncd.connectors.conformance.checks import attempt, broken, check, expect, said, writes
from syncd.connectors.conformance.stage import Stage, get, head, same
from syncd.errors import Incomplete, SyncdError
from syncd.model import Account, Cursor, Mutability, Page


@check("list.loop")
async def everyone_is_handed_out_once(stage: Stage) -> None:
    stage.bench.seed(2 * stage.bench.page + 1)
    pages = await stage.walk()
    expect(len(pages) > 2, f"accounts that fill three pages came in {len(pages)}")
    _once(stage.ids(pages), stage.bench.holds())
    _counted(pages)


@check("list.loop")
async def an_empty_directory_is_complete(stage: Stage) -> None:
    pages = await stage.walk()
    _once(stage.ids(pages), stage.bench.holds())
    _counted(pages)


def _once(handed: Sequence[str], there: Sequence[str]) -> None:
    counts = Counter(handed)
    twice = [id for id, count in counts.items() if count > 1]
    expect(not twice, f"{len(twice)} accounts were handed out more than once, {twice[:1]} among them")
    complete(handed, there)
    nobody = sorted({*handed} - {*there})
    expect(not nobody, f"{len(nobody)} accounts were handed out that are not there, {nobody[:1]} among them")


def complete(handed: Collection[str], there: Collection[str]) -> None:
    missing = sorted({*there} - {*handed})
    expect(not missing, f"{len(missing)} of {len({*there})} accounts were not handed out, {missing[:1]} among them")


def _counted(pages: Sequence[Page]) -> None:
    before = 0
    for n, page in enumerate(pages, 1):
        last = n == len(pages)
        expect(page.first == before, f"page {n} says its first record is number {page.first}, and it is number {before}")
        expect(page.complete == last, f"page {n} of {len(pages)} says complete={page.complete} (defect {page.defect!r})")
        before += len(page.records)


@check("list.cursor")
async def a_cursor_holds_in_another_process(stage: Stage) -> None:
    stage.bench.seed(2 * stage.bench.page + 1)
    first = await stage.begun()
    rest = await stage.walk(stage.connect(), first.next)
    _once(stage.ids([first, *rest]), stage.bench.holds())


@check("list.cursor")
async def a_cursor_holds_when_those_before_it_are_gone(stage: Stage) -> None:
    stage.bench.seed(2 * stage.bench.page + 1)
    first = await stage.begun()
    shown = stage.ids([first])
    for id in {shown[0], shown[-1]}:
        stage.bench.remove(id)
    rest = await attempt(stage.walk(cursor=first.next))
    if not isinstance(rest, SyncdError) and rest[-1].complete:
        complete({*shown, *stage.ids(rest)}, stage.bench.holds())


@check("list.cursor")
async def a_cursor_of_another_making_is_refused(stage: Stage) -> None:
    stage.bench.seed(1)
    for cursor in ("nowhere", "{]", "\x00"):
        page = await attempt(stage.connector.list(Cursor(cursor)))
        refused = isinstance(page, Incomplete) or (isinstance(page, Page) and page.defect)
        expect(refused, f"the cursor {cursor!r} was answered by {said(page)}")


@check("list.delta", writes)
async def a_delta_hands_out_who_changed(stage: Stage) -> None:
    stage.bench.seed(stage.bench.page + 1)
    path, (one, _) = stage.plain()[0]
    account = await stage.make()
    mark = (await stage.walk())[-1].watermark
    if not stage.capability.delta:
        expect(mark is None, "it cannot read changes by themselves, and leaves a watermark")
        return
    expect(mark is not None, "a complete listing left no watermark")
    await stage.update(account, {path: one})
    new = await stage.make()
    pages = await stage.walk(since=mark)
    complete(stage.ids(pages), {account.id, new.id})
    expect(pages[-1].complete and pages[-1].watermark, "the delta did not end complete, with a watermark of its own")


@check("list.carried", writes)
async def listings_say_what_fetch_says(stage: Stage) -> None:
    account = await stage.make()
    values = {path: two for path, (_, two) in stage.samples(Mutability.READ_WRITE).items()}
    await stage.update(account, values)
    listed, fetched = await stage.listed(account.id), await stage.read(account.id)
    if listed is None or not isinstance(fetched, Account):
        broken(f"the account is {said(listed)} in the listing, and {said(fetched)} for `fetch`")
    for path in values:
        _agree(stage, path, listed, fetched)


def _agree(stage: Stage, path: str, listed: Account, fetched: Account) -> None:
    name = head(listed, path)
    if not stage.spec(path).carried:
        expect(name not in listed.attributes, f"{name} is declared as not carried, and stands in the listing")
        return
    expect(name in listed.attributes, f"{name} is declared as carried, and does not stand in the listing")
    if name in fetched.attributes:
        shown, known = get(listed.attributes, path), get(fetched.attributes, path)
        expect(same(shown, known), f"{path} is {shown!r} in the listing, and {known!r} for `fetch`")
