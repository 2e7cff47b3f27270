"""Whether a store can be reached: asked from outside, beside whoever works with it, without changing anything."""

from __future__ import annotations

from pathlib import Path

from syncd.errors import Fatal
from syncd.store.database import Database

_SQLITE = "sqlite:///"


def problem(url: str) -> str:
    """Why it cannot be reached, in words; "" when it can."""
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).is_file():
        return "its file is gone"
    try:
        database = Database(url, looking=True)
        try:
            database.value("SELECT value FROM setting WHERE name = 'store'")
        finally:
            database.close()
    except Fatal as error:
        return str(error).partition("\n")[0]
    return ""
