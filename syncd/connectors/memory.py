"""The reference connector: the smallest faithful model of the obligations in base.py, over a dictionary."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field

from syncd.connectors.base import Options, Permit, granted
from syncd.connectors.memory_directory import KEY, MemoryDirectory
from syncd.connectors.url import segment
from syncd.environment import Environment
from syncd.errors import Incomplete, Rejected
from syncd.model import (
    USER,
    Account,
    AttributeSpec,
    Capability,
    Change,
    Cursor,
    Gone,
    Health,
    Kind,
    Meter,
    Mutability,
    Page,
    Rate,
    Ref,
    Step,
    Unknown,
    Watermark,
)

_TEXTS = ("displayName", "email", "phone", "title", "department", "organization", "tenant")
_DECLARED = ("id", KEY, *_TEXTS, "active", "labels", "meta")
_LONGEST = 256
"""Characters of any text attribute."""


class MemoryOptions(Options):
    """``directory``: which one in this process. ``page``: accounts of one page. ``ids``: made by the directory, or by the client (the
    mapped ``id``, else the identity's own). ``switch``: whether ``active`` disables natively. ``delta``: whether listings can tell what
    changed; ``resumes``: whether one that was cut off can go on."""

    directory: str = "default"
    page: int = Field(default=100, ge=1)
    ids: Literal["server", "client"] = "server"
    switch: bool = True
    delta: bool = False
    resumes: bool = False

    def binding(self) -> dict[str, str]:
        return {"root": f"memory:{self.directory}"}

    def capability(self) -> Capability:
        switch = {"active": "active"} if self.switch else {}
        writes = {KEY: KEY} | {name: name for name in _TEXTS} | switch | {"labels": "labels", "meta.externalId": "externalId"}
        return Capability(
            attributes={one.name: one for one in self._attributes()},
            key=KEY,
            marker="meta.syncd",
            delta=self.delta,
            resumes=timedelta(hours=1) if self.resumes else None,
            switch=("active", True, False) if self.switch else None,
            write_defaults=writes,
            read_defaults={canonical: path for path, canonical in writes.items()},
        )

    def _attributes(self) -> list[AttributeSpec]:
        return [
            AttributeSpec("id", mutability=Mutability.READ_ONLY if self.ids == "server" else Mutability.IMMUTABLE, trusted=True),
            AttributeSpec(KEY, mutability=Mutability.IMMUTABLE, limit=_LONGEST, trusted=True),
            *(AttributeSpec(name, limit=_LONGEST) for name in _TEXTS),
            AttributeSpec("active", "boolean"),
            AttributeSpec("labels", "set"),
            AttributeSpec("meta", "object", trusted=True),
        ]


class MemoryConnector:
    """Lists in the order of ids, a page behind the last id seen; every other operation is one look-up."""

    name: ClassVar[str] = "memory"
    summary: ClassVar[str] = "a dictionary in this process, for tests"
    options: ClassVar[type[Options]] = MemoryOptions

    def __init__(self, options: MemoryOptions, *, environment: Environment, rate: Rate, writable: bool) -> None:
        """``rate`` has nothing to govern: no request leaves the process."""
        self.capability = options.capability()
        self.meter = Meter()
        self.permit: Permit = granted
        self.directory = MemoryDirectory.named(options.directory)
        self._options, self._environment, self._writable = options, environment, writable

    def parse(self, record: bytes, object: str = USER) -> Account:
        try:
            document = orjson.loads(record)
        except ValueError as error:
            raise Rejected(f"not an account: {error}") from None
        id = document.get("id") if isinstance(document, dict) else None
        if not isinstance(id, str) or not id:
            raise Rejected("not an account: no id")
        return Account(id, {name: value for name, value in document.items() if name in self.capability.attributes})

    def steps(self, change: Change) -> tuple[Step, ...]:
        """One step; none for a change that writes nothing, such as adopting an account that is as it should be."""
        body = {path: after for path, (_, after) in change.delta.items()}
        if change.kind is Kind.CREATE:
            return (Step(change, 1, "create", "/accounts", body, creates=True, summary=f"create with {len(body)} attributes"),)
        path = f"/accounts/{segment(change.account or '')}"
        if change.kind is Kind.DELETE:
            return (Step(change, 1, "delete", path, summary="delete"),)
        return (Step(change, 1, "update", path, body, summary=f"update {', '.join(body)}"),) if body else ()

    async def check(self) -> Health:
        self.meter.requests += 1
        with self.directory.doing("check"):
            return Health(True, {"read": True, "write": self._writable})

    async def list(self, cursor: Cursor | None, since: Watermark | None = None) -> Page:
        """``cursor`` is ORDINAL:ID of the last account handed out, so that an account removed meanwhile moves nobody."""
        self.meter.requests += 1
        with self.directory.doing("list"):
            if since is not None:
                return self._changed(since)
            ordinal, colon, last = ("0:" if cursor is None else cursor).partition(":")
            if not (colon and ordinal.isdecimal()):
                raise Incomplete("the stored place in the listing cannot be read: it starts again")
            first, size, cut = int(ordinal), self._options.page, self.directory.cut
            rest = [one for one in self.directory.listed(self._environment.monotonic()) if one[0] > last]
            if cut is not None and first + size > cut < first + len(rest):
                return Page(self._listed(rest[: cut - first]), first, defect=f"the listing broke off after {cut} accounts")
            page = rest[:size]
            following = Cursor(f"{first + len(page)}:{page[-1][0]}") if len(rest) > size else None
            left = self._watermark() if following is None and self._options.delta else None
            return Page(self._listed(page), first, following, complete=following is None, watermark=left)

    def _changed(self, since: Watermark) -> Page:
        """In one page, whoever is not as the listing showed them that left this watermark."""
        before = self.directory.shown.get(since)
        if before is None:
            raise Incomplete("the watermark is not known any more")
        now = self.directory.listed(self._environment.monotonic())
        fresh = [record for (id, _), record in zip(now, self._listed(now), strict=True) if before.get(id) != record]
        return Page(fresh, complete=True, watermark=self._watermark())

    def _watermark(self) -> Watermark:
        now = self.directory.listed(self._environment.monotonic())
        return Watermark(self.directory.remember(dict(zip((id for id, _ in now), self._listed(now), strict=True))))

    async def fetch(self, ref: Ref) -> Account | Gone | Unknown:
        segment(ref.id)
        self.meter.requests += 1
        with self.directory.doing("fetch"):
            return self._account(ref.id) if ref.id in self.directory.accounts else Gone(self._environment.now())

    async def find(self, keys: Mapping[str, str]) -> Sequence[Account]:
        self.meter.requests += 1
        with self.directory.doing("find"):
            everyone = [self._account(id) for id in self.directory.accounts]
            return [one for one in everyone if any(_get(one.attributes, path) == value for path, value in keys.items())]

    async def perform(self, step: Step) -> Account | None:
        """Raises Rejected with code read_only, required, unknown, immutable, too_long, conflict or missing."""
        if not self._writable:
            raise Rejected(f"{step.method} {step.path}: this connection is only read", "read_only")
        self.permit()
        self.meter.requests += 1
        with self.directory.doing(step.method):
            return {"create": self._create, "update": self._update, "delete": self._delete}[step.method](step)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _create(self, step: Step) -> Account:
        attributes = self._merged({}, step.body)
        if KEY not in attributes:
            raise Rejected(f"{KEY} is required", "required")
        own = attributes.pop("id", step.change.identity) if self._options.ids == "client" else self.directory.mint()
        segment(own)
        self.directory.create(own, attributes, self._environment.monotonic())
        self.directory.log.append(step)
        return self._account(own)

    def _update(self, step: Step) -> Account:
        """Read, merge, write, as the provider keeps members of ``meta`` that nobody named."""
        id = step.change.account or ""
        if id not in self.directory.accounts:
            raise Rejected("no such account", "missing")
        before = self.directory.accounts[id]
        after = self._merged(before, step.body)
        changed = [name for name in ("id", KEY) if name in step.body and after.get(name) != before.get(name)]
        if changed:
            raise Rejected(f"{changed[0]} is set at creation and never afterwards", "immutable")
        self.directory.accounts[id] = after
        self.directory.log.append(step)
        return self._account(id)

    def _delete(self, step: Step) -> None:
        self.directory.remove(step.change.account or "", self._environment.monotonic())
        self.directory.log.append(step)

    def _merged(self, document: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        merged = copy.deepcopy(dict(document))
        for path, value in body.items():
            spec = self.capability.spec(path)
            if spec is None:
                raise Rejected(f"no attribute {path}", "unknown")
            if spec.mutability is Mutability.READ_ONLY:
                raise Rejected(f"{path} is made by the directory", "immutable")
            if spec.limit is not None and isinstance(value, str) and len(value) > spec.limit:
                raise Rejected(f"{path} has {len(value)} characters, at most {spec.limit} are kept", "too_long")
            _put(merged, path, copy.deepcopy(value))
        return merged

    def _account(self, id: str) -> Account:
        return self.parse(_record(id, {**self.directory.accounts[id], **self.directory.fixed}))

    def _listed(self, accounts: Sequence[tuple[str, Mapping[str, Any]]]) -> Sequence[bytes]:
        return [_record(id, attributes, self.directory.uncarried) for id, attributes in accounts]


def _record(id: str, attributes: Mapping[str, Any], uncarried: Collection[str] = ()) -> bytes:
    """Null where there is no value."""
    record = {**dict.fromkeys(_DECLARED), **attributes, "id": id}
    return orjson.dumps({name: value for name, value in record.items() if name not in uncarried}, option=orjson.OPT_SORT_KEYS)


def _get(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set ``path`` in place; None takes it away, and an object that is left empty with it."""
    head, nested, rest = path.partition(".")
    if nested:
        inner = document.get(head)
        members = inner if isinstance(inner, dict) else {}
        _put(members, rest, value)
        value = members or None
    if value is None:
        document.pop(head, None)
    else:
        document[head] = value
