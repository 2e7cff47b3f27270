"""What a person is told: that something waits for them, once until it is over; counts and commands, never who it is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from syncd.daemon.posting import Post
from syncd.environment import Environment, instant
from syncd.settings import Settings
from syncd.store import Store, duty, told, waiting

WORDS = {
    "held": ("{n} held for you", "syncd held list"),
    "in_doubt": ("{n} in doubt: sent, and no answer came", "syncd pending"),
    "quarantined": ("{n} quarantined after failing repeatedly", "syncd pending"),
    "failed": ("failing", "syncd status"),
    "credentials": ("its credentials are refused, it is suspended", "syncd check"),
    "stale": ("not read for {n} minutes", "syncd status"),
}
"""Topic -> what is said of it, and the command to paste."""
STALE = 6
"""Readings that were due and did not come, and an hour at least."""


@dataclass(frozen=True)
class Message:
    """``event``: a topic, or ``recovered``. ``count``: of what there is to count, else 0."""

    event: str
    instance: str
    connection: str
    text: str
    command: str
    count: int = 0


class Notices:
    """What was told is remembered by the store, so that a restart does not repeat it."""

    def __init__(self, store: Store, environment: Environment, post: Post) -> None:
        self._store, self._environment, self._post = store, environment, post
        self._unauthorized: set[str] = set()

    def review(self, settings: Settings, unauthorized: Collection[str] = ()) -> None:
        """Compare how everything stands with what was told, and tell the difference. ``unauthorized``: whose credentials were just
        refused."""
        self._unauthorized.update(unauthorized)
        before = told.topics(self._store)
        now = {one.name: self._topics(settings, one.name) for one in settings.landscape.connections} if settings.notify else {}
        for name in sorted({*before, *now}):
            self._tell(settings, name, before.get(name, ()), now.get(name, {}))
        after = {name: sorted(topics) for name, topics in now.items() if topics}
        if after != before:
            told.remember(self._store, after)

    def _topics(self, settings: Settings, name: str) -> dict[str, int]:
        """Topic -> its count, for all that stands so now."""
        row, waits = duty.known(self._store).get(name), waiting.count(self._store, name)
        if row is None or not row.failures:
            self._unauthorized.discard(name)
        stale = self._stale(settings, name, row)
        found = {topic: waits.get(topic, 0) for topic in ("held", "in_doubt", "quarantined")}
        found["credentials"] = int(name in self._unauthorized)
        # one run that could not use it is not yet worth a word
        found["failed"] = int(row is not None and bool(row.error) and row.failures != 1 and not found["credentials"])
        found["stale"] = stale
        return {topic: number for topic, number in found.items() if number}

    def _stale(self, settings: Settings, name: str, row: Any) -> int:
        """Minutes since the last reading, when they are too many."""
        if row is None or row.last_delta is None:
            return 0
        age = self._environment.now() - instant(row.last_delta)
        return int(age.total_seconds() // 60) if age > max(STALE * settings.schedules[name].every, timedelta(hours=1)) else 0

    def _tell(self, settings: Settings, name: str, before: Sequence[str], now: Mapping[str, int]) -> None:
        messages = [_message(settings, name, topic, number) for topic, number in now.items() if topic not in before]
        over = [topic for topic in before if topic not in now]
        for notice in settings.notify:
            for message in messages:
                if message.event in notice.on:
                    self._post(notice, message)
            mine = [topic for topic in over if topic in notice.on]
            if mine and "recovered" in notice.on:
                self._post(notice, _recovered(settings, name, mine))


def _message(settings: Settings, name: str, topic: str, number: int) -> Message:
    words, command = WORDS[topic]
    return Message(topic, settings.landscape.instance, name, f"{name}: {words.format(n=number)}", command, number)


def _recovered(settings: Settings, name: str, topics: Sequence[str]) -> Message:
    named = ", ".join(topic.replace("_", " ") for topic in topics)
    return Message("recovered", settings.landscape.instance, name, f"{name}: recovered ({named})", "syncd status")
