"""`syncd status`: first a sentence, then how each connection stands; from the store alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from syncd.cli import documents
from syncd.cli.freshness import freshness
from syncd.cli.printer import BOLD, DIM, Styled
from syncd.cli.text import count, listed, table
from syncd.daemon import due
from syncd.model import Connection, Landscape
from syncd.settings import Settings
from syncd.store import Store, answers, connections, duty, links, pauses, presence

WAITS = ("held", "in_doubt", "quarantined", "rejected")


def document(store: Store, settings: Settings, now: datetime) -> dict[str, Any]:
    """A next run is promised only while a daemon is at work."""
    landscape = settings.landscape
    turns = due.turns(store, settings, duty.known(store), now, {}) if presence.anyone(store, now) else {}
    states = [documents.state(store, one, now, turns.get(one.name)) for one in landscape.connections]
    summary = " ".join([_summary(store, landscape, states), *_pauses(store, landscape, now), *_refusing(store, now)])
    return documents.status(summary, answers.living(store), states)


def lines(document: Mapping[str, Any], now: datetime) -> Iterator[str | Styled]:
    yield document["summary"], BOLD
    yield ""
    waits = [name for name in WAITS if any(one[name] for one in document["connections"])]
    heads = ["CONNECTION", "ACCOUNTS", "LINKED", *(name.upper().replace("_", " ") for name in waits), "READ"]
    rows = [
        [one["name"], f"{one['accounts']:,}", f"{one['links']:,}", *(f"{one[name]:,}" for name in waits), freshness(one, now)]
        for one in document["connections"]
    ]
    yield from table([heads, *rows])
    if not any(one["next_run"] for one in document["connections"]):
        yield "No daemon is at work (syncd run): connections are read when you, or cron, say `syncd sync`.", DIM


def _summary(store: Store, landscape: Landscape, states: Sequence[Mapping[str, Any]]) -> str:
    """``All 2 in step; nothing waits for you.``"""
    if all(one["last_delta"] is None for one in states):
        return "Nothing has been read yet. Next: syncd plan"
    standing = {one.name: _standing(store, one, state) for one, state in zip(landscape.connections, states, strict=True)}
    steps = sum(in_step for in_step, _ in standing.values())
    waits = [(name.replace("_", " "), sum(one[name] for one in states)) for name in WAITS]
    waiting = listed([f"{number:,} {name}" for name, number in waits if number])
    told = [f"All {steps} in step" if steps == len(states) else f"{steps} of {len(states)} in step"]
    told.append(f"{waiting} for you (syncd pending)" if waiting else "nothing waits for you")
    return "; ".join([*told, *(f"{name}: {why}" for name, (_, why) in standing.items() if why)]) + "."


def _pauses(store: Store, landscape: Landscape, now: datetime) -> list[str]:
    """Each pause once, whether it holds at one target or everywhere."""
    rows = {row.connection: row for one in landscape.connections if one.write is not None and (row := pauses.at(store, one.name, now))}
    return [f"{name or 'Everything'} is {pauses.told(row)}." for name, row in rows.items()]


def _refusing(store: Store, now: datetime) -> list[str]:
    told = "refused its configuration when it was last reloaded and works by the one before: its log says why; mend it and reload (SIGHUP)."
    return [f"The daemon {name} {told}" for name in presence.refusing(store, now)]


def _standing(store: Store, one: Connection, state: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether a connection is in step; and why it is not, where that is not said by what waits."""
    known = connections.row(store, one.name)
    if known is None or known.last_delta is None:
        return False, "not read yet"
    if known.error or not known.complete:
        return False, str(known.error or known.defect)
    if any(state[name] for name in WAITS):
        return False, ""
    unsent = links.count_out_of_step(store, one.name) if one.write is not None else 0
    return not unsent, f"{count(unsent, 'change is', 'changes are')} not sent yet: syncd sync" if unsent else ""
