"""What a person can do about each thing that waits: the command to paste, and words where no command helps by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syncd.engine.guarding import CONSENTED
from syncd.environment import stamp
from syncd.model import FINAL, Hold
from syncd.store.waiting import RELEASE_LASTS

WORDS = {
    Hold.AMBIGUOUS: "make their keys differ, at the provider or in the source",
    Hold.TAKEN: "correct the key in the source, or the account of the other person",
    Hold.IGNORED: "take the account off the ignore list, or the person out of the source",
    Hold.FOREIGN: "another instance of syncd owns the account: remove the person from one of the two",
    Hold.UNREAD: "see why the provider does not answer for this account; it is asked again in each run",
    Hold.NEVER: "say `adopt: matched` to take the account over, or delete it at the provider",
    Hold.COLLISION: "give these people different keys in the source",
    Hold.APPLY: "say `apply: auto` under `write` to have changes sent",
}
"""Why nothing but a change of the data or of the configuration helps, by hold."""
WAIT = "what ends an account waits until the first contact is over, and is decided anew then"
STATES = {
    "in_doubt": "the next run looks for the account and settles it",
    "quarantined": "refused in three runs; it is tried again after a pause",
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


def command(row: Any, now: datetime) -> str:
    """What to paste for one row of pending."""
    if row.state == "rejected":
        return "syncd plan"
    if row.state != "held" or let_go(row, now) or (row.hold == Hold.FIRST_CONTACT and not releasable(row)):
        return "syncd sync"
    return f"syncd held release {row.run}" if releasable(row) else f"syncd held reject {row.run}"


def words(row: Any, now: datetime) -> str:
    """What helps where the command alone does not, or nothing."""
    if row.state != "held":
        return STATES[row.state]
    if let_go(row, now):
        return "released: the next run sends it"
    return WAIT if row.hold == Hold.FIRST_CONTACT and not releasable(row) else WORDS.get(row.hold, "")
