"""A plan as Markdown, fit for a pull request: a summary, then a table of changes for each connection; values speak for nobody but
themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import chain, islice
from typing import Any

import orjson

from syncd.cli.plan_view import MOST, SIGNS, PlanView, listing_line
from syncd.cli.text import called, escaped, value
from syncd.engine.planning import ConnectionPlan
from syncd.model import Kind
from syncd.store import answers

_SPECIAL = re.compile(r"[\\`*\[\]#|~@$]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.")


def lines(view: PlanView) -> Iterator[str]:
    """The same plan that ``view`` prints as text."""
    yield f"## {plain(view.summary())}"
    yield ""
    yield from (f"- {plain(listing_line(part))}" for part in view.plan.connections)
    yield from (f"- note: {plain(notice)}" for notice in (*view.notices, *view.plan.notes))
    for part in view.plan.connections:
        body = chain(_sending(view, part), _held(view, part))
        for line in islice(body, 1):
            yield from ("", f"### {plain(part.name)}", line)
        yield from body


def plain(text: str) -> str:
    """Text that no renderer takes for anything else: no markup, no link, nobody mentioned (GitHub Flavored Markdown, section 6.2)."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", escape(escaped(text), quote=False))


def code(text: str) -> str:
    """The same as code, in which a table ends no cell."""
    return f"<code>{plain(text)}</code>"


def _sending(view: PlanView, part: ConnectionPlan) -> Iterator[str]:
    rows = view.sendable(part.name)
    yield from _table(rows if view.whole else islice(rows, MOST))
    yield from () if next(rows, None) is None else ("", f"... and more of {plain(part.name)}: {code('syncd plan -v --format markdown')}")


def _table(rows: Iterator[Any]) -> Iterator[str]:
    """Nothing at all where there is none."""
    for first in islice(rows, 1):
        yield from ("", "| | change | attributes | reason |", "|---|---|---|---|", _row(first))
        yield from map(_row, rows)


def _row(row: Any) -> str:
    account = f" ({code(row.account)})" if row.account and row.account != row.who else ""
    return f"| {code(SIGNS[Kind(row.kind)][0])} | {row.kind} {code(called(row))}{account} | {_attributes(row)} | {plain(row.reason)} |"


def _attributes(row: Any) -> str:
    told = []
    for name, (before, after) in orjson.loads(row.delta).items():
        told.append(f"{plain(name)}: {code(value(after) if row.kind == Kind.CREATE else f'{value(before)} -> {value(after)}')}")
    return "<br>".join(told)


def _held(view: PlanView, part: ConnectionPlan) -> Iterator[str]:
    """Each reason with how many it holds and what to do; then who they are, in full where a yes or `apply` sends them."""
    for group in view.held(part):
        yield from ("", f"{code('!')} **{plain(group.told)}**  ", group.advice)
        for row in group.rows:
            most = row.n if view.whole else min(row.n, MOST)
            rows = answers.held_for(view.plan.store, view.plan.run, row, most)
            yield from (
                _table(rows)
                if group.agreeable or (view.whole and group.reason)
                else chain([""], (_member(one, told=group.reason is None) for one in rows))
            )
            yield from ["", f"... and {row.n - most:,} more to {row.kind}"] if row.n > most else []


def _member(row: Any, *, told: bool) -> str:
    """``told``: with the reason that holds it."""
    return f"- {row.kind} {code(called(row))}" + (f": {plain(row.held)}" if told else "")
