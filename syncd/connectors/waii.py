"""Waii users, tenants and organizations (waii-sdk-py 1.30, waii-sdk-js 1.28: user module; the server's source is not public)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from syncd.connectors.base import Options, Permit
from syncd.connectors.clock import skew
from syncd.connectors.http import Credentials, Http
from syncd.connectors.rooted import RootedOptions
from syncd.connectors.waii_access import CREATES_ORGANIZATIONS, NEEDED, READS, Caller
from syncd.connectors.waii_door import Door
from syncd.connectors.waii_listing import Walk
from syncd.connectors.waii_objects import Objects
from syncd.connectors.waii_table import KINDS, ORGANIZATION, TENANT, capability
from syncd.environment import Environment
from syncd.errors import Quarantined, SyncdError
from syncd.model import USER, Account, Capability, Change, Container, Cursor, Gone, Health, Page, Rate, Ref, Step, Unknown, Watermark

DEADLINE = 120.0
"""Seconds for one answer, which may be everybody in an organization."""
Id = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$")]


class WaiiOrganization(BaseModel):
    """What the configuration says of a container that a plan may have to create."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    name: str | None = Field(default=None, description="What it is called; absent: by its id.")
    variables: dict[str, Any] = Field(default_factory=dict, description="Its variables, for access rules.")

    def attributes(self) -> dict[str, Any]:
        return {**({} if self.name is None else {"name": self.name}), **({"variables": self.variables} if self.variables else {})}


class WaiiTenant(WaiiOrganization):
    """The same of a tenant."""

    organization: Id = Field(description="Where it lies.")


class WaiiOptions(RootedOptions):
    """Keys of a ``connector: waii`` connection."""

    base_url: str = "https://tweakit.waii.ai/api/"
    api_key: SecretStr
    organizations: list[Id] | dict[Id, WaiiOrganization] | None = Field(
        default=None, description="ids, or ids with what each is to be named; absent: every organization the key may list"
    )
    tenants: dict[Id, WaiiTenant] = Field(default_factory=dict, description="names for tenants that a plan may create")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.organizations is not None and not self.organizations:
            raise ValueError("organizations names none: name some, or remove it to mean all")
        for id, tenant in self.tenants.items():
            if self.organizations is not None and tenant.organization not in self.organizations:
                raise ValueError(f"tenants.{id}: organization {tenant.organization} is not among organizations")
        return self

    def credentials(self) -> Credentials:
        return Credentials.bearer(self.api_key.get_secret_value())

    def binding(self) -> dict[str, str]:
        return {"root": str(self.root()), "organizations": "\n".join(sorted(self.organizations or ["*"]))}

    def named(self) -> Mapping[str, WaiiOrganization]:
        given = self.organizations or {}
        return given if isinstance(given, dict) else {id: WaiiOrganization() for id in given}

    def capability(self) -> Capability:
        """With one organization everybody is in it; with several, or all, the map must say in which."""
        named = self.named()
        tenants = {id: {"org_id": tenant.organization, **tenant.attributes()} for id, tenant in self.tenants.items()}
        return capability(
            USER,
            constants={"org_id": next(iter(named))} if len(named) == 1 else {},
            required=frozenset({"id", "org_id"}),
            containers={
                ORGANIZATION: Container(
                    capability(ORGANIZATION), "org_id", named={id: one.attributes() for id, one in named.items()}, open=False
                ),
                TENANT: Container(capability(TENANT), "tenant_id", within=ORGANIZATION, named=tenants),
            },
        )


class WaiiConnector:
    """Every kind of object behind one protocol; which one is meant, pages, accounts, changes and references say."""

    name: ClassVar[str] = "waii"
    summary: ClassVar[str] = "Waii users, with their tenants and organizations"
    options: ClassVar[type[Options]] = WaiiOptions

    def __init__(self, options: WaiiOptions, *, environment: Environment, rate: Rate, writable: bool) -> None:
        http = Http(
            options.root(), options.credentials(), environment=environment, rate=rate, writable=writable, deadline=DEADLINE
        )  # fmt: skip
        self._door = Door(http, frozenset(options.named()))
        self._objects = {object: Objects(http, self._door, kind, environment) for object, kind in KINDS.items()}
        self._walk, self._environment = Walk(self._door), environment
        self.capability, self.meter = options.capability(), http.meter

    @property
    def permit(self) -> Permit:
        return self._door.permit

    @permit.setter
    def permit(self, permit: Permit) -> None:
        self._door.permit = permit

    async def aclose(self) -> None:
        await self._door.aclose()

    def parse(self, record: bytes, object: str = USER) -> Account:
        return self._objects[object].parse(record)

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        """Raises Incomplete, Retryable, Quarantined."""
        return await self._walk.page(cursor)

    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        """Proves presence alone: whom no organization shows may be hidden from this key."""
        found = await self._objects[ref.object].anywhere(ref.id, ref.container)
        return found or Unknown("no organization shows it, which proves nothing")

    async def find(self, keys: Mapping[str, str]) -> Sequence[Account]:
        """By id: it is ours, so an account that bears it is the one we made, or in its way."""
        found = await self._objects[USER].anywhere(keys["id"]) if "id" in keys else None
        return [] if found is None else [found]

    def steps(self, change: Change) -> tuple[Step, ...]:
        return self._objects[change.object].steps(change)

    async def perform(self, step: Step) -> Account | None:
        return await self._objects[step.change.object].perform(step)

    # ---- check -------------------------------------------------------------------------------------------------------

    async def check(self) -> Health:
        """Who we are, what we may, and which organizations there are; writes nothing."""
        try:
            caller = await self._door.caller(again=True)
        except Quarantined as error:
            return Health(False, {}, (f"{error}: check api_key",))
        except SyncdError as error:
            return Health(False, {}, (str(error),))
        permissions = {name: name in caller.permissions for name in NEEDED}
        problems = [f"the key lacks {name}, without which nothing can be listed" for name in READS if not permissions[name]]
        try:
            problems += [] if problems else await self._organizations(caller, permissions)
        except SyncdError as error:
            problems.append(str(error))
        problems += filter(None, [skew(self._environment, caller.date, "Waii")])
        return Health(not problems, permissions, tuple(problems))

    async def _organizations(self, caller: Caller, permissions: dict[str, bool]) -> Sequence[str]:
        """What is wrong with them; the permission to create one is needed only where one that is configured does not exist."""
        existing = await self._door.organizations()
        lacking = sorted(self._door.configured - {*existing})
        if lacking:
            permissions[CREATES_ORGANIZATIONS] = CREATES_ORGANIZATIONS in caller.permissions
        if not existing and not lacking:
            return ["the key may list no organization"]
        if lacking and not permissions[CREATES_ORGANIZATIONS]:
            return [f"organization {', '.join(lacking)} is not there, and the key may not create it ({CREATES_ORGANIZATIONS})"]
        return []
