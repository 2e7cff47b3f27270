"""The answers of the emulated ChatBotKit: documents, pages, lines and errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from syncd.sandbox.chatbotkit_forms import ERRORS, MOST, Asked
from syncd.sandbox.faults import Fault
from syncd.sandbox.message import Answer

JSONL = "application/jsonl"


def document(value: Mapping[str, Any]) -> Answer:
    return Answer(200, orjson.dumps(value))


def page(records: Sequence[bytes]) -> Answer:
    """The cursor is the last item's id, on the last page too; an empty page has none."""
    cursor = b',"cursor":' + orjson.dumps(orjson.loads(records[-1])["id"]) if records else b""
    return Answer(200, b'{"items":[' + b",".join(records) + b"]" + cursor + b"}")


def lines(shown: Callable[[Asked], Sequence[bytes]], asked: Asked, fault: Fault | None) -> Answer:
    """Every page in one answer, or, where a number is asked for, the whole pages that hold so many. Nothing marks the end."""
    written: list[bytes] = []
    while records := shown(asked._replace(take=MOST)):
        written += [b'{"type":"item","data":%b}\n' % one for one in records]
        asked = asked._replace(cursor=orjson.loads(records[-1])["id"])
        if asked.take is not None and len(written) >= asked.take:
            break
    if fault is not None and fault.kind == "error_line":
        message = ERRORS["GENERIC_ERROR"][1]
        last = orjson.dumps({"type": "error", "data": {"message": message, "code": "GENERIC_ERROR"}}) + b"\n"
        written = [*written[: len(written) // 2], b'{"type":"nop","data":{}}\n', last]
    return Answer(200, b"".join(written), JSONL)


def error(code: str, message: str = "", status: int | None = None) -> Answer:
    usual, text = ERRORS[code]
    return Answer(status or usual, orjson.dumps({"message": message or text, "code": code}))
