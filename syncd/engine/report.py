"""What one cycle did, connection by connection."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncd.engine.context import Connected, Context
from syncd.engine.reading import Reading
from syncd.model import Kind
from syncd.store import journal, links, waiting


@dataclass(slots=True)
class Result:
    """One connection's part of the report; ``error``: why it failed, or why its listing proves nothing; ``paused``: why something was left,
    which is no failure. ``broken``: it could not be used, ``unauthorized``: because of the credentials. ``unseen``: people who had changed
    and whom its plan could not take in."""

    name: str
    listing: Reading | None = None
    applied: dict[str, int] = field(default_factory=lambda: {kind.value: 0 for kind in Kind})
    held: int = 0
    in_doubt: int = 0
    quarantined: int = 0
    rejected: int = 0
    skipped: int = 0
    kept: int = 0
    requests: int = 0
    throttled: int = 0
    seconds: float = 0.0
    error: str = ""
    paused: str = ""
    broken: bool = False
    unauthorized: bool = False
    is_source: bool = False
    unseen: int = 0


@dataclass(slots=True)
class Report:
    """The outcome of a run. ``mode``: delta | full | plan. ``declined``: a person said no at the prompt. ``left``: changes to others than
    whom it was for."""

    run: int
    mode: str
    results: list[Result]
    declined: bool = False
    left: int = 0

    @property
    def failed(self) -> bool:
        return any(one.error for one in self.results)

    @property
    def waiting(self) -> bool:
        """Something is held, in doubt, quarantined or rejected."""
        return any(one.held or one.in_doubt or one.quarantined or one.rejected for one in self.results)

    @property
    def converged(self) -> bool:
        """Nothing failed, nothing waits, nothing is left to send."""
        return not (self.failed or self.waiting or self.declined or self.left) and not any(
            one.skipped or one.paused for one in self.results
        )


def result(context: Context, one: Connected, reading: Reading | None) -> Result:
    """Count what the journal and the store say about one connection after the cycle."""
    waits = waiting.count(context.store, one.name)
    states = links.states(context.store, one.name) if one.policy is not None else {}
    kept = states.get("kept", 0) + states.get("unlinked", 0)
    made = Result(
        one.name, listing=reading, held=waits.get("held", 0), in_doubt=waits.get("in_doubt", 0), rejected=waits.get("rejected", 0),
        quarantined=waits.get("quarantined", 0), kept=kept + waiting.kept_by_person(context.store, one.name),
        skipped=journal.tally(context.store, context.run, one.name, "state").get("skipped", 0),
        requests=one.connector.meter.requests, throttled=one.connector.meter.throttled, is_source=one.connection.authoritative,
        error=reading.defect if reading is not None else "",
    )  # fmt: skip
    made.applied.update(journal.applied(context.store, context.run, one.name))
    return made
