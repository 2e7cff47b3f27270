"""The sections that only the daemon (`syncd run`) goes by: when, whom it tells, where it can be asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, get_args
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from syncd.settings.scalars import Address, Cron, Duration, TimeZone
from syncd.settings.section import Section

Topic = Literal["held", "failed", "in_doubt", "quarantined", "credentials", "stale", "recovered"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _not_at_once(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise ValueError("must be at least 1s")
    return value


class Schedule(Section):
    """When the daemon (`syncd run`) reads this connection, and brings it in step."""

    every: Annotated[Duration, AfterValidator(_not_at_once)] = Field(
        default=timedelta(minutes=5), json_schema_extra={"default": "5m"}, description="From one reading to the next."
    )
    full: Cron = Field(default="0 3 * * *", description="When everything is read, as cron has it: minute hour day month weekday.")
    jitter: Duration = Field(
        default=timedelta(seconds=20), json_schema_extra={"default": "20s"}, description="Each reading is at random up to so much later."
    )
    timezone: TimeZone = Field(default="UTC", description="Time zone of `full`, for example Europe/Paris.")


class Server(Section):
    """Where the daemon answers /livez, /readyz and /metrics; absent: nowhere."""

    listen: Address = Field(description="Address and port, for example 127.0.0.1:9464.")


def _topics(value: Any) -> Any:
    """A list; text (an environment variable has no lists) is split at its commas."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class Notice(Section):
    """Whom the daemon tells that a person is needed, and when it is over: counts and commands, never who it is about."""

    url: SecretStr = Field(description="An https address to post to; for smtp smtp://USER:PASSWORD@HOST:PORT?from=A&to=B, or smtps://.")
    format: Literal["slack", "json", "smtp"] = Field(description="slack: as its incoming webhooks take it.")
    on: Annotated[tuple[Topic, ...], BeforeValidator(_topics)] = Field(default=TOPICS, description="What is told. Default: all of it.")

    @model_validator(mode="after")
    def _reachable(self) -> Notice:
        parts = urlsplit(self.url.get_secret_value())
        if self.format == "smtp":
            if parts.scheme not in ("smtp", "smtps") or not parts.hostname or {"from", "to"} - parse_qs(parts.query).keys():
                raise ValueError("url must have the form smtp://USER:PASSWORD@HOST:PORT?from=A&to=B where format is smtp")
        elif not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
            raise ValueError("url must be an address that begins with https:// (plain http is only for loopback)")
        return self
