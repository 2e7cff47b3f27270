"""Logging: one line an event, on stderr, with no secret in any form and no local variable."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import structlog

from syncd import log

SECRET = "s3cr/t+tok en=ü\"'\\"
"""Every character that some encoding changes."""


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def started(level: str = "info", format: str = "json", secret: str = SECRET) -> io.StringIO:
    stream = io.StringIO()
    log.setup(level, format, [secret], stream)
    return stream


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_events_are_json_lines_with_instant_and_level() -> None:
    stream = started()
    structlog.get_logger("syncd").info("cycle %s", "done", connection="chat", accounts=3, ratio=0.5, ok=True, error=None, names=("a", "b"))
    logging.getLogger("alembic").warning("from %s", "the library")
    first, second = lines(stream)
    instant = str(first.pop("timestamp"))
    assert instant.endswith("Z") and instant[4] == "-"
    assert first == {
        "event": "cycle done",
        "level": "info",
        "connection": "chat",
        "accounts": 3,
        "ratio": 0.5,
        "ok": True,
        "error": None,
        "names": ["a", "b"],
    }
    assert (second["event"], second["level"]) == ("from the library", "warning")


def test_the_level_is_a_threshold_and_libraries_are_quiet() -> None:
    stream = started("warning")
    structlog.get_logger("syncd").info("no")
    structlog.get_logger("syncd").warning("yes")
    assert [line["event"] for line in lines(stream)] == ["yes"]
    stream = started("debug")
    structlog.get_logger("syncd").debug("yes")
    for name in ("httpx", "apscheduler", "uvicorn", "asyncio"):
        logging.getLogger(name).info("no")
    assert [line["event"] for line in lines(stream)] == ["yes"]


def test_the_format_follows_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for stream, format, is_json in (
        (io.StringIO(), "auto", True),
        (Terminal(), "auto", False),
        (Terminal(), "json", True),
        (io.StringIO(), "console", False),
    ):
        log.setup("info", format, [], stream)
        structlog.get_logger().info("hello")
        assert stream.getvalue().startswith("{") is is_json
        assert ("\x1b[" in stream.getvalue()) is (isinstance(stream, Terminal) and not is_json)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    log.setup("info", "auto", [], plain)
    structlog.get_logger().info("hello")
    assert "hello" in plain.getvalue() and "\x1b[" not in plain.getvalue()


def test_stderr_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    log.setup("info", "json")
    structlog.get_logger().info("hello")
    captured = capsys.readouterr()
    assert "hello" in captured.err and not captured.out


def fail() -> None:
    local = "a local " + "variable"
    raise ValueError(f"refused {SECRET}" + local[:0])


@pytest.mark.parametrize("format", ["json", "console"])
def test_tracebacks_show_neither_locals_nor_secrets(format: str) -> None:
    stream = started(format=format)
    for logger in (structlog.get_logger("syncd"), logging.getLogger("library")):
        try:
            fail()
        except ValueError:
            logger.exception("failed")
    text = stream.getvalue()
    assert text.count("Traceback (most recent call last)") == 2 and text.count("ValueError: refused ***") == 2
    assert "a local variable" not in text


def test_an_uncaught_exception_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    started()
    try:
        fail()
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    captured = capsys.readouterr().err
    assert "ValueError: refused ***" in captured and "test_log.py" in captured


def test_a_record_that_cannot_be_written_does_not_spill_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    started()
    logging.getLogger("library").warning("%d apples", SECRET)
    assert capsys.readouterr().err == "a log record of library could not be written (TypeError)\n"


def test_secrets_are_masked_wherever_they_stand() -> None:
    stream = started()

    class Opaque:
        def __repr__(self) -> str:
            return f"<Opaque {SECRET}>"

    structlog.get_logger().info(
        "got %s", SECRET, **{"at": [SECRET, {SECRET: {"deep": (SECRET,)}}], "of": Opaque(), "raw": SECRET.encode(), f"k{SECRET}": 1}
    )
    logging.getLogger("library").error("url https://x/?t=%s", quote(SECRET))
    text = stream.getvalue()
    assert "s3cr" not in text and text.count("***") == 8
    assert json.loads(text.splitlines()[0])["at"] == ["***", {"***": {"deep": ["***"]}}]


def test_a_number_may_be_the_secret() -> None:
    stream = started(secret="12345678")
    structlog.get_logger().info("x", code=12345678, share=0.25, other=1234567)
    assert {key: lines(stream)[0][key] for key in ("code", "share", "other")} == {"code": "***", "share": 0.25, "other": 1234567}
