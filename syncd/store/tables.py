"""What the store remembers, as SQLModel tables; migrations/ must agree with it (tests/store/test_migrations.py).

::

    account --identity--> identity <--identity-- link --account_id--> account        dirty: which (connection, identity) to project again
       `- account_key        `- identity_key      `- desired, actual                 the journal: journal_tables.py

Instants are `syncd.environment.stamp` text, documents JSON text, fingerprints and digests 16 bytes.
"""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from syncd.store.columns import where
from syncd.store.conditions import out_of_step

ALL_KEY = {"sqlite_with_rowid": False}
"""Of a table whose rows are hardly more than their key: SQLite keeps them in the key's own tree, not in one beside it."""


class Setting(SQLModel, table=True):
    """One fact about the whole store: its own id, the instance it serves, the key of its digests."""

    name: str = Field(primary_key=True)
    value: str


class Connection(SQLModel, table=True):
    """What is known of one configured connection; ``binding`` ties it to its directory, ``learned`` is what its accounts tell of that.

    ``reading``, ``projected`` and ``consented`` are fingerprints of the configuration: under which its records were read, under which its
    links are projected, and by which the last whole cycle went. ``columns``: JSON, those that a people file had in its last sealed listing
    and that are read without being configured. ``restored``: when the store was, until a whole cycle has gone since that held no leaver.
    ``failures``: runs in a row in which it could not be used. ``passport``: under which circumstances ``watermark`` was left;
    ``language``: what its server spoke then, where that had to be asked.
    """

    name: str = Field(primary_key=True)
    connector: str
    binding: str
    learned: str = "{}"
    namespace: str
    authoritative: bool = False
    target: bool = False
    reading: str | None = None
    projected: str | None = None
    consented: str | None = None
    listing: int = 0
    attempted_at: str | None = None
    sealed_at: str | None = None
    complete: bool = False
    defect: str = ""
    accounts: int = 0
    pages: int = 0
    watermark: str | None = None
    passport: str | None = None
    language: str | None = None
    columns: str | None = None
    last_full: str | None = None
    last_delta: str | None = None
    settled: int = 0
    error: str = ""
    restored: str | None = None
    failures: int | None = None


class Stretch(SQLModel, table=True):
    """A part of a whole listing in progress that is stored; the last one is the place at which the listing can go on when it is cut off.

    ``left_at``: when it was stored, ``passport``: under which circumstances. ``state``: JSON, the place and all counts up to it. ``seen``:
    which accounts it showed (`syncd.store.stretches`).
    """

    connection: str = Field(primary_key=True)
    part: int = Field(primary_key=True)
    left_at: str
    passport: str
    state: str
    seen: bytes


class Lease(SQLModel, table=True):
    """Who may write to a connection until when; ``token`` rises with each holder and fences the one before."""

    connection: str = Field(primary_key=True)
    token: int
    holder: str
    until: str


class Account(SQLModel, table=True):
    """A user record at a connection. ``digest`` is the ledger of its known bytes at place ``ordinal`` of the last listing; None = unknown.

    ``document``: the provider's attributes, at targets only for linked accounts and candidates, never those of a file. ``reading``:
    canonical attributes, only at authoritative connections. ``touched_at``: when syncd last wrote it. ``gone_at``: proven absent since (a
    tombstone); ``owner``: whose it was then, if it was ours. ``container``: the one it lives in. ``missing_*``: complete listings without
    it, where only time proves absence. ``run`` and ``page``: where this version of it was read.
    """

    id: int | None = Field(default=None, primary_key=True)
    connection: str
    object: str = "user"
    account: str
    container: str | None = None
    ordinal: int = 0
    digest: bytes | None = None
    identity: str | None = None
    ignored: bool = False
    document: str | None = None
    reading: str | None = None
    version: str | None = None
    touched_at: str | None = None
    gone_at: str | None = None
    owner: str | None = None
    missing_since: str | None = None
    missing_times: int = 0
    run: int | None = None
    page: int | None = None
    __table_args__ = (
        Index("account_by_id", "connection", "account", "object", unique=True),
        Index("account_by_place", "connection", "ordinal", "id", "gone_at", **where("gone_at IS NULL")),
        Index("account_ignored", "connection", "gone_at", **where("ignored")),
        Index("account_missing", "connection", **where("missing_since IS NOT NULL")),
        Index("account_by_identity", "identity", "connection", **where("identity IS NOT NULL")),
    )


class AccountKey(SQLModel, table=True):
    """A correlation key of one account; ``trusted`` = only an administrator writes it. ``@key`` is the provider's own, ``@marker`` ours."""

    __tablename__ = "account_key"
    account_id: int = Field(primary_key=True)
    attribute: str = Field(primary_key=True)
    connection: str
    key: str
    trusted: bool = False
    __table_args__ = (Index("account_by_key", "connection", "attribute", "key"), ALL_KEY)


class Identity(SQLModel, table=True):
    """A person in the canonical store. ``live``: live | departed | frozen (its source is no longer read).

    ``forgotten``: a source that had an account of theirs was forgotten, and no other has shown them since.
    """

    id: str = Field(primary_key=True)
    attributes: str
    live: str = "live"
    ignored: bool = False
    forgotten: bool = False
    departed_at: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    due_at: str | None = None
    __table_args__ = (Index("identity_due", "due_at", **where("due_at IS NOT NULL")),)


class IdentityKey(SQLModel, table=True):
    """A correlation key of one identity. ``@id`` rows are the uuid5 of each of its authoritative accounts; by ``@userName``,
    ``@externalId`` and ``@email`` an account of a source joins it."""

    __tablename__ = "identity_key"
    identity: str = Field(primary_key=True)
    attribute: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    __table_args__ = (Index("identity_by_key", "attribute", "key"), ALL_KEY)


class Word(SQLModel, table=True):
    """A person's word on whether an account is an identity's: it outweighs every key. ``yes``: `link`; otherwise `unlink`."""

    connection: str = Field(primary_key=True)
    account_id: int = Field(primary_key=True)
    identity: str = Field(primary_key=True)
    yes: bool
    at: str
    __table_args__ = (Index("word_by_identity", "connection", "identity"),)


class Pause(SQLModel, table=True):
    """Nothing is written there until a person resumes it or ``until`` has passed; ``connection`` "" = anywhere."""

    connection: str = Field(primary_key=True)
    reason: str
    since: str
    until: str | None = None


class Dirty(SQLModel, table=True):
    """An identity whose desired state at a connection must be projected again."""

    connection: str = Field(primary_key=True)
    identity: str = Field(primary_key=True)
    __table_args__ = ALL_KEY


class Link(SQLModel, table=True):
    """What ties an identity to its account at a target; all work there is lies where ``desired`` and ``actual`` differ.

    ``state``: live | disabled | grace | kept | retained | frozen | leaving | rejected | unlinked. ``tried_*``: a write that read
    back different; ``refused_*``: a person's no. ``key``: the normalised provider key it wants. ``hold``: why its leaver waits for
    a person. ``settled``: what ``desired`` was when the account, once brought there by syncd, was last seen there; ``written``
    what it put into lists and objects that others fill too; ``echo`` what it last wrote there of the attributes that the connection
    contributes itself (JSON, both). ``doubt``: the step whose outcome is unknown.
    ``failures``: refused runs in a row; from the third on it is quarantined until ``retry_at``.
    """

    id: int | None = Field(default=None, primary_key=True)
    connection: str
    identity: str
    account_id: int | None = None
    desired: bytes | None = None
    actual: bytes | None = None
    owned: bool = True
    generation: int = 0
    state: str = "live"
    reason: str = ""
    key: str | None = None
    leaving_since: str | None = None
    counted: bool = False
    due_at: str | None = None
    hold: str = ""
    settled: bytes | None = None
    written: str | None = None
    echo: str | None = None
    tried_desired: bytes | None = None
    tried_actual: bytes | None = None
    refused_desired: bytes | None = None
    refused_actual: bytes | None = None
    doubt: int | None = None
    failures: int = 0
    retry_at: str | None = None
    __table_args__ = (
        Index("link_by_identity", "connection", "identity", unique=True),
        Index("link_by_account", "account_id"),
        Index("link_by_key", "connection", "key"),
        Index("link_holding", "connection", "owned", "account_id", **where("account_id IS NOT NULL")),
        Index("link_apart", "connection", "state", **where("state <> 'live'")),
        Index("link_refused", "connection", **where("refused_desired IS NOT NULL OR refused_actual IS NOT NULL")),
        Index("link_due", "connection", "due_at", **where("due_at IS NOT NULL")),
        Index("link_rejected", "connection", **where("state = 'rejected' OR failures > 0")),
        Index("link_out_of_step", "connection", "id", **where(out_of_step())),
    )
