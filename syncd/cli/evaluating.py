"""`syncd eval`: whom an expression matches, and who would come and go if it were a scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from syncd.cli.documents import document as _document
from syncd.cli.exits import Misused
from syncd.cli.printer import BOLD, RED, YELLOW, Styled
from syncd.cli.text import count, listed, shortened
from syncd.cli.wiring import selected
from syncd.engine.assess import Against, Assessment
from syncd.settings import Settings


def scopes(settings: Settings, names: Sequence[str]) -> list[tuple[str, str | None]]:
    """(name, scope) of the targets to compare with: those named, or all. Raises Misused for a connection that has no scope."""
    chosen = selected(settings, names)
    found = [(one.name, one.write.scope) for one in settings.landscape.connections if one.write is not None and one.name in chosen]
    sources = [name for name in names if name not in dict(found)]
    if sources:
        raise Misused(f"{listed(sources)} is only read: a connection without `write` has no scope")
    return found


def document(found: Assessment) -> dict[str, Any]:
    return _document(
        "eval", expression=found.expression, identities=found.people, matching=found.matching,
        undecided=[{"reason": reason, "identities": number} for reason, number in found.undecided.most_common()],
        connections=[
            {
                "name": one.name, "scope": one.scope, "joining": one.joining, "leaving": one.leaving,
                "newcomers": sorted(one.newcomers), "leavers": sorted(one.leavers),
            }
            for one in found.targets
        ],
    )  # fmt: skip


def lines(found: Assessment, named: Sequence[str]) -> Iterator[str | Styled]:
    """With one connection ``named``, all is said in one line; else a line a target."""
    if not found.people:
        yield "Nobody is in the store yet. Next: syncd plan"
        return
    told = f"{found.matching:,} of {found.people:,} match"
    if len(named) == 1:
        (one,) = found.targets
        yield f"{told}; {_difference(one)} against the present scope of {one.name} ({_scope(one)})", BOLD
        yield from _examples(one)
    else:
        yield told, BOLD
        for one in found.targets:
            yield f"{one.name}: {_difference(one)} against its present scope ({_scope(one)})"
            yield from _examples(one)
    undecided = sum(found.undecided.values())
    if undecided:
        yield f"{undecided:,} cannot be judged (as a scope this would freeze their accounts):", RED
        yield from (f"  {reason}: {count(number, 'person', 'people')}" for reason, number in found.undecided.most_common(5))


def _difference(one: Against) -> str:
    return f"+{one.joining:,} -{one.leaving:,}"


def _scope(one: Against) -> str:
    return "everyone" if one.scope is None else shortened(one.scope)


def _examples(one: Against) -> Iterator[str | Styled]:
    if one.joining:
        yield f"  + {listed(sorted(one.newcomers), one.joining - len(one.newcomers))}"
    if one.leaving:
        yield f"  - {listed(sorted(one.leavers), one.leaving - len(one.leavers))}", YELLOW
