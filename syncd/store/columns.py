"""The types of columns, for each database, shared by tables and migrations.

Text is compared and ordered byte by byte everywhere, as SQLite does; numbers have 64 bits.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlmodel import AutoString

TEXT = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def where(condition: str) -> dict[str, Any]:
    """Of a partial index."""
    return {f"{name}_where": sa.text(condition) for name in ("sqlite", "postgresql")}


def typed(metadata: sa.MetaData) -> None:
    """What SQLModel makes of ``str`` and ``int``, as the databases keep it."""
    for column in (column for table in metadata.tables.values() for column in table.columns):
        if isinstance(column.type, AutoString):
            column.type = TEXT
        elif isinstance(column.type, sa.Integer):
            column.type = NUMBER
