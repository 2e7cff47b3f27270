"""`syncd history`: the journal as text, CSV and JSON, an entry at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from syncd.cli.documents import document as _document
from syncd.cli.printer import CYAN, DIM, GREEN, RED, YELLOW, Styled
from syncd.cli.text import count, value
from syncd.model import Kind
from syncd.store import chain

FIELDS = (
    "who", "account", "object", "kind", "change", "reason", "request", "n", "of", "outcome", "error", "released", "command", "page",
    "source", "gone", "back", "changes",
)  # fmt: skip
"""What an entry may say besides what moved, null where it does not; `syncd.store.chain` and `syncd.store.entries` have their meanings."""
STYLES = {"applied": GREEN, "rejected": RED, "retry": YELLOW, "lost": YELLOW, "in_doubt": YELLOW, "skipped": DIM}
OUTCOMES = {"applied": "done", "retry": "not done", "lost": "no answer came", "in_doubt": "in doubt"}
HEADER = (
    "entry", "at", "run", "connection", "what", "who", "identity", "account", "kind", "attribute", "before", "after", "reason", "request",
    "outcome", "error", "command",
)  # fmt: skip


class Told(NamedTuple):
    """One entry, read. ``erased``: what it said was forgotten with the person."""

    seq: int
    at: str
    run: int | None
    connection: str
    what: str
    identity: str | None
    said: Mapping[str, Any]
    moved: Mapping[str, Any]
    erased: bool


def read(rows: Iterable[Any]) -> Iterator[Told]:
    for row in rows:
        body = {} if row.body is None else orjson.loads(row.body)
        moved = body.pop("moved" if row.what == chain.OBSERVED else "delta", None) or {}
        said = {"who": row.name, **body}
        yield Told(row.seq, row.at, row.run or None, row.connection, row.what, row.identity, said, moved, row.body is None)


def document(told: Iterable[Told]) -> dict[str, Any]:
    """``entries`` is an iterator."""
    return _document("history", entries=map(_entry, told))


def _entry(one: Told) -> dict[str, Any]:
    return {
        "entry": one.seq, "at": one.at, "run": one.run, "connection": one.connection or None, "what": one.what, "identity": one.identity,
        **{name: one.said.get(name) for name in FIELDS}, "attributes": dict(one.moved), "erased": one.erased,
        "more": {name: said for name, said in one.said.items() if name not in FIELDS},
    }  # fmt: skip


def cells(told: Iterable[Told]) -> Iterator[list[str]]:
    """A row an attribute that moved, or one for an entry without any. Of a change of several requests the first has them."""
    for one in told:
        said = {name: _cell(one.said.get(name)) for name in (*FIELDS, "entries")}
        head = [str(one.seq), one.at, _cell(one.run), one.connection, one.what, said["who"], one.identity or "", said["account"]]
        tail = [said["reason"], said["request"], "erased" if one.erased else said["outcome"], said["error"], said["command"]]
        kind = said["kind"] or _moved(one.said)
        for name, (before, after) in (_shown(one) or {"": (None, None)}).items():
            yield [*head, kind, name, _cell(before), _cell(after), *tail]


def _cell(given: Any) -> str:
    if given is None:
        return ""
    return given if isinstance(given, str) else orjson.dumps(given).decode()


def lines(told: Iterable[Told]) -> Iterator[str | Styled]:
    """A line an entry, then what moved and why."""
    nothing = True
    for one in told:
        nothing = False
        where = " ".join(part for part in (f"run {one.run}" if one.run else "", one.connection) if part)
        yield f"{one.at[:19]}Z  {where}{': ' if where else ''}{_headline(one)}", _style(one)
        moved = _shown(one)
        width = max(map(len, moved), default=0)
        for name, (before, after) in moved.items():
            became = value(after) if one.said.get("kind") == Kind.CREATE else f"{value(before)} -> {value(after)}"
            yield f"    {name.ljust(width)}  {became}"
        if why := _why(one):
            yield f"    {why}", DIM
    if nothing:
        yield "The journal has nothing of it."


def _shown(one: Told) -> Mapping[str, Any]:
    return {} if one.what == chain.SENT and (one.said.get("n") or 1) > 1 else one.moved


def _headline(one: Told) -> str:
    said = one.said
    if one.erased:
        return f"{one.what}; what it said was forgotten with the person"
    if one.what == chain.OBSERVED:
        return f"{said['who']}{_account(said)} {_moved(said)}"
    if one.what == chain.ERASED:
        return f"a person was forgotten: {count(len(said.get('entries', ())), 'entry', 'entries')} say nothing any more"
    if one.what == chain.DECIDED:
        about = " ".join(str(said[name]) for name in ("kind", "who") if said.get(name))
        more = f": {count(said['changes'], 'change')}" if "changes" in said else f": {about}" if about else ""
        return f"you said {said.get('command', 'something')}{more}"
    if "changes" in said:
        return f"{count(said['changes'], 'change')} not sent: {said['error']}"
    return f"{said['kind']} {_called(said)}{_account(said)}: {_outcome(said)}"


def _moved(said: Mapping[str, Any]) -> str:
    if "gone" not in said:
        return ""
    return "is gone" if said["gone"] else "came back" if said.get("back") else "moved"


def _called(said: Mapping[str, Any]) -> str:
    return str(said["who"]) if said.get("object") in (None, "user") else f"{said['object']} {said['who']}"


def _account(said: Mapping[str, Any]) -> str:
    return f" ({said['account']})" if said.get("account") and said["account"] != said["who"] else ""


def _outcome(said: Mapping[str, Any]) -> str:
    outcome = OUTCOMES.get(said["outcome"], said["outcome"])
    return f"{outcome}: {said['error']}" if said.get("error") else str(outcome)


def _why(one: Told) -> str:
    """The reason and the request, or where it was read."""
    said = one.said
    if one.what == chain.OBSERVED:
        return f"read on page {said['page']}" if said.get("page") else ""
    request = f"{said['request']} ({said['n']} of {said['of']})" if (said.get("of") or 0) > 1 else said.get("request")
    released = "released by you" if said.get("released") else None
    return "; ".join(part for part in (said.get("reason"), request, released) if part)


def _style(one: Told) -> str:
    return CYAN if one.what == chain.DECIDED else STYLES.get(str(one.said.get("outcome")), "")
