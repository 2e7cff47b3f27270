"""How the sending to one connection goes: what stopped it, how often it failed."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncd.errors import Lost, Paused, Quarantined, Unauthorized
from syncd.model import Effort

ENOUGH = 10
"""Failures in a row after which a connection is left alone for the rest of the run."""


@dataclass(slots=True)
class Sending:
    """One connection's progress. ``stopped``: why nothing more is sent, which is no failure where a person ``paused`` it, and may be due
    to credentials (``unauthorized``), or to a lease that this run did not keep (``lost``). ``failures``: changes without an answer, in a
    row; ``failed``: those surely not done; ``moved``: those whose rest is left to the next run."""

    stopped: str = ""
    paused: bool = False
    unauthorized: bool = False
    lost: bool = False
    failures: int = 0
    failed: int = 0
    moved: int = 0
    last_error: str = ""
    seconds: float = 0.0
    effort: Effort = field(default_factory=lambda: Effort("sending", "changes"))

    def stop(self, error: Quarantined) -> None:
        """Nothing more is sent; a refusal says more than a pause."""
        if not self.stopped or self.paused:
            self.stopped, self.paused = str(error), isinstance(error, Paused)
            self.unauthorized, self.lost = isinstance(error, Unauthorized), isinstance(error, Lost)

    def failure(self, error: str) -> None:
        """One more without an answer; too many in a row, and the connection is left alone."""
        self.failures += 1
        if self.failures >= ENOUGH:
            self.stop(Quarantined(f"{self.failures} changes in a row could not be sent: {error}"))
