"""The spine: identities, accounts, links and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from syncd.store.columns import NUMBER, TEXT, where

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
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("object", TEXT, nullable=False),
        sa.Column("account", TEXT, nullable=False),
        sa.Column("container", TEXT, nullable=True),
        sa.Column("ordinal", NUMBER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("identity", TEXT, nullable=True),
        sa.Column("ignored", sa.Boolean(), nullable=False),
        sa.Column("document", TEXT, nullable=True),
        sa.Column("reading", TEXT, nullable=True),
        sa.Column("version", TEXT, nullable=True),
        sa.Column("touched_at", TEXT, nullable=True),
        sa.Column("gone_at", TEXT, nullable=True),
        sa.Column("owner", TEXT, nullable=True),
        sa.Column("missing_since", TEXT, nullable=True),
        sa.Column("missing_times", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("account_by_id", "account", ["connection", "account", "object"], unique=True)
    bound = "identity IS NOT NULL"
    op.create_index("account_by_identity", "account", ["identity", "connection"], unique=False, **where(bound))
    op.create_index("account_by_place", "account", ["connection", "gone_at", "ordinal"], unique=False)
    op.create_index("account_ignored", "account", ["connection", "gone_at"], unique=False, **where("ignored"))
    op.create_index("account_missing", "account", ["connection"], unique=False, **where("missing_since IS NOT NULL"))
    op.create_table(
        "account_key",
        sa.Column("account_id", NUMBER, nullable=False),
        sa.Column("attribute", TEXT, nullable=False),
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "attribute"),
        sqlite_with_rowid=False,
    )
    op.create_index("account_by_key", "account_key", ["connection", "attribute", "key"], unique=False)
    op.create_table(
        "connection",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("connector", TEXT, nullable=False),
        sa.Column("binding", TEXT, nullable=False),
        sa.Column("learned", TEXT, nullable=False),
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("authoritative", sa.Boolean(), nullable=False),
        sa.Column("target", sa.Boolean(), nullable=False),
        sa.Column("reading", TEXT, nullable=True),
        sa.Column("projected", TEXT, nullable=True),
        sa.Column("consented", TEXT, nullable=True),
        sa.Column("listing", NUMBER, nullable=False),
        sa.Column("attempted_at", TEXT, nullable=True),
        sa.Column("sealed_at", TEXT, nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("defect", TEXT, nullable=False),
        sa.Column("accounts", NUMBER, nullable=False),
        sa.Column("pages", NUMBER, nullable=False),
        sa.Column("watermark", TEXT, nullable=True),
        sa.Column("columns", TEXT, nullable=True),
        sa.Column("last_full", TEXT, nullable=True),
        sa.Column("last_delta", TEXT, nullable=True),
        sa.Column("settled", NUMBER, nullable=False),
        sa.Column("error", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "dirty",
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("connection", "identity"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "identity",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("attributes", TEXT, nullable=False),
        sa.Column("live", TEXT, nullable=False),
        sa.Column("ignored", sa.Boolean(), nullable=False),
        sa.Column("forgotten", sa.Boolean(), nullable=False),
        sa.Column("departed_at", TEXT, nullable=True),
        sa.Column("starts_at", TEXT, nullable=True),
        sa.Column("ends_at", TEXT, nullable=True),
        sa.Column("due_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("identity_due", "identity", ["due_at"], unique=False, **where("due_at IS NOT NULL"))
    op.create_table(
        "identity_key",
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("attribute", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("identity", "attribute", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("identity_by_key", "identity_key", ["attribute", "key"], unique=False)
    op.create_table(
        "lease",
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("token", NUMBER, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("until", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("connection"),
    )
    op.create_table(
        "link",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("connection", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("account_id", NUMBER, nullable=True),
        sa.Column("desired", sa.LargeBinary(), nullable=True),
        sa.Column("actual", sa.LargeBinary(), nullable=True),
        sa.Column("owned", sa.Boolean(), nullable=False),
        sa.Column("generation", NUMBER, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=True),
        sa.Column("leaving_since", TEXT, nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("due_at", TEXT, nullable=True),
        sa.Column("hold", TEXT, nullable=False),
        sa.Column("settled", sa.LargeBinary(), nullable=True),
        sa.Column("written", TEXT, nullable=True),
        sa.Column("tried_desired", sa.LargeBinary(), nullable=True),
        sa.Column("tried_actual", sa.LargeBinary(), nullable=True),
        sa.Column("refused_desired", sa.LargeBinary(), nullable=True),
        sa.Column("refused_actual", sa.LargeBinary(), nullable=True),
        sa.Column("doubt", NUMBER, nullable=True),
        sa.Column("failures", NUMBER, nullable=False),
        sa.Column("retry_at", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("link_by_account", "link", ["account_id"], unique=False)
    op.create_index("link_by_identity", "link", ["connection", "identity"], unique=True)
    op.create_index("link_by_key", "link", ["connection", "key"], unique=False)
    holding = "account_id IS NOT NULL"
    op.create_index("link_holding", "link", ["connection", "owned", "account_id"], unique=False, **where(holding))
    op.create_index("link_apart", "link", ["connection", "state"], unique=False, **where("state <> 'live'"))
    refused = "refused_desired IS NOT NULL OR refused_actual IS NOT NULL"
    op.create_index("link_refused", "link", ["connection"], unique=False, **where(refused))
    op.create_index("link_due", "link", ["connection", "due_at"], unique=False, **where("due_at IS NOT NULL"))
    op.create_index("link_out_of_step", "link", ["connection", "id"], unique=False, **where(OUT_OF_STEP))
    op.create_index("link_rejected", "link", ["connection"], unique=False, **where("state = 'rejected' OR failures > 0"))
    op.create_table(
        "setting",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
