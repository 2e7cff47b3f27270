"""The spine: identities, accounts, links, leases and the journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

OUT_OF_STEP = (
    "desired IS DISTINCT FROM actual"
    " AND NOT (desired IS NOT DISTINCT FROM tried_desired AND actual IS NOT DISTINCT FROM tried_actual)"
    " AND NOT (desired IS NOT DISTINCT FROM refused_desired AND actual IS NOT DISTINCT FROM refused_actual)"
)


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("container", sa.String(), nullable=True),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("identity", sa.String(), nullable=True),
        sa.Column("ignored", sa.Boolean(), nullable=False),
        sa.Column("document", sa.String(), nullable=True),
        sa.Column("reading", sa.String(), nullable=True),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("touched_at", sa.String(), nullable=True),
        sa.Column("gone_at", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("missing_since", sa.String(), nullable=True),
        sa.Column("missing_times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("account_by_id", "account", ["connection", "account", "object"], unique=True)
    bound = sa.text("identity IS NOT NULL")
    op.create_index("account_by_identity", "account", ["identity", "connection"], unique=False, sqlite_where=bound)
    op.create_index("account_by_place", "account", ["connection", "gone_at", "ordinal"], unique=False)
    op.create_index("account_ignored", "account", ["connection", "gone_at"], unique=False, sqlite_where=sa.text("ignored"))
    op.create_index("account_missing", "account", ["connection"], unique=False, sqlite_where=sa.text("missing_since IS NOT NULL"))
    op.create_table(
        "account_key",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("attribute", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "attribute"),
        sqlite_with_rowid=False,
    )
    op.create_index("account_by_key", "account_key", ["connection", "attribute", "key"], unique=False)
    op.create_table(
        "change",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("delta", sa.String(), nullable=False),
        sa.Column("expects", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("hold", sa.String(), nullable=False),
        sa.Column("held", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("cleared", sa.String(), nullable=True),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("revoke", sa.Boolean(), nullable=False),
        sa.Column("replaces", sa.String(), nullable=True),
        sa.Column("evidence_at", sa.String(), nullable=True),
        sa.Column("settled_at", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("recovered_by", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("change_by_identity", "change", ["identity", "connection"], unique=False)
    op.create_index("change_by_place", "change", ["run"], unique=False)
    op.create_index("change_by_recovery", "change", ["recovered_by"], unique=False, sqlite_where=sa.text("recovered_by IS NOT NULL"))
    op.create_index("change_by_run", "change", ["run", "connection", "state"], unique=False)
    revoking = sa.text("revoke AND state IN ('sent', 'retry', 'lost', 'rejected')")
    op.create_index("change_revoking", "change", ["connection"], unique=False, sqlite_where=revoking)
    updated = sa.text("kind = 'update' AND state = 'applied'")
    op.create_index("change_updated", "change", ["connection", "identity", "settled_at"], unique=False, sqlite_where=updated)
    op.create_table(
        "connection",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("connector", sa.String(), nullable=False),
        sa.Column("binding", sa.String(), nullable=False),
        sa.Column("learned", sa.String(), nullable=False),
        sa.Column("namespace", sa.String(), nullable=False),
        sa.Column("authoritative", sa.Boolean(), nullable=False),
        sa.Column("target", sa.Boolean(), nullable=False),
        sa.Column("reading", sa.String(), nullable=True),
        sa.Column("projected", sa.String(), nullable=True),
        sa.Column("consented", sa.String(), nullable=True),
        sa.Column("listing", sa.Integer(), nullable=False),
        sa.Column("attempted_at", sa.String(), nullable=True),
        sa.Column("sealed_at", sa.String(), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("defect", sa.String(), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("watermark", sa.String(), nullable=True),
        sa.Column("columns", sa.String(), nullable=True),
        sa.Column("last_full", sa.String(), nullable=True),
        sa.Column("last_delta", sa.String(), nullable=True),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "dirty",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "identity"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "identity",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("attributes", sa.String(), nullable=False),
        sa.Column("live", sa.String(), nullable=False),
        sa.Column("ignored", sa.Boolean(), nullable=False),
        sa.Column("forgotten", sa.Boolean(), nullable=False),
        sa.Column("departed_at", sa.String(), nullable=True),
        sa.Column("starts_at", sa.String(), nullable=True),
        sa.Column("ends_at", sa.String(), nullable=True),
        sa.Column("due_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("identity_due", "identity", ["due_at"], unique=False, sqlite_where=sa.text("due_at IS NOT NULL"))
    op.create_table(
        "identity_key",
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("attribute", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("identity", "attribute", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("identity_by_key", "identity_key", ["attribute", "key"], unique=False)
    op.create_table(
        "lease",
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("connection"),
    )
    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("desired", sa.LargeBinary(), nullable=True),
        sa.Column("actual", sa.LargeBinary(), nullable=True),
        sa.Column("owned", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("leaving_since", sa.String(), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.String(), nullable=True),
        sa.Column("hold", sa.String(), nullable=False),
        sa.Column("settled", sa.LargeBinary(), nullable=True),
        sa.Column("written", sa.String(), nullable=True),
        sa.Column("tried_desired", sa.LargeBinary(), nullable=True),
        sa.Column("tried_actual", sa.LargeBinary(), nullable=True),
        sa.Column("refused_desired", sa.LargeBinary(), nullable=True),
        sa.Column("refused_actual", sa.LargeBinary(), nullable=True),
        sa.Column("doubt", sa.Integer(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("link_by_account", "link", ["account_id"], unique=False)
    op.create_index("link_by_identity", "link", ["connection", "identity"], unique=True)
    op.create_index("link_by_key", "link", ["connection", "key"], unique=False)
    holding = sa.text("account_id IS NOT NULL")
    op.create_index("link_holding", "link", ["connection", "owned", "account_id"], unique=False, sqlite_where=holding)
    op.create_index("link_apart", "link", ["connection", "state"], unique=False, sqlite_where=sa.text("state <> 'live'"))
    refused = "refused_desired IS NOT NULL OR refused_actual IS NOT NULL"
    op.create_index("link_refused", "link", ["connection"], unique=False, sqlite_where=sa.text(refused))
    op.create_index("link_due", "link", ["connection", "due_at"], unique=False, sqlite_where=sa.text("due_at IS NOT NULL"))
    op.create_index("link_out_of_step", "link", ["connection", "id"], unique=False, sqlite_where=sa.text(OUT_OF_STEP))
    op.create_index("link_rejected", "link", ["connection"], unique=False, sqlite_where=sa.text("state = 'rejected' OR failures > 0"))
    op.create_table(
        "pending",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=True),
        sa.Column("link_id", sa.Integer(), nullable=True),
        sa.Column("account", sa.String(), nullable=True),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("hold", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("released_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("pending_by_change", "pending", ["connection", "change"], unique=True)
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("started", sa.String(), nullable=False),
        sa.Column("finished", sa.String(), nullable=True),
        sa.Column("report", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("creates", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.String(), nullable=False),
        sa.Column("settled_at", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("step_by_change", "step", ["change"], unique=False)
    op.create_index("step_by_time", "step", ["connection", "sent_at"], unique=False)
    op.create_index("step_lost", "step", ["connection", "settled_at"], unique=False, sqlite_where=sa.text("state = 'lost'"))
    op.create_index("step_open", "step", ["connection", "state"], unique=False, sqlite_where=sa.text("state IN ('sent', 'in_doubt')"))
