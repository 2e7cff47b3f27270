"""A run that is to provision some people, or some changes, only; it reads and judges as ever."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from syncd.engine.context import Context
from syncd.store import verdicts

UNBOUND = "more changes than --max-changes lets this run send"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """``only``: the identities whose changes count, asked once everything was read; None = all. ``most``: how many changes are sent."""

    only: Callable[[], Collection[str]] | None = None
    most: int | None = None

    def __bool__(self) -> bool:
        return self.only is not None or self.most is not None

    def plan(self, context: Context) -> None:
        """Forget what is planned for everybody else; what waits of them waits on."""
        if self.only is not None:
            chosen = self.only()
            with context.store.transaction(durable=False):
                left = verdicts.keep(context.store, context.run, chosen)
            context.left = sum(passed for passed, _ in left.values())
            if left:
                told = ", ".join(_told(name, *numbers) for name, numbers in left.items())
                context.notes.append(f"left out by --only: {told}")

    def send(self, context: Context) -> None:
        """Leave what comes after the first ``most`` changes to a later run."""
        if self.most is not None:
            with context.store.transaction(durable=False):
                verdicts.cap(context.store, context.run, self.most, UNBOUND, context.environment.now())


def _told(name: str, passed: int, held: int) -> str:
    many = "1 change" if passed + held == 1 else f"{passed + held:,} changes"
    return f"at {name} {many} to others" + (f" ({held:,} held)" if held else "")


WHOLE = Narrowing()
