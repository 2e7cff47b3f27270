"""Logging: console on a terminal, JSON lines otherwise, to stderr; every registered secret is masked by value."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO

from syncd.redaction import Redactor

QUIET = ("alembic", "httpx", "httpcore", "apscheduler", "uvicorn", "asyncio")
"""Libraries that log addresses or routine at info."""


class Handler(logging.StreamHandler[TextIO]):
    """Says only that a record could not be written: the standard handler would print its arguments, secrets included."""

    def handleError(self, record: logging.LogRecord) -> None:
        kind = sys.exc_info()[0]
        with suppress(OSError):  # a full disk, or nobody who reads: what is logged is lost, and the work goes on
            sys.stderr.write(f"a log record of {record.name} could not be written ({kind.__name__ if kind else 'unknown'})\n")


def setup(
    level: str = "info", format: str = "auto", secrets: Iterable[str] = (), stream: TextIO | None = None, *, always: Sequence[str] = ()
) -> Redactor:  # fmt: skip
    """Sends structlog's events and those of the standard library to ``stream`` (stderr), and masks what an uncaught exception prints.

    ``level``: debug | info | warning | error. ``format``: auto | console | json. ``always``: keys that every JSON line has. Returns the
    redactor, for whatever else is printed.
    """
    import structlog

    out, redactor = stream or sys.stderr, Redactor(secrets)
    chain: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *chain,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    last = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        lambda _logger, _method, event: redactor.value(event),
        *_rendering(format, out, always),
    ]
    _install(out, level, structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=chain))
    sys.excepthook = _hook(redactor)
    return redactor


def _rendering(format: str, out: TextIO, always: Sequence[str]) -> list[Any]:
    import structlog

    if format == "json" or (format == "auto" and not out.isatty()):
        empty = dict.fromkeys(always)
        return [lambda _logger, _method, event: {**empty, **event}, structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    colors = out.isatty() and not os.environ.get("NO_COLOR")
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]


def _install(out: TextIO, level: str, formatter: logging.Formatter) -> None:
    handler = Handler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _hook(redactor: Redactor) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(redactor("".join(traceback.format_exception(kind, error, trace))))

    return show
