"""What people decide, and what happened: the chain of entries, words on pairs, pauses, applied plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "entry",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("entry_by_run", "entry", ["run"], unique=False)
    op.create_index("entry_by_time", "entry", ["at"], unique=False)
    op.create_table(
        "payload",
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("identity", sa.String(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("entry"),
    )
    somebody = sa.text("identity IS NOT NULL")
    op.create_index("payload_by_identity", "payload", ["identity"], unique=False, sqlite_where=somebody)
    op.create_table(
        "applied",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "word",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("yes", sa.Boolean(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "account_id", "identity"),
    )
    op.create_index("word_by_identity", "word", ["connection", "identity"], unique=False)
    op.create_table(
        "pause",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("until", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("connection"),
    )
    op.add_column("account", sa.Column("run", sa.Integer(), nullable=True))
    op.add_column("account", sa.Column("page", sa.Integer(), nullable=True))
    op.add_column("connection", sa.Column("restored", sa.String(), nullable=True))
    op.add_column("connection", sa.Column("failures", sa.Integer(), nullable=True))
    op.add_column("link", sa.Column("echo", sa.String(), nullable=True))
    op.add_column("change", sa.Column("choices", sa.String(), nullable=True))
    op.add_column("change", sa.Column("reverts", sa.Integer(), nullable=True))
    op.add_column("change", sa.Column("wants", sa.LargeBinary(), nullable=True))
    op.add_column("pending", sa.Column("choices", sa.String(), nullable=True))
