"""The directory against a naive model of it: whatever is added and removed, pages show each listed account once, in order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from syncd.sandbox.directory import Directory

SEEDED = 7


@dataclass
class Seeds:
    count: int = SEEDED

    def make(self, n: int) -> str:
        return f"seed{n}"

    def find(self, key: str) -> int | None:
        return next((n for n in range(1, self.count + 1) if self.make(n) == key), None)


class DirectoryMachine(RuleBasedStateMachine):
    """The model: keys that live, and, for listings, when each of them is first shown and last shown."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.directory: Directory[str] = Directory(Seeds(), lambda: self.time)
        self.directory.lag = 2.0
        self.living = [f"seed{n}" for n in range(1, SEEDED + 1)]
        self.shown = {key: (0.0, float("inf")) for key in self.living}

    @rule()
    def add(self) -> None:
        key = f"new{len(self.shown)}"
        self.directory.add(key, lambda n: key)
        self.living.append(key)
        self.shown[key] = (self.time + 2.0, float("inf"))

    @rule(which=st.integers(0))
    def remove(self, which: int) -> None:
        if not self.living:
            return
        key = self.living.pop(which % len(self.living))
        n = self.directory.find(key)
        assert n is not None
        self.directory.remove(n, key)
        self.shown[key] = (self.shown[key][0], self.time + 2.0)

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0]))
    def wait(self, seconds: float) -> None:
        self.time += seconds

    @rule(size=st.integers(1, 4))
    def walk(self, size: int) -> None:
        expected = [key for key, (since, until) in self.shown.items() if since <= self.time < until]
        pages = [self.directory.page(0, size)]
        while pages[-1].next is not None:
            pages.append(self.directory.page(pages[-1].next, size))
        assert [key for page in pages for key in page.records] == expected
        assert all(len(page.records) == size for page in pages[:-1])
        for before, page in pairwise(pages):
            assert page.previous == before.after

    @invariant()
    def truth_does_not_lag(self) -> None:
        assert list(self.directory) == self.living
        assert len(self.directory) == len(self.living)
        for key in self.shown:
            assert (self.directory.find(key) is not None) == (key in self.living)


TestDirectory = DirectoryMachine.TestCase
TestDirectory.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_what_is_gone_cannot_be_removed_again() -> None:
    directory = Directory(Seeds(), lambda: 0.0)
    directory.remove(3, "seed3")
    with pytest.raises(KeyError, match="seed3"):
        directory.remove(3, "seed3")


def test_a_page_costs_the_same_in_a_small_and_in_a_huge_directory() -> None:
    """Counted in accounts made, not in time."""

    class Counting(Seeds):
        made = 0

        def make(self, n: int) -> str:
            self.made += 1
            return super().make(n)

    seeds = Counting(1_000_000)
    page = Directory(seeds, lambda: 0.0).page(700_000, 50)
    assert page.records[0] == "seed700001"
    assert seeds.made <= 50
