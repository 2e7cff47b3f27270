"""The sections of a configuration as pydantic models: shapes, defaults and the descriptions that the JSON Schema shows."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, Tag

from syncd.settings.scalars import Count, Duration, Names, Number, Pace, Positive, TimeZone
from syncd.settings.section import Section
from syncd.settings.service import Notice, Schedule, Server

NAME = r"^[a-z](_?[a-z0-9])*_?$"
NAME_PATTERN = re.compile(NAME)
INSTANCE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"


def _first(version: int) -> int:
    if version != 1:
        raise ValueError("must be 1: this syncd knows no other version of the configuration")
    return version


def _shape(value: Any) -> str:
    """The tag of a union of a word and a mapping; tags stand in angle brackets so that no key is taken for one."""
    return "<object>" if isinstance(value, dict | BaseModel) else "<text>"


class MapObject(Section):
    """One attribute's source with its options. Exactly one of from, value and expr."""

    from_: str | None = Field(default=None, alias="from", description="A canonical name, column or provider path.")
    value: Any = Field(default=None, description="A constant, with its type: text, number, true, false or a list.")
    expr: str | None = Field(default=None, description="A CEL expression.")
    map: dict[str, Any] | None = Field(
        default=None, description="Source value -> value. Without `default`, an unmapped value rejects the change."
    )
    default: Any = Field(default=None, description="For values that `map` does not list.")
    on: Literal["create"] | None = Field(default=None, description="create: set once, never updated.")
    empty: Literal["keep"] | None = Field(default=None, description="keep: an empty source does not clear the attribute.")
    mode: Literal["replace"] | None = Field(default=None, description="replace: own the whole list or object.")
    own: str | None = Field(default=None, description='Own the members that begin so, for example "corp*".')


MapText = Annotated[str, Field(description="A canonical name, column or provider path; anything else is a CEL expression.")]
MapSpec = Annotated[Annotated[MapText, Tag("<text>")] | Annotated[MapObject, Tag("<object>")], Discriminator(_shape)]
Maps = dict[str, MapSpec | None]


class Store(Section):
    """Where syncd keeps its identities, links and journal."""

    url: str = Field(
        default="sqlite:///syncd.db",
        description="sqlite:///PATH, relative to this file (sqlite:////PATH is absolute), or postgresql://USER@HOST:PORT/NAME.",
    )
    lease: Duration = Field(
        default=timedelta(seconds=10), json_schema_extra={"default": "10s"}, description="How long a dead writer blocks others at most."
    )


class Log(Section):
    """What is logged to stderr, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = Field(default="auto", description="auto: console on a terminal, JSON lines otherwise.")


class Read(Section):
    """How accounts of this connection are understood."""

    attributes: Maps = Field(default={}, description="Canonical name <- column or provider path, over the default map; null removes a key.")
    timezone: TimeZone = Field(default="UTC", description="Time zone of bare dates, for example Europe/Paris.")


def _never_delete(value: Any) -> Any:
    if value == "delete":
        raise ValueError("must be disable or keep: an inactive account is never deleted")
    return value


Leaving = Literal["disable", "delete", "keep"]


class Deprovision(Section):
    """What happens to an owned account when its person is no longer entitled. Defaults: disable where it can be, else keep."""

    inactive: Annotated[Literal["disable", "keep"] | None, BeforeValidator(_never_delete)] = Field(
        default=None, description="Inactive at the source."
    )
    out_of_scope: Leaving | None = Field(default=None, description="The person no longer matches `scope`.")
    departed: Leaving | None = Field(default=None, description="The person is gone, with evidence, from every authoritative connection.")
    grace: Duration = Field(
        default=timedelta(days=7),
        json_schema_extra={"default": "7d"},
        description="From disabling to deletion; 0s deletes in the same cycle.",
    )
    retain: str | None = Field(default=None, description="An attribute or a CEL condition that forbids deletion.")


DeprovisionSpec = Annotated[Annotated[Leaving, Tag("<text>")] | Annotated[Deprovision, Tag("<object>")], Discriminator(_shape)]


class Write(Section):
    """Makes the connection a target. `write: {}` takes every default."""

    apply: Literal["auto", "review", "never"] = Field(
        default="auto", description="review: every change waits for a release; never: changes are planned and shown, not sent."
    )
    scope: str | None = Field(default=None, description="CEL, boolean: who has an account here. Default: everyone.")
    attributes: Maps = Field(default={}, description="Provider path <- canonical name, over the default map; null removes a key.")
    correlate: Names | None = Field(default=None, description="Attributes by which an account finds its person, in this order.")
    adopt: Literal["matched", "never"] = Field(default="matched", description="Whether an existing account that correlates is taken over.")
    deprovision: DeprovisionSpec = Field(default=Deprovision(), description="One word stands for out_of_scope and departed.")
    disabled: dict[str, Any] = Field(default={}, description="What disabling writes where the provider has no switch of its own.")
    drift: Literal["repair", "report"] = Field(default="repair", description="What to do about accounts changed or deleted outside syncd.")
    on_key_change: Literal["keep", "hold", "replace"] = Field(default="keep", description="When a key changes that cannot be written.")
    revoke: bool = Field(default=True, description="End sessions, tokens and keys when disabling or deleting.")


class LimitKeys(Section):
    """allowed = at least 10 (delete and clear: 1), else the smaller of max and percent of the owned accounts, in 24 hours."""

    max: Count | None = Field(default=None, description="Accounts.")
    percent: Number | None = Field(default=None, description="Percent of the owned accounts, any number from 0 up.")


class Limits(Section):
    """Beyond a limit, all changes of that kind at this connection are held for a person."""

    delete: LimitKeys = Field(default=LimitKeys(), description="Deletes and disables. Default: max 20, percent 5.")
    create: LimitKeys = Field(default=LimitKeys(), description="Default: max 500, percent 20.")
    update: LimitKeys = Field(default=LimitKeys(), description="Default: percent 50.")
    clear: LimitKeys = Field(default=LimitKeys(), description="Accounts that lose all values of one attribute. Default: percent 5.")


class Rate(Section):
    """Pacing of requests."""

    per_second: Pace | None = Field(default=None, description="Requests a second; absent: learnt from refusals.")
    concurrency: Positive = Field(default=8, description="Requests under way at once.")


class Connection(Section):
    """The keys that every connection has, whatever its connector."""

    connector: str
    authoritative: bool = Field(default=False, description="Its accounts bring identities into being.")
    namespace: Annotated[str, Field(pattern=NAME)] | None = Field(
        default=None, description="Part of every identity's id. Default: the connection's name."
    )
    read: Read = Read()
    write: Write | None = None
    limits: Limits = Limits()
    rate: Rate = Rate()
    settle: Duration = Field(
        default=timedelta(seconds=10),
        json_schema_extra={"default": "10s"},
        description="After an ambiguous write, how old a view must be to be believed.",
    )
    schedule: Schedule = Schedule()


class Root(Section):
    """The whole configuration. Its connections are checked one by one, each against its connector."""

    version: Annotated[Count, AfterValidator(_first)] = Field(default=1, description="Pins default maps and limits.")
    instance: Annotated[str, Field(pattern=INSTANCE)] = Field(default="default", description="Part of every marker.")
    store: Store = Store()
    precedence: dict[str, Names] = Field(default={}, description="Per attribute, whose value wins. Default: file order.")
    ignore: tuple[str, ...] = Field(default=(), description="Globs on account id, userName and e-mail; file:PATH holds one glob a line.")
    correlate: Names = Field(default=("externalId", "userName", "email"), description="Default of every `write.correlate`.")
    connections: dict[str, Any]
    notify: tuple[Notice, ...] = Field(default=(), description="Whom the daemon tells that a person is needed, and when it is over.")
    server: Server | None = None
    log: Log = Log()
