"""Every question about few finds them by index, whatever the store holds besides; no statistics are ever gathered."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from syncd.environment import stamp
from syncd.store import (
    Store,
    about,
    answering,
    answers,
    census,
    chain,
    connections,
    history,
    identities,
    journal,
    lease,
    limits,
    links,
    missing,
    nameless,
    outcomes,
    plan_files,
    reverting,
    staging,
    tombstones,
    verdicts,
    waiting,
    whose,
    words,
)
from syncd.store.census import Block
from syncd.store.chain import Event
from syncd.store.entries import Intent
from syncd.store.history import Part
from tests.store.conftest import ONLY_SQLITE
from tests.store.rows import HOUR, NOW, change, claim, link, people, person, plans, record, register, stage, staged, standing

KEYS = [("email", "x"), ("userName", "y")]
SLOW = re.compile(
    r"SCAN (?!json_each|\w+ VIRTUAL TABLE|matched|found|touched|each|accounts|keys|block|CONSTANT ROW|\(subquery)"
    r"|SEARCH \w+ USING INTEGER PRIMARY KEY \(rowid>\?(?! AND rowid<)"
    r"|SEARCH \w+ USING (COVERING )?INDEX (account_by|link_by|step_by_time)\w* \(connection=\?\)"
)
"""A whole table, half of it on average, everything of one connection."""


@pytest.fixture
def filled(store: Store) -> Store:
    register(store, "app", "chat")
    with store.transaction():
        rows = staging.upsert(store, "app", [staged(f"a{n}", n, ("email", f"x{n}", True)) for n in range(500)])
        identities.save(store, [person(f"p{n}", ("email", f"x{n}"), due=NOW if n == 3 else None) for n in range(500)], [])
        claim(store, {rows[f"a{n}"]: f"p{n}" for n in range(500)})
        for number in range(500):
            link(store, "app", f"p{number}", b"1", b"1", account_id=rows[f"a{number}"], due_at=NOW if number == 3 else None)
        record(store, *(change(number % 5 + 1, f"c{number}", f"p{number}") for number in range(500)))
    return store


def questions(s: Store) -> dict[str, Callable[[], object]]:
    (row,) = record(s, change(9, "z", "p9", account_id=9))
    held = change(9, "h", "p8", state="held", hold="limit", held="x", link_id=8)
    record(s, held)
    waiting.refresh(s, 9, "app", NOW)
    token = lease.acquire(s, ["app"], "me", NOW, HOUR)
    assert isinstance(token, dict)
    (group,) = answers.held(s, 9)
    return {
        "ledger": lambda: staging.ledger(s, "app", (100, 0), 10),
        "upsert": lambda: staging.upsert(s, "app", [staged("a7", 7, ("email", "x", True))]),
        "row_ids": lambda: staging.row_ids(s, "app", ["a1", "a2"]),
        "known_digests": lambda: staging.known_digests(s, "app", ["a1", "a2"]),
        "known": lambda: whose.known(s, "app", ["a1", "a2"]),
        "names": lambda: whose.names(s, [1, 2]),
        "mark_linked": lambda: staging.mark_linked(s, [1, 2]),
        "recent_tombstones": lambda: tombstones.recent(s, "app", ["a1", "a2"], NOW),
        "forget_strangers": lambda: staging.forget_strangers(s, [1, 2]),
        "moved": lambda: staging.moved(s, [(1, 2)]),
        "gone": lambda: staging.gone(s, [5], NOW),
        "back_unread": lambda: tombstones.back_unread(s, "app", ["a1", "a2"]),
        "document": lambda: staging.document(s, 1),
        "unfinished": lambda: outcomes.unfinished(s, "app", ["p1", "p2"]),
        "unrevoked": lambda: outcomes.unrevoked(s, "app"),
        "keep_document": lambda: staging.keep_document(s, 1, "{}"),
        "missing": lambda: missing.missing(s, "app"),
        "missed": lambda: missing.missed(s, [5], NOW),
        "found": lambda: missing.found(s, [5]),
        "faded": lambda: missing.faded(s, [5], 3, NOW),
        "present": lambda: list(staging.present(s, "app")),
        "sources": lambda: identities.sources(s, ["p1", "p2"]),
        "present_at": lambda: identities.present_at(s, "app", ["p1", "p2"]),
        "owners": lambda: identities.owners(s, [1, 2]),
        "by_keys": lambda: identities.by_keys(s, KEYS),
        "save people": lambda: identities.save(s, [person("p1", *KEYS)], ["app"]),
        "mark_due": lambda: identities.mark_due(s, ["app", "chat"], NOW),
        "documents": lambda: identities.documents(s, ["p1", "p2"]),
        "aliases": lambda: identities.aliases(s, ["p1", "p2"]),
        "dirty": lambda: links.dirty(s, "app"),
        "standing": lambda: links.standing(s, "app", ["p1", "p2"]),
        "clean": lambda: links.clean(s, "app", ["p1"]),
        "out_of_step": lambda: links.out_of_step(s, "app", 0),
        "postponed": lambda: links.postponed(s, "app", stamp(NOW)),
        "count_out_of_step": lambda: links.count_out_of_step(s, "app"),
        "save links": lambda: links.save(s, "app", [standing("p1", b"1", b"1", account_id=1), standing("p2", None, None)]),
        "candidates": lambda: answering.candidates(s, "app", KEYS),
        "trusted_keys": lambda: answering.trusted_keys(s, [1, 2]),
        "newcomers": lambda: answering.newcomers(s, "app", "email", ["x"]),
        "collisions": lambda: answering.collisions(s, "app", ["k"]),
        "waiting_for_projection": lambda: links.waiting_for_projection(s, "app", ["p1"]),
        "affected": lambda: limits.affected(s, 9, "app", ["update"], NOW - HOUR),
        "cleared": lambda: limits.cleared(s, 9, "app", NOW - HOUR),
        "vanished": lambda: limits.vanished(s, 9, "app"),
        "hold": lambda: verdicts.hold(s, 9, "app", ["update"], "limit", "x"),
        "hold_rows": lambda: verdicts.hold_rows(s, [row.seq], "limit", "x"),
        "drop_unsent": lambda: verdicts.drop_unsent(s, 9, "app"),
        "hold_asked": lambda: verdicts.hold_asked(s, 9, "app"),
        "recovered": lambda: journal.recovered(s, row.seq, 9),
        "linked_accounts": lambda: links.linked_accounts(s, "app", ["a1", "a2"]),
        "pass_rest": lambda: verdicts.pass_rest(s, 9, "app"),
        "in_state": lambda: journal.in_state(s, 9, "app", "planned", 0),
        "changes": lambda: list(journal.changes(s, 9)),
        "tally": lambda: journal.tally(s, 9, "app"),
        "applied": lambda: journal.applied(s, 9, "app"),
        "requests": lambda: journal.requests(s, 9, "app"),
        "intend": lambda: journal.intend(s, row, 1, True, "POST", token["app"], NOW),
        "mark_doubt": lambda: journal.mark_doubt(s, Intent(1, row, 1, "x"), "x", NOW, NOW),
        "settle_step": lambda: journal.settle_step(s, Intent(1, row, 1, "x"), "applied", None, NOW),
        "settle_change": lambda: journal.settle_change(s, row, "applied", None, NOW),
        "append": lambda: chain.append(s, [Event(chain.OBSERVED, "app", {}, "p1")], NOW),
        "history of one": lambda: list(history.entries(s, Part(identity="p1"))),
        "history of a run": lambda: list(history.entries(s, Part(run=9))),
        "history since": lambda: list(history.entries(s, Part(since=NOW + HOUR))),
        "written": lambda: reverting.written(s, 9),
        "begin": lambda: reverting.begin(s, row),
        "stands": lambda: reverting.stands(s, row),
        "vanish": lambda: nameless.vanish(s, [1, 2], NOW),
        "open_steps": lambda: journal.open_steps(s, "app"),
        "skip": lambda: verdicts.skip(s, 9, "app", "x", NOW),
        "state_of": lambda: journal.state_of(s, 9, "z"),
        "first_reason": lambda: journal.first_reason(s, 9, "app"),
        "given": lambda: words.given(s, "app", ["p1"]),
        "refused words": lambda: words.refused(s, "app", ["p1"]),
        "owner": lambda: words.owner(s, "app", 1),
        "give": lambda: words.give(s, "app", 1, "p1", NOW),
        "take": lambda: words.take(s, "app", 1, "p1", NOW),
        "accounts": lambda: answers.accounts(s, "app", "u1", "u1"),
        "accounts beginning": lambda: answers.accounts_beginning(s, "app", "u1", "u1"),
        "adoptions": lambda: journal.adoptions(s, 9, "app"),
        "refresh": lambda: waiting.refresh(s, 9, "app", NOW),
        "flaw": lambda: waiting.flaw(s, 9, "app", [{"where": "x", "reason": "x", "id": None}], NOW),
        "released": lambda: waiting.released(s, "app", ["h"], NOW),
        "release": lambda: waiting.release(s, [1], NOW),
        "refuse": lambda: waiting.refuse(s, [1]),
        "answered": lambda: waiting.answered(s, 9, "app", ["h", "z"]),
        "containers in vain": lambda: waiting.in_vain(s, {**change(9, "v", ""), "object": "tenant", "reason": "x"}, NOW),
        "take_back": lambda: waiting.take_back(s, [1]),
        "let_go": lambda: waiting.let_go(s, 9, "app", "limit", ["update"], NOW),
        "attach": lambda: outcomes.attach(s, "app", "p1", 1, NOW),
        "detach": lambda: outcomes.detach(s, "app", "p1", 1, NOW),
        "wrote": lambda: outcomes.wrote(s, "app", "p1", None),
        "took": lambda: outcomes.took(s, "app", "p1"),
        "wrote_lately": lambda: outcomes.wrote_lately(s, "app", ["p1"], NOW),
        "in_vain": lambda: outcomes.in_vain(s, "app", "p1", "x"),
        "refused": lambda: outcomes.refused(s, "app", "p1", "x", NOW),
        "doubt": lambda: outcomes.doubt(s, "app", "p1", None),
        "fence": lambda: lease.fence(s, "app", token["app"], NOW),
        "row": lambda: connections.row(s, "app"),
        "held": lambda: answers.held(s, 9),
        "held_for": lambda: list(answers.held_for(s, 9, group, 10)),
        "changes of one kind": lambda: list(journal.changes(s, 9, "app", "update")),
        "ended": lambda: journal.ended(s, 9, "app", "skipped", 10),
        "outstanding": lambda: links.outstanding(s, "app", "p1"),
        "link_ids": lambda: plan_files.link_ids(s, "app", ["p1"]),
        "plan applied": lambda: plan_files.applied(s, "x"),
        "ref": lambda: staging.ref(s, "app", "a1"),
        "shape": lambda: answers.shape(s, 9),
        "sightings": lambda: about.sightings(s, "p1"),
        "account": lambda: about.account(s, 1),
        "account_called": lambda: about.account_called(s, "app", "a1"),
        "keys": lambda: about.keys(s, 1),
        "link": lambda: about.link(s, "app", "p1"),
        "changes of somebody": lambda: about.changes(s, "app", "p1", 20),
        "first_change": lambda: about.first_change(s, "app", "p1"),
        "steps": lambda: about.steps(s, [row.seq]),
        "waits": lambda: about.waits(s, "app", "p1", ["h"]),
        "words": lambda: about.words(s, "app", "p1"),
        "journal": lambda: about.journal(s, "p1"),
        "wanting": lambda: answering.wanting(s, "app", "k"),
        "some": lambda: census.some(s, ["email"], Block(2, 4), ("x", 1), 3),
    }


@ONLY_SQLITE
def test_every_question_about_few_is_answered_by_index(filled: Store) -> None:
    slow = {name: [plan for plan in plans(filled, ask) if SLOW.search(plan)] for name, ask in questions(filled).items()}
    assert {name: found for name, found in slow.items() if found} == {}


@ONLY_SQLITE
def test_what_is_asked_every_cycle_finds_it_within_one_index(filled: Store) -> None:
    asked: dict[str, tuple[Callable[[], object], str]] = {
        "known and linked": (lambda: links.counts(filled, "app"), r"USING COVERING INDEX (account_by_place|link_holding|link_by_account) "),
        "owned": (lambda: links.owned(filled, "app"), "USING COVERING INDEX link_holding "),
        "states": (lambda: links.states(filled, "app"), "USING COVERING INDEX link_apart "),
        "wrote lately": (lambda: outcomes.wrote_lately(filled, "app", ["p1"], NOW), "USING INDEX change_updated "),
        "kept by a person": (lambda: waiting.kept_by_person(filled, "app"), "USING INDEX link_refused "),
    }
    for name, (ask, index) in asked.items():
        few = [plan for plan in plans(filled, ask) if not re.search("account_ignored|link_by_account|SUBQUERY|json_each", plan)]
        assert few and all(re.search(index, plan) for plan in few), name


@ONLY_SQLITE
def test_what_is_streamed_is_not_sorted_again_for_every_block(filled: Store) -> None:
    asked = questions(filled)
    for name in ("changes", "changes of one kind", "present", "ledger", "in_state", "dirty", "out_of_step"):
        assert not [plan for plan in plans(filled, asked[name]) if "TEMP B-TREE" in plan], name


@ONLY_SQLITE
def test_a_whole_table_read_would_be_noticed(filled: Store) -> None:
    stage(filled, "chat", "x")
    people(filled, "q")
    for ask in (lambda: answers.living(filled), lambda: identities.all_ids(filled, ""), lambda: identities.mark_all(filled, "app")):
        assert any("identity" in plan for plan in plans(filled, ask))
    assert any(SLOW.search(plan) for plan in plans(filled, lambda: answers.living(filled)))
