"""A run is done with one connection: what waits there, how it went; then it is free for others, whatever the run still does elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from syncd.engine import restored, rules
from syncd.engine.context import Connected, Context
from syncd.engine.leasing import give_up
from syncd.engine.reading import Reading
from syncd.engine.report import Report, Result, result
from syncd.engine.sending import Sending
from syncd.store import connections, runs, waiting

Told = Callable[[int, Result], None]
"""Told (run, what came of it) as soon as a run is done with a connection and has given it up."""


def unheard(run: int, made: Result) -> None:
    """Who waits for the report hears of everything at once."""


@dataclass(slots=True)
class Conclusions:
    """``readings``: of this run. ``unseen``: target -> how many people who had changed were not projected there when it was planned; who
    changed since then is none of them."""

    context: Context
    readings: Mapping[str, Reading]
    told: Told = unheard
    unseen: Mapping[str, int] = field(default_factory=dict)
    _results: dict[str, Result] = field(default_factory=dict)

    def conclude(self, names: Iterable[str], *, keep: bool = False) -> None:
        """Done without anything sent. ``keep``: they stay leased all the same."""
        for name in names:
            self.one(self.context.connected[name], None, keep=keep)

    def one(self, one: Connected, sending: Sending | None, *, consented: bool = False, keep: bool = False) -> None:
        """``consented``: its whole plan was agreed to. Whose lease was lost has nothing to say any more of how things stand there."""
        with self.context.store.transaction(durable=False):
            made = self._results[one.name] = self._made(one, sending, consented=consented)
            if not keep:
                give_up(self.context, [one.name], undone=sending is not None and sending.lost)
        self.told(self.context.run, made)

    def _made(self, one: Connected, sending: Sending | None, *, consented: bool) -> Result:
        context, reading = self.context, self.readings.get(one.name)
        mine = context.holds(one.name)
        if mine and consented and not (reading is not None and reading.stopped):
            rules.consent(context, one)
            restored.conclude(context, one, self.readings)
        if mine:
            whole = reading is not None and reading.whole and not context.narrowed
            waiting.refresh(context.store, context.run, one.name, context.environment.now(), whole=whole)
        made = _result(context, one, reading, sending, mine=mine)
        made.unseen = self.unseen.get(one.name, 0)
        return made

    def report(self, mode: str, *, declined: bool) -> Report:
        context = self.context
        results = [self._results[name] for name in context.connected if name in self._results]
        for made in results:  # sources may have been asked again since
            meter = context.connected[made.name].connector.meter
            made.requests, made.throttled = meter.requests, meter.throttled
        report = Report(context.run, mode, results, declined, context.left)
        outcome = "interrupted" if context.environment.ending else self._outcome() if report.converged else ""
        runs.finish(context.store, context.run, outcome, context.environment.now())
        return report

    def _outcome(self) -> str:
        """Of a run after which all is in step."""
        read = any(reading.changed or reading.vanished for reading in self.readings.values())
        return "converged" if read or runs.traced(self.context.store, self.context.run) else runs.IDLE


def _result(context: Context, one: Connected, reading: Reading | None, sending: Sending | None, *, mine: bool) -> Result:
    made = result(context, one, reading)
    made.broken, made.unauthorized = bool(reading and reading.broken), bool(reading and reading.unauthorized)
    made.seconds = sum(part.seconds for part in (reading, sending) if part is not None)
    if sending is not None:
        _tell(made, sending)
    if mine and context.environment.ending:
        connections.failed(context.store, one.name, "", known=False)
    elif mine:
        connections.failed(context.store, one.name, made.error, broken=made.broken)
    return made


def _tell(made: Result, sending: Sending) -> None:
    """What a reading proves nothing of says more than what was not sent then."""
    made.paused = sending.stopped if sending.paused else ""
    failed = f"{sending.failed} changes could not be sent: {sending.last_error}" if sending.failed else ""
    stopped = "" if sending.paused else sending.stopped
    if stopped != made.error:  # not what the reading said already
        made.broken, made.unauthorized = made.broken or (bool(stopped) and not sending.lost), made.unauthorized or sending.unauthorized
    made.error = made.error or stopped or failed
    made.skipped += sending.moved
