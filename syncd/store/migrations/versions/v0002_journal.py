"""The journal: runs, changes, steps, and what waits for a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncd.store.columns import NUMBER, TEXT, where

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("run", NUMBER, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("object", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("link_id", NUMBER, nullable=False),
        sa.Column("account_id", NUMBER, nullable=True),
        sa.Column("account", TEXT, nullable=True),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("delta", TEXT, nullable=False),
        sa.Column("expects", sa.LargeBinary(), nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("hold", TEXT, nullable=False),
        sa.Column("held", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("cleared", TEXT, nullable=True),
        sa.Column("requests", NUMBER, nullable=False),
        sa.Column("revoke", sa.Boolean(), nullable=False),
        sa.Column("replaces", TEXT, nullable=True),
        sa.Column("evidence_at", TEXT, nullable=True),
        sa.Column("settled_at", TEXT, nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("recovered_by", NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("change_by_identity", "change", ["identity", "connection"], unique=False)
    op.create_index("change_by_place", "change", ["run"], unique=False)
    op.create_index("change_by_recovery", "change", ["recovered_by"], unique=False, **where("recovered_by IS NOT NULL"))
    op.create_index("change_by_run", "change", ["run", "connection", "state"], unique=False)
    revoking = "revoke AND state IN ('sent', 'retry', 'lost', 'rejected')"
    op.create_index("change_revoking", "change", ["connection"], unique=False, **where(revoking))
    updated = "kind = 'update' AND state = 'applied'"
    op.create_index("change_updated", "change", ["connection", "identity", "settled_at"], unique=False, **where(updated))
    op.create_table(
        "pending",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("change", TEXT, nullable=False),
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("object", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=True),
        sa.Column("link_id", NUMBER, nullable=True),
        sa.Column("account", TEXT, nullable=True),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("hold", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("run", NUMBER, nullable=False),
        sa.Column("seen", NUMBER, nullable=False),
        sa.Column("since", TEXT, nullable=False),
        sa.Column("released_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("pending_by_change", "pending", ["connection", "change"], unique=True)
    op.create_table(
        "run",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("mode", TEXT, nullable=False),
        sa.Column("started", TEXT, nullable=False),
        sa.Column("finished", TEXT, nullable=True),
        sa.Column("report", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "step",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("change", NUMBER, nullable=False),
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("n", NUMBER, nullable=False),
        sa.Column("creates", sa.Boolean(), nullable=False),
        sa.Column("summary", TEXT, nullable=False),
        sa.Column("token", NUMBER, nullable=False),
        sa.Column("sent_at", TEXT, nullable=False),
        sa.Column("settled_at", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("error", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("step_by_change", "step", ["change"], unique=False)
    op.create_index("step_by_time", "step", ["connection", "sent_at"], unique=False)
    op.create_index("step_lost", "step", ["connection", "settled_at"], unique=False, **where("state = 'lost'"))
    op.create_index("step_open", "step", ["connection", "state"], unique=False, **where("state IN ('sent', 'in_doubt')"))
