"""The history of the schema, newest last (Alembic)."""
