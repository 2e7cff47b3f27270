"""A world in which anything may happen in any order, and what must hold whatever does: everything is checked where it happens, against
what the directory itself carried out."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from syncd.cli import cures, doubts, explaining, forgetting, history_view, links_said, people, people_united, quarantined, releasing
from syncd.cli.alone import decided
from syncd.cli.exits import Failed
from syncd.cli.past_view import PastView
from syncd.cli.stranger_view import StrangerView
from syncd.connectors.memory import MemoryConnector
from syncd.core.correlation import identity_id
from syncd.engine.context import Context
from syncd.engine.explain import explain
from syncd.engine.narrowing import Narrowing
from syncd.engine.past import earliest, past
from syncd.engine.planning import Plan
from syncd.engine.reverting import Draft, revert
from syncd.engine.saved import Saved
from syncd.engine.stranger import stranger
from syncd.errors import InDoubt, Outdated, Quarantined, Rejected, Retryable, SyncdError
from syncd.model import LEAVING, Account, Effort, Hold, Kind, Step
from syncd.store import backups, chain, connections, entries, erasing, identities, pauses, quarantine, restoring, reverting, waiting
from syncd.store.history import Part
from syncd.store.history import entries as entries_of
from tests import stores
from tests.engine.files import saved
from tests.engine.test_crash_points import POINTS, Crash, Mortal
from tests.engine.worlds import source, target, write
from tests.world import LIMITS, World, person

PEOPLE, MORE = (1, 2, 3, 4, 5), (3, 6, 7)
"""Who may be in the first people file and in the second; 3 in both, under another number."""
SCOPES = (None, 'department != "y"')
Do = Callable[[], Any]
STILL = frozenset({"sync", "planned", "hold", "rest", "revert", "pause", "backup", "fault", "refuse", "lose"})
"""Steps by which neither side moves; what a crash, or a part of a run, leaves does."""


class Watched(MemoryConnector):
    """Looks at every write at the moment when it is carried out."""

    stories: ClassVar[dict[str, Story]] = {}

    async def perform(self, step: Step) -> Account | None:
        story = self.stories[self._options.directory]
        story.before(step)
        known = set(self.directory.accounts)
        try:
            return await super().perform(step)
        finally:
            for id in set(self.directory.accounts) - known:
                story.made[id] = step.change.identity


@dataclass
class Told:
    """What a person said and the store knows; a backup keeps it, and a restore brings it back. ``kept``: (identity, account) that are
    nobody's; ``one``: identity -> the one it was merged into."""

    kept: set[tuple[str, str]] = field(default_factory=set)
    one: dict[str, str] = field(default_factory=dict)


@dataclass
class Story:
    """``made``: account -> the identity for whom it was made. ``held``: change id -> why it waits, in the run at work. ``files``: saved
    plans, with the epoch and the rules they were made under. ``copies``: backups, with what was said until then. ``noes``: to whom nothing
    may be done, for a person said no and nothing moved since; ``calm``: nothing did since everything was read."""

    world: World
    random: Random
    rows: dict[int, dict[str, str]] = field(default_factory=dict)
    more: dict[int, dict[str, str]] = field(default_factory=dict)
    told: Told = field(default_factory=Told)
    made: dict[str, str] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    files: list[tuple[Saved, int, Any]] = field(default_factory=list)
    copies: list[tuple[Path, Told]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    plan: Plan | None = None
    reverting: bool = False
    noes: set[str] = field(default_factory=set)
    calm: bool = False

    def __post_init__(self) -> None:
        w = self.world
        Watched.stories[str(w.root)] = self
        w.memory = Watched
        w.extra = [source(w, "more")]
        w.precedence = {"phone": ("app", "people", "more")}
        self.canaries = [w.directory.add("c1", userName="canary"), w.directory.add("c2", userName="c2", meta={"externalId": "e77"})]
        self.before_all = {id: copy.deepcopy(w.directory.accounts[id]) for id in self.canaries}
        for number in PEOPLE:
            self.rows[number] = person(number, title="x")
        for number in MORE:
            self.more[number] = self._elsewhere(number)
        self.save()

    # ---- what is true ----

    @staticmethod
    def _elsewhere(number: int) -> dict[str, str]:
        return {**person(number, title="x"), "employeeNumber": f"m{number}"}

    def root(self, identity: str) -> str:
        while identity in self.told.one:
            identity = self.told.one[identity]
        return identity

    def rows_of(self, identity: str) -> list[dict[str, str]]:
        """The rows that make this person now, by the number each bears or by the names that the store has learned."""
        at = {identity_id("default", "people", row["employeeNumber"]): row for row in self.rows.values()}
        at |= {identity_id("default", "more", row["employeeNumber"]): row for row in self.more.values()}
        answers = {row.key: row.identity for row in self.world.store.rows("SELECT key, identity FROM identity_key WHERE attribute = '@id'")}
        return [row for id, row in at.items() if self.root(id) == identity or answers.get(id) == identity]

    def before(self, step: Step) -> None:
        """What no write may break."""
        change, w = step.change, self.world
        who, account = self.root(change.identity), change.account
        said = f"{step.method} {change.kind} {change.who} {account} {dict(step.body or {})} ({change.reason})"
        self.log.append(f"    -> {said}")
        now = w.clock.now()
        assert pauses.at(w.store, "app", now) is None, f"written while paused: {said}"
        assert account not in self.canaries, f"a stranger: {said}"
        assert not change.identity.startswith("forgotten-"), f"nobody's: {said}"
        assert (change.identity, account) not in self.told.kept, f"unlinked: {said}"
        assert change.id not in self.held, f"held ({self.held.get(change.id)}): {said}"
        assert self.reverting or change.identity not in self.noes, f"a person said no: {said}"
        row = w.store.one("SELECT * FROM change WHERE id = :id ORDER BY seq DESC LIMIT 1", id=change.id)
        assert row is not None and row.state in ("passed", "sent"), f"not journalled as passed: {said}: {row}"
        if step.method == "create":
            there = {id for id, one in self.made.items() if id in w.directory.accounts and self.root(one) == who}
            there -= {row.account for row in self._links() if row.identity != change.identity}
            if row.replaces is not None:  # they had another one beside those that were taken from them
                there -= {account for identity, account in self.told.kept if identity == who}
            assert not there, f"made twice ({there}): {said}"
        elif change.kind != Kind.ADOPT:
            owned = w.store.value(
                "SELECT owned FROM link AS l JOIN account AS a ON a.id = l.account_id WHERE a.account = :a AND a.connection = 'app'"
                " AND l.identity = :i", a=account, i=change.identity,
            )  # fmt: skip
            assert owned, f"not owned: {said}"
        self._ends(step, row, said)

    def _links(self) -> Any:
        text = "SELECT l.identity, a.account FROM link AS l JOIN account AS a ON a.id = l.account_id AND a.gone_at IS NULL"
        return self.world.store.rows(text)

    def _ends(self, step: Step, row: Any, said: str) -> None:
        """What a source shows of somebody ends no account of theirs, but by a value that says so."""
        rows, target = self.rows_of(step.change.identity), self.world.target
        outside = target is not None and target.scope is not None and any(one.get("department") == "y" for one in rows)
        if step.method == "delete" and row.replaces is None:
            replaced = self.world.store.one("SELECT 1 FROM change WHERE replaces = :id", id=row.id) is not None
            assert replaced or not rows or outside, f"entitled: {said}"
        elif step.change.kind == Kind.DISABLE and row.reverts is None:
            assert not rows or outside or any(one.get("active") == "no" for one in rows), f"entitled: {said}"

    # ---- what happens outside ----

    def save(self) -> None:
        self.world.write(list(self.rows.values()))
        write(self.world, "more", list(self.more.values()))

    def edit(self, what: str = "") -> str:
        r = self.random
        which, numbers = r.choice([(self.rows, PEOPLE), (self.rows, PEOPLE), (self.more, MORE)])
        number = r.choice(numbers)
        what = what or r.choice(["arrive", "leave", "leave", "leave", "phone", "title", "department", "active", "mail", "name"])
        if what == "arrive" or number not in which:
            which[number] = person(number, title="x") if which is self.rows else self._elsewhere(number)
        elif what == "leave":
            del which[number]
        else:
            value = r.choice(["", "x", "y"])
            changed = {
                "active": {"active": "no" if value else ""}, "mail": {"email": f"{value or 'p'}{number}@corp.example"},
                "name": {"name": f"Person {number}{value}"},
            }.get(what, {what: value})  # fmt: skip
            which[number] = {**which[number], **changed}
        self.save()
        return f"{what} {number}"

    def outside(self) -> str:
        """Somebody else at the directory; a stranger of the same name may come, too."""
        w, r = self.world, self.random
        ids = [id for id in w.directory.accounts if id not in self.canaries]
        what = r.choice(["phone", "name", "active", "destroy", "destroy", "add"])
        if what == "add" or not ids:
            number = r.choice((*PEOPLE, *MORE))
            if all(one.get("userName") != f"p{number}@corp.example" for one in w.directory.accounts.values()):
                w.directory.add(None, userName=f"p{number}@corp.example", displayName="Somebody")
            return f"add {number}"
        id = r.choice(ids)
        if what == "destroy":
            del w.directory.accounts[id]
        elif what == "active":
            w.directory.accounts[id] = {**w.directory.accounts[id], "active": r.random() < 0.5}
        else:
            w.directory.accounts[id] = {**w.directory.accounts[id], {"phone": "phone", "name": "displayName"}[what]: r.choice("789")}
        return f"{what} {id}"

    def scope(self) -> str:
        now = self.random.choice(SCOPES)
        assert self.world.target is not None
        self.world.target = replace(self.world.target, scope=now)
        return f"scope {now}"

    def fault(self) -> str:
        r, directory = self.random, self.world.directory
        what = r.choice(["create", "create", "update", "delete", "find", "list", "fetch"])
        if what in ("list", "find", "fetch"):
            error: Any = r.choice([Retryable("503"), Rejected("400"), Quarantined("401")])
            directory.fail_next(what, error)
            return f"{what} {error}"
        after = r.random() < 0.5
        error = r.choice([InDoubt("lost"), InDoubt("lost"), Rejected("422"), Rejected("422")])
        directory.fail_next(what, error, after=after and isinstance(error, InDoubt))
        return f"{what} {error} {after}"

    def wait(self) -> str:
        long = self.random.choice(
            [timedelta(minutes=1), timedelta(minutes=20), timedelta(hours=3), timedelta(days=1, hours=1), timedelta(days=8)]
        )
        self.world.clock.pass_time(long)
        return f"wait {long}"

    # ---- runs ----

    async def sync(self) -> str:
        return await self._cycle(yes=True, full=self.random.random() < 0.3)

    async def some(self) -> str:
        known = identities.all_ids(self.world.store, "")
        who = {self.random.choice(known)} if known else set()
        return await self._cycle(yes=True, narrowing=Narrowing(lambda: who) if self.random.random() < 0.7 else Narrowing(None, 1))

    async def planned(self) -> str:
        said = await self._cycle("plan")
        if self.plan is not None:
            await self._agrees(self.plan)
            epoch = self.world.store.epoch
            self.files.append((saved(self.plan), epoch, self.world.target))
        return said

    async def apply(self) -> str:
        if not self.files:
            return "no file"
        file, epoch, rules = self.files[-self.random.choice([1, 1, min(2, len(self.files))])]
        if (epoch, rules) != (self.world.store.epoch, self.world.target):
            return "void file"
        return await self._cycle("apply", yes=True, plan_file=file, selection=list(file.settled))

    async def crash(self) -> str:
        """Any run, that dies somewhere."""
        w, survivor = self.world, self.world.clock
        mortal = Mortal(self.random.choice(POINTS), self.random.choice([1, 1, 2, 3]))
        mortal.at, mortal.elapsed = survivor.at, survivor.elapsed
        w.clock = mortal
        before = asyncio.all_tasks()
        try:
            return f"{mortal.point}: " + await self.random.choice([self.sync, self.sync, self.some, self.apply, self.revert])()
        except Crash:
            return f"died at {mortal.point}"
        finally:
            left = asyncio.all_tasks() - before
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            survivor.at, survivor.elapsed = mortal.at, mortal.elapsed
            w.clock = survivor
            w.close()
            w.open()

    async def _cycle(self, mode: str = "delta", **options: Any) -> str:
        w = self.world
        self.plan, self.held = None, {}
        w.clock.pass_time(timedelta(minutes=1))

        def look() -> None:
            run = w.store.value("SELECT MAX(id) FROM run")
            rows = w.store.rows("SELECT id, hold, kind, held FROM change WHERE run = :run AND state = 'held'", run=run)
            self.held = {row.id: row.held for row in rows if row.hold != Hold.FIRST_CONTACT or row.kind in LEAVING}

        try:
            report, self.plan = await w.run(mode, meanwhile=look, **options)
        except Outdated as error:
            return str(error).splitlines()[0]
        finally:
            self.held = {}
        self.report = report
        return f"{mode} {[(one.name, dict(one.applied), one.held, one.error) for one in report.results if one.name == 'app']}"

    async def revert(self) -> str:
        w = self.world
        runs = [row.run for row in w.store.rows("SELECT DISTINCT run FROM change WHERE state = 'applied'")]
        if not runs:
            return "nothing to revert"
        run = self.random.choice(runs)
        if not reverting.written(w.store, run):
            return "nothing written"
        landscape, drafts = w.landscape(), list[Draft]()

        async def yes(draft: Draft) -> bool:
            drafts.append(draft)
            return True

        w.clock.pass_time(timedelta(minutes=1))
        self.reverting = True
        try:
            report = await revert(w.clock, landscape, w.connected(landscape, writable=True), w.store, run, yes)
        finally:
            self.reverting = False
        assert not [row for draft in drafts for row in draft.rows if row["kind"] == "delete"]
        if report is not None:
            done = w.store.rows("SELECT identity FROM change WHERE run = :run AND state = 'applied'", run=report.run)
            self._no(row.identity for row in done)
        done = None if report is None else [dict(one.applied) for one in report.results]
        return f"revert {run}: {done} stays {[why for one in drafts for _, _, why in one.stays]}"

    def _no(self, whose: Iterable[str]) -> None:
        if self.calm:
            self.noes.update(whose)

    # ---- what people say ----

    @property
    def hand(self) -> Any:
        """A person at the keyboard, as commands know one."""
        w = self.world
        return SimpleNamespace(settings=SimpleNamespace(landscape=w.landscape(), world=w), environment=w.clock)

    def _anybody(self) -> str:
        """Now and then one of whom it is not known whether they were given an account."""
        doubtful = [row.identity for row in self.world.store.rows("SELECT identity FROM link WHERE doubt IS NOT NULL")]
        if doubtful and self.random.random() < 0.5:
            return str(self.random.choice(doubtful))
        return self.random.choice(identities.all_ids(self.world.store, "") or ["nobody"])

    def link(self) -> str:
        account, who = self.random.choice([*self.world.directory.accounts, "m1"]), self._anybody()
        if account in self.canaries:
            return "leave that be"
        said = links_said.link(self.hand, self.world.store, "app", account, who)
        self.told.kept.discard((said.identity, said.account))
        return f"link {account} {who}"

    def unlink(self) -> str:
        account = self.random.choice([*self.world.directory.accounts, "m1"])
        said = links_said.unlink(self.hand, self.world.store, "app", account)
        self.told.kept.add((said.identity, said.account))
        return f"unlink {account} of {said.identity}"

    async def merge(self) -> str:
        one, other = self._anybody(), self._anybody()
        made = await people_united.merge(self.hand, self.world.store, one, other)
        self.told.one[made.other[0]] = made.one[0]
        for pair in list(self.told.kept):
            if pair[0] == made.other[0]:
                self.told.kept.discard(pair)
        self.told.kept |= {(made.one[0], account) for _, account in made.united.released}
        return f"merge {one} {other}: {made.united}"

    async def resolve(self) -> str:
        rows = waiting.listing(self.world.store, state="in_doubt")
        if not rows:
            return "nothing in doubt"
        row = self.random.choice(rows)
        there = [id for id, one in self.world.directory.accounts.items() if one.get("userName") == row.who]
        await doubts.settle(self.hand, self.world.store, row.id, there[0] if there else None)
        return f"resolve {row.who} {there}"

    def hold(self) -> str:
        """`held release` or `held reject` of all that a run holds, as the commands do it."""
        store, now = self.world.store, self.world.clock.now()
        runs = sorted({row.run for row in store.rows("SELECT run FROM pending WHERE state IN ('held', 'kept')")})
        if not runs:
            return "nothing held"
        run, no = self.random.choice(runs), self.random.random() < 0.3
        if no:
            rows = waiting.of_run(store, run)
            waiting.refuse(store, [row.id for row in rows])
            self._no(row.identity for row in rows if row.hold != Hold.REHIRE)
            entries.decided(store, f"held reject {run}", rows, now)
            return f"reject {run}: {len(rows)}"
        going, staying = releasing.divided(waiting.of_run(store, run, kept=True))
        self.noes = set()
        waiting.take_back(store, [row.id for row in staying])
        waiting.release(store, [row.id for row in going], now)
        entries.decided(store, f"held release {run}", going, now)
        return f"release {run}: {len(going)}"

    def rest(self) -> str:
        rows = waiting.listing(self.world.store, state="quarantined")
        word = self.random.choice(["retry", "drop"])
        if not rows:
            return "nothing quarantined"
        with quarantined.said(self.hand, self.world.store, word, rows):
            (quarantine.drop if word == "drop" else quarantine.wake)(self.world.store, [row.id for row in rows])
        if word == "drop":
            self._no(row.identity for row in rows)
        return f"{word} {[row.who for row in rows]}"

    def forget(self) -> str:
        store = self.world.store
        gone = [row.id for row in store.rows("SELECT id FROM identity WHERE live = 'departed'")]
        if not gone:
            return "nobody departed"
        who = self.random.choice(gone)
        forgetting.allow(store, who, who)
        with decided(self.hand, store, connections.known(store)):
            done = erasing.erase(store, who, self.world.clock.now())
        erasing.clear(store)
        self.told.one = {other: one for other, one in self.told.one.items() if self.root(other) != who}
        self.told.kept = {pair for pair in self.told.kept if pair[0] != who}
        return f"forget {who}: {done}"

    def pause(self) -> str:
        w, where = self.world, self.random.choice(["app", ""])
        if self.random.random() < 0.7 and pauses.at(w.store, "app", w.clock.now()) is not None:
            return f"resume {[pauses.resume(w.store, one, w.clock.now(), {'command': 'resume'}) for one in ('app', '')]}"
        until = self.random.choice([w.clock.now() + timedelta(minutes=5), w.clock.now() + timedelta(hours=1)])
        pauses.pause(w.store, where, "because", until, w.clock.now(), {"command": "pause"})
        return f"pause {where!r} {until}"

    def backup(self) -> str:
        file = self.world.root / f"backup{len(self.copies)}.db"
        backups.backup(stores.url(self.world.root), file, Effort("", ""))
        self.copies.append((file, copy.deepcopy(self.told)))
        return file.name

    def restore(self) -> str:
        if not self.copies:
            return "no backup"
        file, told = self.random.choice(self.copies)
        w = self.world
        w.close()
        try:
            restoring.restore(stores.url(w.root), "default", file, {"command": "restore"}, w.clock.now(), w.lease, Effort("", ""))
        finally:
            w.open()
        self.told = copy.deepcopy(told)
        return f"restore {file.name}"

    # ---- what holds after each step ----

    async def check(self) -> None:
        w, store = self.world, self.world.store
        if self._seen_rules():
            found = w.verify()
            assert not found, f"verify: {found}"
        else:
            assert list(chain.broken(store)) == []
        rows, now = waiting.listing(store), w.clock.now()
        names = people.about(store, rows)
        for row in rows:
            told = [*cures.commands(row, now, names), cures.words(row, now)]
            assert told[0].startswith("syncd "), row
        assert {id: w.directory.accounts.get(id) for id in self.canaries} == self.before_all
        linked = store.rows("SELECT account_id FROM link WHERE account_id IS NOT NULL GROUP BY account_id HAVING COUNT(*) > 1")
        assert not linked, "an account of two people"
        for table in ("link", "dirty", "word", "identity_key"):
            orphans = store.rows(f"SELECT identity FROM {table} WHERE identity NOT IN (SELECT id FROM identity)")
            assert not orphans, f"{table} of nobody: {orphans}"
        await self._explains()

    def _context(self) -> Context:
        landscape = self.world.landscape()
        names = [one.name for one in landscape.connections]
        return Context(self.world.clock, self.world.store, landscape, self.world.connected(landscape, writable=False), names, offline=True)

    def _seen_rules(self) -> bool:
        from syncd.engine import rules

        return not rules.unseen(self._context())

    async def _explains(self) -> None:
        """Two of all, so that many schedules can be played."""
        context, known = self._context(), identities.all_ids(self.world.store, "")
        for id in self.random.sample(known, min(2, len(known))):
            made = explaining.Explaining(await explain(context, id), self.world.clock.now(), whole=True)
            assert list(made.lines()) and made.document()
            list(history_view.lines(history_view.read(entries_of(self.world.store, Part(id)))))
            then, first = self.world.clock.now() - timedelta(minutes=10), earliest(context, id)
            if first is not None and first <= then:
                view = PastView(past(context, id, then))
                assert list(view.lines()) and view.document()
        for row in self.world.store.rows("SELECT account FROM account WHERE connection = 'app' AND gone_at IS NULL LIMIT 3"):
            if (nobody := await stranger(context, context.connected["app"], row.account)) is not None:
                assert list(StrangerView(nobody, "default").lines())

    async def _agrees(self, plan: Plan) -> None:
        """Whoever is planned for is explained so, and nobody else is."""
        run = self.world.store.value("SELECT MAX(id) FROM run")
        rows = self.world.store.rows("SELECT id, identity, state, kind, account FROM change WHERE run = :run AND object = 'user'", run=run)
        taken = {row.account for row in rows if row.kind == Kind.ADOPT}
        if any(one.error for one in self.report.results):
            return
        for id in identities.all_ids(self.world.store, ""):
            made = (await explain(self._context(), id)).targets[0]
            planned = {(row.id, row.state == "held") for row in rows if row.identity == id}
            if {one["account"] for one in made.decided} & taken:
                continue  # nobody ends an account that another takes over
            assert {(one["id"], one["state"] == "held") for one in made.decided} == planned, (id, planned, made)

    # ---- all of it ----

    def steps(self) -> list[tuple[int, Do]]:
        return [
            (10, self.edit), (4, self.outside), (1, self.scope), (3, self.fault), (4, self.wait), (10, self.sync), (2, self.some),
            (3, self.planned), (3, self.apply), (3, self.crash), (2, self.revert), (2, self.link), (2, self.unlink), (2, self.merge),
            (1, self.resolve), (6, self.hold), (1, self.rest), (3, self.forget), (1, self.pause), (1, self.backup), (1, self.restore),
        ]  # fmt: skip

    def stories(self) -> list[tuple[Do, ...]]:
        """What seldom comes about by itself: each step of it may meet what the one before left."""
        word = self.random.choice([self.merge, self.link, self.unlink, self.forget, self.revert, self.edit, self.outside, self.restore])
        return [
            (self.leave, self.sync, self.lose, self.arrive, self.sync, word, self.resolve, self.sync, word),
            (self.edit, self.edit, self.planned, word, self.apply),
            (self.planned, self.crash, self.apply, self.sync),
            (self.backup, self.edit, self.sync, word, self.sync, self.restore, self.sync, self.hold, self.sync),
            (self.edit, self.refuse, self.sync, self.refuse, self.sync, self.refuse, self.sync, self.rest, self.outside, self.sync),
            (self.leave, self.sync, self.hold, self.sync, self.forget, word, self.arrive, self.sync),
            (self.rename, self.sync, self.hold, self.planned, self.crash, self.sync),
            (self.edit, self.sync, self.revert, word, self.sync),
            (self.edit, self.sync, self.revert, self.sync, self.sync),
            (self.sync, self.edit, self.refuse, self.sync, self.refuse, self.sync, self.refuse, self.sync, self.rest, self.sync, self.sync),
        ]

    def arrive(self) -> str:
        return self.edit("arrive")

    def leave(self) -> str:
        return self.edit("leave")

    def rename(self) -> str:
        return self.edit("mail")

    def lose(self) -> str:
        self.world.directory.fail_next("create", InDoubt("lost"), after=self.random.random() < 0.5)
        return "the next create's answer"

    def refuse(self) -> str:
        for _ in range(2):
            self.world.directory.fail_next("update", Rejected("422"))
        return "the next two updates"

    async def play(self, length: int) -> None:
        weights, steps = zip(*self.steps(), strict=True)
        coming: list[Do] = [self.sync, self.hold, self.sync]
        for _ in range(length):
            if not coming:
                told = self.random.random() < 0.2
                coming = list(self.random.choice(self.stories()) if told else self.random.choices(steps, weights))
            await self._do(coming.pop(0))

    async def _do(self, step: Do) -> None:
        self.log.append(f"{self.world.clock.now():%d %H:%M} {step.__name__}")
        try:
            answer = step()
            said = answer if isinstance(answer, str) else await answer
        except (Failed, SyncdError) as error:
            said = f"refused: {str(error).splitlines()[0]}"
        self.log.append(f"    {said}")
        if step.__name__ not in STILL:
            self.noes, self.calm = set(), False
        elif step.__name__ == "sync":
            self.calm = not any(one.error for one in self.report.results)
        await self.check()

    async def settle(self) -> None:
        """When nobody disturbs any more: in step within three runs, and nothing is sent at rest."""
        w = self.world
        w.directory.calm()
        for one in ("app", ""):
            pauses.resume(w.store, one, w.clock.now(), {"command": "resume"})
        w.clock.pass_time(timedelta(days=9))
        for _ in range(3):
            self.log.append("settle")
            self.log.append(await self._cycle(yes=True, full=True))
            await self.check()
        sent = len(w.directory.log)
        self.log.append(await self._cycle(yes=True, full=True))
        assert len(w.directory.log) == sent, "still writing at rest"
        assert not self.report.failed, self.report
        assert not any(one.in_doubt for one in self.report.results), "in doubt for ever"
        await self.check()


def make(world: World, seed: int) -> Story:
    random = Random(seed)
    w = world
    w.limits = random.choice([{}, {}, LIMITS])
    w.target = target(
        random.choice(["delete", "disable", "keep"]), grace=random.choice([timedelta(0), timedelta(days=7)]),
        drift=random.choice(["repair", "repair", "report"]), on_key_change=random.choice(["keep", "hold", "replace"]),
        apply=random.choice(["auto", "auto", "auto", "review"]),
    )  # fmt: skip
    return Story(w, random)


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that need connections get those of the world."""

    @asynccontextmanager
    async def connected(settings: Any, environment: Any, *, writable: bool) -> Any:
        yield settings.world.connected(settings.landscape, writable=writable)

    for module in (people_united, doubts):
        monkeypatch.setattr(module, "connected", connected)
    monkeypatch.setattr("syncd.cli.wiring.selected", lambda settings, names: list(names))
