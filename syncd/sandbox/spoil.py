"""What each fault does to an answer or to a page of a listing, whatever the provider."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

import orjson

from syncd.sandbox.directory import Slice
from syncd.sandbox.faults import Fault
from syncd.sandbox.message import Answer, Call, Shape

T = TypeVar("T")

ELSEWHERE = "http://directory.invalid"
HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>This network needs you to sign in</h1></body></html>"
LITERALS = {
    "nan": b"NaN",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "huge": b"9" * 5_000,
    "surrogate": b'"\\ud800"',
    "nul": b'"a\\u0000b"',
    "drift": b"12345",
}
_HOLE = "\x01hole\x01"
_BLANKS = b" " * (1 << 20)


def bend(page: Slice[T], fault: Fault) -> Slice[T]:
    """The page of a listing as a listing fault shows it; other faults leave it alone."""
    rule = _BENT.get(fault.kind)
    return page if rule is None else rule(page)


def _duplicate(page: Slice[Any]) -> Slice[Any]:
    if page.next is None:
        return replace(page, records=[*page.records, *page.records[-1:]])
    return replace(page, next=page.ordinals[-2] if len(page.ordinals) > 1 else page.after)


def _endless(page: Slice[Any]) -> Slice[Any]:
    return replace(page, next=page.next or max(page.after, *page.ordinals, 0) + 1)


_BENT: dict[str, Callable[[Slice[Any]], Slice[Any]]] = {
    "duplicate": _duplicate,
    "missed": lambda page: replace(page, records=page.records[:-1]),
    "short": lambda page: replace(page, next=None),
    "shrink": lambda page: replace(page, records=page.records[: len(page.records) // 2]),
    "loop": lambda page: replace(page, next=page.after),
    "endless": _endless,
}


def spoil(answer: Answer, fault: Fault, call: Call, shape: Shape, refusal: Callable[[int], Answer]) -> Answer:
    """The answer as ``fault`` shows it; ``refusal``: the provider's own error for a status."""
    kind = fault.kind
    if kind.isdigit() or kind == "cursor":
        return _refused(refusal(int(kind) if kind.isdigit() else 400), fault)
    if kind in LITERALS or kind in ("literal", "missing"):
        if answer.status >= 300:
            return answer
        return replace(answer, body=_with_literal(answer.body, fault, shape))
    rule = _SPOILT.get(kind)
    return answer if rule is None else rule(answer, fault, call, refusal)


def _refused(answer: Answer, fault: Fault) -> Answer:
    wait = fault.params.get("retry_after")
    return answer if wait is None else replace(answer, headers=answer.headers | {"Retry-After": wait})


def _with_literal(body: bytes, fault: Fault, shape: Shape) -> bytes:
    """The body with one field of one record (``record``: its index, default the last) replaced by JSON text, or taken out."""
    document = orjson.loads(body)
    records = document.get(shape.collection, [document])
    index = int(fault.params.get("record", -1))
    if not -len(records) <= index < len(records):
        return body
    record = records[index]
    name = fault.params.get("field", shape.key if fault.kind in ("drift", "missing") else shape.text)
    if fault.kind == "missing":
        record.pop(name, None)
        return orjson.dumps(document)
    record[name] = _HOLE
    literal = LITERALS.get(fault.kind) or fault.params["value"].encode()
    return orjson.dumps(document).replace(orjson.dumps(_HOLE), literal)


def _html(answer: Answer, fault: Fault, call: Call, refusal: Callable[[int], Answer]) -> Answer:
    return Answer(int(fault.params.get("status", 200)), HTML, "text/html")


def _error_body(answer: Answer, fault: Fault, call: Call, refusal: Callable[[int], Answer]) -> Answer:
    return replace(refusal(500), status=200)


def _empty(answer: Answer, fault: Fault, call: Call, refusal: Callable[[int], Answer]) -> Answer:
    return Answer(200)


def _redirect(answer: Answer, fault: Fault, call: Call, refusal: Callable[[int], Answer]) -> Answer:
    place = fault.params.get("url", ELSEWHERE) + call.path + ("?" + call.query_text if call.query_text else "")
    return Answer(int(fault.params.get("status", 302)), b"", "text/plain", {"Location": place})


def _cut(answer: Answer, fault: Fault, call: Call, refusal: Callable[[int], Answer]) -> Answer:
    return replace(answer, body=answer.body[: int(fault.params.get("bytes", len(answer.body) // 2))])


def _content_type(answer: Answer, fault: Fault, call: Call, refusal: Callable[[int], Answer]) -> Answer:
    return replace(answer, media=fault.params.get("value", "text/plain"))


def _bomb(answer: Answer, fault: Fault, call: Call, refusal: Callable[[int], Answer]) -> Answer:
    squeezed, head = _squeezed(int(fault.params.get("bytes", 100_000_000)) // len(_BLANKS) + 1)
    rest = squeezed.copy()
    body = head + rest.compress(answer.body) + rest.flush()
    return replace(answer, body=body, headers=answer.headers | {"Content-Encoding": "gzip"})


@lru_cache(maxsize=4)
def _squeezed(blocks: int) -> tuple[Any, bytes]:
    """A gzip compressor that has swallowed so many MiB of blanks, and what it has given out for them."""
    gzip = zlib.compressobj(level=1, wbits=31)
    return gzip, b"".join([gzip.compress(_BLANKS) for _ in range(blocks)])


_SPOILT: dict[str, Callable[[Answer, Fault, Call, Callable[[int], Answer]], Answer]] = {
    "html": _html,
    "error_body": _error_body,
    "empty": _empty,
    "redirect": _redirect,
    "cut": _cut,
    "content_type": _content_type,
    "bomb": _bomb,
}
