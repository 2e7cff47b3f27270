"""How far work that takes long has come, for whoever shows it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Effort:
    """One stretch of work: ``what`` is done to ``of`` how many ``unit``, None where that is unknown; ``rough``: as many as last time.

    ``began``: monotonic seconds. ``pages``: those read so far.
    """

    what: str
    unit: str
    of: int | None = None
    began: float = 0.0
    rough: bool = False
    done: int = 0
    pages: int = 0

    def left(self, now: float) -> float | None:
        """Seconds until all is done at the pace so far; None where nothing can be said."""
        passed = now - self.began
        if self.of is None or not 0 < self.done <= self.of or passed <= 0:
            return None
        return (self.of - self.done) * passed / self.done


@dataclass(slots=True)
class Work:
    """The stretches that are under way, the latest last: one may begin within another."""

    stretches: list[Effort] = field(default_factory=list)

    @contextmanager
    def stretch(self, what: str, unit: str, of: int | None, now: float, *, rough: bool = False) -> Iterator[Effort]:
        """For as long as this block lasts."""
        effort = Effort(what, unit, of, now, rough)
        self.stretches.append(effort)
        try:
            yield effort
        finally:
            self.stretches.remove(effort)

    @property
    def current(self) -> Effort | None:
        return self.stretches[-1] if self.stretches else None
