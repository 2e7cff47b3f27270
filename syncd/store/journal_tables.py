"""The journal, as SQLModel tables: run > change > step, kept once something of it was sent; pending: what waits for a person; entry and
payload: what happened, for good."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from syncd.store.columns import where


class Run(SQLModel, table=True):
    """One cycle, from start to report: converged | idle (converged, and it found nothing new) | interrupted, or nothing."""

    id: int | None = Field(default=None, primary_key=True)
    mode: str
    started: str
    finished: str | None = None
    report: str | None = None


class Change(SQLModel, table=True):
    """One planned change of one run. ``state``: planned | held | passed | sent | applied | rejected | retry | lost | in_doubt | skipped.

    ``retry``: surely not done. ``lost``: no answer came; what was done shows in the next listing. ``in_doubt``: the same of a creation,
    which is looked for first.
    ``expects``: the fingerprint of its account when planned, part of the id. ``released``: a person let it go (not counted by limits).
    ``cleared``: JSON list of the attributes whose last value it removes. ``requests``: how many it will send. ``revoke``: it ends sessions.
    ``wants``: what its person was to be there when it was planned, the link's `desired`.
    ``recovered_by``: the later run that found out that it had taken effect. ``choices``: JSON list of the accounts between which only a
    person can choose. ``reverts``: the run whose change it takes back.
    """

    seq: int | None = Field(default=None, primary_key=True)
    run: int
    id: str
    connection: str
    object: str = "user"
    kind: str
    identity: str
    link_id: int
    account_id: int | None = None
    account: str | None = None
    who: str
    delta: str
    expects: bytes | None = None
    reason: str
    hold: str = ""
    held: str | None = None
    state: str = "planned"
    counted: bool = True
    released: bool = False
    cleared: str | None = None
    requests: int = 1
    revoke: bool = False
    replaces: str | None = None
    evidence_at: str | None = None
    settled_at: str | None = None
    error: str | None = None
    recovered_by: int | None = None
    choices: str | None = None
    reverts: int | None = None
    wants: bytes | None = None
    __table_args__ = (
        Index("change_by_place", "run"),
        Index("change_by_run", "run", "connection", "state"),
        Index("change_by_identity", "identity", "connection"),
        Index("change_updated", "connection", "identity", "settled_at", **where("kind = 'update' AND state = 'applied'")),
        Index("change_by_recovery", "recovered_by", **where("recovered_by IS NOT NULL")),
        Index("change_revoking", "connection", **where("revoke AND state IN ('sent', 'retry', 'lost', 'rejected')")),
    )


class Step(SQLModel, table=True):
    """One unsafe request: written before it leaves (``sent``), settled when its outcome is known: applied | rejected | retry | lost, or
    ``in_doubt`` (see `Change`)."""

    id: int | None = Field(default=None, primary_key=True)
    change: int
    connection: str
    n: int
    creates: bool
    summary: str
    token: int
    sent_at: str
    settled_at: str | None = None
    state: str = "sent"
    error: str | None = None
    __table_args__ = (
        Index("step_by_change", "change"),
        Index("step_by_time", "connection", "sent_at"),
        Index("step_open", "connection", "state", **where("state IN ('sent', 'in_doubt')")),
        Index("step_lost", "connection", "settled_at", **where("state = 'lost'")),
    )


class Entry(SQLModel, table=True):
    """One thing that happened, in a chain: ``digest`` = keyed digest of its payload, ``chain`` = digest of the entry before and of this
    one. Nothing personal stands here, so that it stays when its payload is erased. ``what``: see `syncd.store.chain`."""

    seq: int | None = Field(default=None, primary_key=True)
    at: str
    run: int
    connection: str
    what: str
    digest: bytes
    chain: bytes
    __table_args__ = (Index("entry_by_run", "run"), Index("entry_by_time", "at"))


class Payload(SQLModel, table=True):
    """What an entry says: ``body`` is JSON, ``salt`` the key of its digest; erased together."""

    entry: int = Field(primary_key=True)
    identity: str | None = None
    salt: bytes
    body: str
    __table_args__ = (Index("payload_by_identity", "identity", **where("identity IS NOT NULL")),)


class Applied(SQLModel, table=True):
    """A plan file that was applied, by its digest: it is never applied twice."""

    digest: str = Field(primary_key=True)
    run: int
    at: str


class Pending(SQLModel, table=True):
    """One row a person should see: held | in_doubt | quarantined | rejected; ``run`` is the run that first found it so.

    ``kept``: held until a person said no; it waits no more, and can be released after all.
    """

    id: int | None = Field(default=None, primary_key=True)
    change: str
    connection: str
    object: str = "user"
    kind: str
    identity: str | None = None
    link_id: int | None = None
    account: str | None = None
    who: str
    state: str
    hold: str = ""
    reason: str
    run: int
    seen: int
    since: str
    released_at: str | None = None
    choices: str | None = None
    __table_args__ = (Index("pending_by_change", "connection", "change", unique=True),)
