"""One kind of Waii's objects: looked up by its id, written whole, deleted when nothing is left in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any

from syncd.connectors.answer import Conflict
from syncd.connectors.http import Http
from syncd.connectors.merge import merged
from syncd.connectors.rest import RestConnector
from syncd.connectors.tables import fitting
from syncd.connectors.waii_door import Door
from syncd.connectors.waii_table import DEFAULT_ROLES, ORGANIZATION, REVOKE, TENANT, Kind
from syncd.environment import Environment
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable
from syncd.model import USER, Account, Change, Step
from syncd.model import Kind as Does

_NOTHING: Mapping[str, Any] = {"variables": {}, "roles": []}
"""What stands for no value, where null does not."""


class Objects(RestConnector):
    """What can be done with users, with tenants or with organizations."""

    def __init__(self, http: Http, door: Door, kind: Kind, environment: Environment) -> None:
        super().__init__(http, kind.table, environment)
        self._door, self._kind = door, kind

    # ---- reading -----------------------------------------------------------------------------------------------------

    def parse(self, record: bytes, object: str = USER) -> Account:
        """An absent member is a null one: servers leave out what is optional."""
        account = super().parse(record)
        attributes = {name: account.attributes.get(name) for name in self.capability.attributes}
        own = account.id if self._kind.object == ORGANIZATION else attributes.get("org_id")
        account = replace(account, attributes=attributes, object=self._kind.object, container=own)
        return replace(account, protected=self._door.protects(account))

    async def lookup(self, id: str, organizations: Sequence[str]) -> Account | None:
        """The object of this id in the first of ``organizations`` that shows it. None proves nothing."""
        await self._door.caller()
        for organization in dict.fromkeys(organizations) if self._kind.narrowing else ("",):
            narrowing = {name: value for name, value in _narrowed(id, organization).items() if name in self._kind.narrowing}
            slices = await self._door.listed(self._kind.object, **narrowing)
            found = (account for account in map(self.parse, slices.records) if account.id == id)
            if (account := next(found, None)) is not None:
                return account
        return None

    async def anywhere(self, id: str, first: str | None = None) -> Account | None:
        """The same in every organization of this connection, ``first`` the one where it should be."""
        if first is not None or not self._kind.narrowing:
            try:
                account = await self.lookup(id, [first or ""])
            except Rejected:
                account = None  # there may be no such organization
            if account is not None or not self._kind.narrowing:
                return account
        return await self.lookup(id, list(await self._door.organizations()))

    # ---- writing -----------------------------------------------------------------------------------------------------

    def steps(self, change: Change) -> tuple[Step, ...]:
        """Keys are revoked while their owner may still do so, then the change is made, and then it is seen to that none is left.

        Raises Rejected for an id that is none.
        """
        _checked(change.account if change.kind is not Does.CREATE else change.delta.get("id", (None, None))[1])
        steps = super().steps(change)
        if not change.revoke:
            return steps
        revoking = self._step(change, 0, REVOKE, {})
        ordered = [revoking, *steps] if change.kind is Does.DELETE or not steps else [revoking, *steps, revoking]
        return tuple(replace(one, n=n) for n, one in enumerate(ordered, 1))

    async def perform(self, step: Step) -> Account | None:
        """Raises Rejected for an account that is never touched, InDoubt when what was written is not shown afterwards."""
        if step.creates:
            return await self._make(step)
        id, home = step.change.account or "", _home(step.change)
        account = await self.anywhere(id, home)
        if account is not None and account.protected:
            raise Rejected(f"{id} is our own account, or may do more than we may: it is never touched", "protected")
        if step.path == REVOKE.path:
            return await self._end_keys(step, account)
        if step.change.kind is Does.DELETE:
            await self._remove(id, account.container if account is not None else home)
            return None
        if account is None:
            raise Rejected(f"{id} is not shown in any organization", "missing")
        (update,) = self._table.updates
        await self._door.write(update, self._whole(account.attributes, step.body))
        return await self._shown(id, account.container)

    async def _make(self, step: Step) -> Account:
        values = self._whole({}, step.body)
        id, home = values["id"], values.get("org_id")
        try:
            await self._door.write(self._table.create, values)
        except Rejected as error:
            return await self._existing(step, id, home, error)
        return await self._shown(id, home)

    async def _existing(self, step: Step, id: str, home: str | None, error: Rejected) -> Account:
        """What stands where one was to be created, if an earlier request of ours made it: it bears our marker. Raises the refusal."""
        account = await self.anywhere(id, home)
        if account is None:
            raise error
        marker = step.body.get("variables.syncd")
        if marker is not None and (account.attributes.get("variables") or {}).get("syncd") == marker:
            return account
        where = f" in {account.container}" if account.container not in (None, id) else ""
        raise Conflict(f"{error} {id} exists already{where}.", error.code) from error

    async def _shown(self, id: str, home: str | None) -> Account:
        """What the provider has now: its answer to a write does not say."""
        try:
            account = await self.anywhere(id, home)
        except (Retryable, Rejected, Quarantined) as error:
            raise InDoubt(f"{id} was written, but could not be read back: {error}") from error
        if account is None:
            raise InDoubt(f"{id} was written, but is not shown")
        return account

    async def _end_keys(self, step: Step, account: Account | None) -> Account | None:
        if account is None and step.change.kind is Does.DELETE:
            return None  # deleting shows what is the matter
        again = step.change.kind is not Does.DELETE and step.n < len(self.steps(step.change))
        with suppress(Rejected) if again else nullcontext():
            await self._door.revoke(step.change.account or "")
        return account

    async def _remove(self, id: str, home: str | None) -> None:
        """A refused delete counts as done if no organization shows the id any more: weak evidence, and the next listings show more."""
        await self._refuse_full(id, home)
        try:
            await self._door.write(self._table.delete, {"id": id})
        except Rejected:
            if await self.anywhere(id, home) is not None:
                raise

    async def _refuse_full(self, id: str, home: str | None) -> None:
        inside: list[tuple[str, dict[str, str]]] = {
            TENANT: [(USER, {"lookup_org_id": home or "", "lookup_tenant_id": id})],
            ORGANIZATION: [(USER, {"lookup_org_id": id}), (TENANT, {"lookup_org_id": id})],
        }.get(self._kind.object, [])
        for object, narrowing in inside:
            slices = await self._door.listed(object, **narrowing)
            if slices.records or slices.flaws:
                raise Rejected(f"{self._kind.object} {id} still has {object}s: it is not deleted", "not_empty")

    def _whole(self, now: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        """Every field, since the provider replaces an object whole: those it has ``now``, with ``body`` in their place.

        Who loses all roles is given the default one: an empty list may be read as no wish.
        """
        specs = self.capability.attributes
        after = merged({name: now.get(name) for name in specs}, {path: body[path] for path in sorted(body)})
        if "roles" in body and not after.get("roles") and now:
            return self._sent(after) | {"roles": DEFAULT_ROLES}
        return self._sent(after)

    def _sent(self, after: Mapping[str, Any]) -> dict[str, Any]:
        """Containers without a name are called by their id; values that were read go back as they were."""
        specs = self.capability.attributes
        named = {"name": after["id"]} if after.get("name") is None and self._kind.object != USER else {}
        values = {name: _NOTHING.get(name) if after.get(name) is None else after[name] for name in specs}
        return {name: fitting(replace(specs[name], normalize=None), value) for name, value in (values | named).items()}


def _narrowed(id: str, organization: str) -> dict[str, str]:
    return {"lookup_org_id": organization, "lookup_user_id": id}


def _home(change: Change) -> str | None:
    """The organization where the object was when the change was planned."""
    home = (change.document or {}).get("org_id")
    return home if isinstance(home, str) else None


def _checked(id: Any) -> None:
    if not isinstance(id, str) or not id.strip() or not id.isprintable():
        raise Rejected(f"{id!r} is no id: it is empty, or holds a control character", "id")
