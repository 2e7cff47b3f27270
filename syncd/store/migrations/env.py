"""Alembic's entry: migrate over the connection it was handed."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

import syncd.store.journal_tables
import syncd.store.tables  # noqa: F401
from syncd.store.columns import typed

typed(SQLModel.metadata)
context.configure(connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
