"""Measure a few times, print min / median / max, and the ratios between what was measured in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Figure:
    """One measured thing: its name, unit, and a value a repetition; ``cpus``: what it took of this process, where that was taken."""

    name: str
    unit: str = "s"
    values: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def cpu(self) -> float:
        """The median of the CPU seconds of this process, where they were taken."""
        return statistics.median(self.cpus)

    def measure(self, action: Callable[[], object]) -> None:
        """How long one call takes, and how much of this process's CPU."""
        before = time.process_time()
        self.values.append(seconds(action))
        self.cpus.append(time.process_time() - before)


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def compare(repeat: int, *actions: tuple[str, Callable[[], object]]) -> list[Figure]:
    """Measure each action ``repeat`` times, in turn: A B C A B C ..., so that a slow moment meets all of them."""
    figures = [Figure(name) for name, _ in actions]
    for _ in range(repeat):
        for figure, (_, action) in zip(figures, actions, strict=True):
            figure.measure(action)
    return figures


def show(title: str, figures: Sequence[Figure], ratios: Sequence[tuple[str, float, str]] = ()) -> None:
    """A table of figures, with the median of the CPU where it was taken, then ``name: ratio (target)`` lines."""
    print(f"\n{title}")
    width = max(len(figure.name) for figure in figures)
    print(f"  {'':{width}}  {'min':>12} {'median':>12} {'max':>12}")
    for figure in figures:
        cells = (min(figure.values), figure.median, max(figure.values))
        cpu = f", CPU {figure.cpu:.3g} s" if figure.cpus else ""
        print(f"  {figure.name:{width}}  " + " ".join(f"{cell:>12.5g}" for cell in cells) + f" {figure.unit}{cpu}")
    for name, value, target in ratios:
        print(f"  {name}: {value:.3g} (target {target})")
