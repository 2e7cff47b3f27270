"""What people decide, and what happened: the chain of entries, words on pairs, pauses, applied plans; listings that go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncd.store.columns import NUMBER, TEXT, where

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "entry",
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("run", NUMBER, nullable=False),
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("entry_by_run", "entry", ["run"], unique=False)
    op.create_index("entry_by_time", "entry", ["at"], unique=False)
    op.create_table(
        "payload",
        sa.Column("entry", NUMBER, nullable=False),
        sa.Column("identity", TEXT, nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("entry"),
    )
    somebody = "identity IS NOT NULL"
    op.create_index("payload_by_identity", "payload", ["identity"], unique=False, **where(somebody))
    op.create_table(
        "applied",
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("run", NUMBER, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "word",
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("account_id", NUMBER, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("yes", sa.Boolean(), nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("connection", "account_id", "identity"),
    )
    op.create_index("word_by_identity", "word", ["connection", "identity"], unique=False)
    op.create_table(
        "pause",
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.Column("until", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("connection"),
    )
    op.create_table(
        "stretch",
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("part", NUMBER, nullable=False),
        sa.Column("left_at", TEXT, nullable=False),
        sa.Column("passport", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("seen", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "part"),
    )
    op.add_column("account", sa.Column("run", NUMBER, nullable=True))
    op.add_column("account", sa.Column("page", NUMBER, nullable=True))
    op.add_column("connection", sa.Column("passport", TEXT, nullable=True))
    op.add_column("connection", sa.Column("language", TEXT, nullable=True))
    op.add_column("connection", sa.Column("restored", TEXT, nullable=True))
    op.add_column("connection", sa.Column("failures", NUMBER, nullable=True))
    op.add_column("link", sa.Column("echo", TEXT, nullable=True))
    op.add_column("change", sa.Column("choices", TEXT, nullable=True))
    op.add_column("change", sa.Column("reverts", NUMBER, nullable=True))
    op.add_column("change", sa.Column("wants", sa.LargeBinary(), nullable=True))
    op.add_column("pending", sa.Column("choices", TEXT, nullable=True))
    # in the order in which it is read, of PostgreSQL, too; gone_at: SQLite else looks into the table for it
    op.drop_index("account_by_place", "account")
    op.create_index("account_by_place", "account", ["connection", "ordinal", "id", "gone_at"], unique=False, **where("gone_at IS NULL"))
