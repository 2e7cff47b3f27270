"""What a person can do about each thing that waits: the command to paste, and words where no command helps by itself."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from syncd.engine.guarding import CONSENTED
from syncd.environment import stamp
from syncd.model import FINAL, Hold
from syncd.store.waiting import RELEASE_LASTS

Names = Mapping[str, str]
"""Identity -> what a command takes for WHO (`people.typed`)."""
WORDS = {
    Hold.AMBIGUOUS: "say which it is with `syncd link`, or make their keys differ, at the provider or in the source",
    Hold.UNLINKED: "`syncd link` takes the no back",
    Hold.TAKEN: "correct the key in the source, or the account of the other person",
    Hold.IGNORED: "take the account off the ignore list, or the person out of the source",
    Hold.FOREIGN: "another instance of syncd owns the account: remove the person from one of the two; where its holder can write that"
    " marker, `syncd link` says whose it is",
    Hold.UNREAD: "see why the provider does not answer for this account; it is asked again in each run",
    Hold.NEVER: "say `adopt: matched` to take the account over, or delete it at the provider",
    Hold.COLLISION: "give these people different keys in the source",
    Hold.APPLY: "say `apply: auto` under `write` to have changes sent",
}
"""Why nothing but a change of the data or of the configuration helps, by hold."""
PATIENCE = timedelta(minutes=15)
"""For so long runs are left to settle a doubt by themselves."""
OFFERED = {
    Hold.UNTRUSTED: "link it if it is theirs (or let it go as its reason says: syncd held release {run}); if not: syncd held reject {run}",
    Hold.CONTRADICTED: "link it if it is theirs all the same; if not: syncd held reject {run}",
}
"""Where a release helps as well as a link, by hold."""
CHOSEN = frozenset({Hold.AMBIGUOUS, Hold.UNTRUSTED, Hold.CONTRADICTED, Hold.UNLINKED})
"""Holds that a person ends by saying whose the account is."""
REVIEWED = "review them and let them go (or save the plan, review that and send it: syncd plan --out FILE, syncd apply FILE)"
WAIT = "what ends an account waits until the first contact is over, and is decided anew then"
STATES = {
    "in_doubt": "the next run looks for the account and settles it; or you do: syncd pending resolve {id} --exists ACCOUNT, or --absent",
    "quarantined": "refused in three runs; it is tried again after a rest; `syncd quarantine drop` leaves it",
    "rejected": "correct the value in the source, the map in the configuration, or the account",
}


def releasable(row: Any) -> bool:
    """A release can send this held change (a row of pending). What ends an account never goes with a first contact."""
    if row.hold == Hold.FIRST_CONTACT:
        return row.kind in CONSENTED
    return row.hold not in FINAL and row.hold != Hold.APPLY


def let_go(row: Any, now: datetime) -> bool:
    """A person released it, and the release is still good."""
    return row.released_at is not None and row.released_at > stamp(now - RELEASE_LASTS)


def pasted(*words: str) -> str:
    """A command of ours as a shell takes it."""
    return shlex.join(["syncd", *words])


def commands(row: Any, now: datetime, names: Names) -> list[str]:
    """What to paste for one row of pending: one command, or one for each account between which a person chooses."""
    if row.state == "held" and row.hold in CHOSEN and not let_go(row, now):
        accounts = orjson.loads(row.choices) if row.choices else [row.account]
        return [pasted("link", "-c", row.connection, account, names[row.identity]) for account in accounts]
    return [_command(row, now, names)]


def _command(row: Any, now: datetime, names: Names) -> str:
    if row.state == "rejected":
        return "syncd plan"
    if row.state == "quarantined" and row.retry_at is not None and row.retry_at > stamp(now):
        return pasted("quarantine", "retry", names[row.identity])
    if _unsettled(row, now):
        return f"syncd pending resolve {row.id} --absent"
    if row.state != "held" or let_go(row, now) or (row.hold == Hold.FIRST_CONTACT and not releasable(row)):
        return "syncd sync"
    return f"syncd held release {row.run}" if releasable(row) else f"syncd held reject {row.run}"


def words(row: Any, now: datetime) -> str:
    """What helps where the command alone does not, or nothing."""
    if _unsettled(row, now):
        return f"looked for and not found for certain; you may say so, or what was made: syncd pending resolve {row.id} --exists ACCOUNT"
    if row.state == "quarantined" and (row.retry_at is None or row.retry_at <= stamp(now)):
        return "refused in three runs; the next one tries again"
    if row.state != "held":
        return STATES[row.state].format(id=row.id)
    if let_go(row, now):
        return "released: the next run sends it"
    if row.hold in OFFERED:
        return OFFERED[row.hold].format(run=row.run)
    return WAIT if row.hold == Hold.FIRST_CONTACT and not releasable(row) else WORDS.get(row.hold, "")


def _unsettled(row: Any, now: datetime) -> bool:
    """In doubt for long, though further runs looked: what they cannot settle a person may know."""
    return bool(row.state == "in_doubt" and row.seen > row.run and row.since <= stamp(now - PATIENCE))
