"""Scalars of a configuration that YAML has no type for: durations, numbers that are no booleans, lists given as text."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

_DURATION = re.compile(r"([0-9]+)(ms|s|m|h|d)")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(value: Any) -> timedelta:
    """``500ms 30s 5m 2h 7d``; a bare zero needs no unit. Raises ValueError."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None and (isinstance(value, bool) or value not in (0, "0")):
        raise ValueError("must be a duration: a whole number and ms, s, m, h or d, for example 30s")
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    except OverflowError:
        raise ValueError("is longer than a duration can be") from None


def spelled(value: timedelta) -> str:
    """The inverse of `duration`, in the largest unit that is exact."""
    milliseconds = value // timedelta(milliseconds=1)
    for unit in ("d", "h", "m", "s"):
        whole = timedelta(**{_UNITS[unit]: 1})
        if value % whole == timedelta():
            return f"{value // whole}{unit}" if value else "0s"
    return f"{milliseconds}ms"


def _cron(text: Any) -> Any:
    """Raises ValueError with a sentence for a person."""
    try:
        next(CronSim(text, datetime(2026, 1, 1))) if isinstance(text, str) else None
    except (CronSimError, StopIteration):
        raise ValueError('must be five fields as cron has them: minute hour day month weekday, for example "0 3 * * *"') from None
    return text


def _address(text: Any) -> Any:
    """HOST:PORT, also [IPv6]:PORT. Raises ValueError."""
    host, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    if isinstance(text, str) and not (host.strip("[]") and port.isascii() and port.isdigit() and int(port) < 2**16):
        raise ValueError("must be an address and a port, for example 127.0.0.1:9464")
    return text


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _names(value: Any) -> Any:
    """A list; text (an environment variable has no lists) is split at its commas."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _timezone(name: str) -> str:
    if name != "UTC":
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be a time zone of the IANA database, for example Europe/Paris") from None
    return name


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(spelled, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^([0-9]+(ms|s|m|h|d)|0)$"}),
]
Count = Annotated[int, Field(ge=0), BeforeValidator(_no_boolean)]
Positive = Annotated[int, Field(ge=1), BeforeValidator(_no_boolean)]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(_no_boolean)]
Pace = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(_no_boolean)]
Cron = Annotated[str, BeforeValidator(_cron)]
Address = Annotated[str, BeforeValidator(_address)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
TimeZone = Annotated[str, AfterValidator(_timezone)]
