"""`syncd quarantine retry` and `drop`: a person's word on what rests, and what is answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from syncd.cli.alone import decided
from syncd.cli.documents import document as _document
from syncd.cli.invocation import Invocation
from syncd.cli.printer import GREEN, Styled
from syncd.cli.text import count
from syncd.store import Store, chain


@contextmanager
def said(invocation: Invocation, store: Store, word: str, rows: Sequence[Any]) -> Iterator[None]:
    """One transaction, alone with the connections, in which the word is journalled with what it does."""
    with decided(invocation, store, sorted({row.connection for row in rows})):
        yield
        told = [_event(word, row) for row in rows]
        chain.append(store, told, invocation.environment.now())


def _event(word: str, row: Any) -> chain.Event:
    body = {"command": f"quarantine {word}", "who": row.who, "change": row.change}
    return chain.Event(chain.DECIDED, row.connection, body, identity=row.identity)


def document(word: str, rows: Sequence[Any]) -> dict[str, Any]:
    told = [{"id": row.id, "connection": row.connection, "change": row.change, "who": row.who} for row in rows]
    return _document("quarantine", command=word, items=told)


def retried(rows: Sequence[Any]) -> Iterator[str | Styled]:
    yield f"{count(len(rows), 'change')} tried again by the next `syncd sync`.", GREEN


def dropped(rows: Sequence[Any]) -> Iterator[str | Styled]:
    yield f"{count(len(rows), 'change')} dropped: kept by you, until either side moves.", GREEN
    yield from (f"  to take it back: syncd held release {run}" for run in sorted({row.run for row in rows}))
