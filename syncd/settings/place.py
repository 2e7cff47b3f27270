"""Where the store is: a file, or a PostgreSQL database by an address that may hold a password."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from syncd.settings.origins import Origins, Unresolved
from syncd.settings.problems import Problems

SQLITE = "sqlite:///"
POSTGRESQL = ("postgresql://", "postgres://")
_PASSWORDS = re.compile(r"(?<=://)([^/?#@:]*):([^/?#]*)(?=@)|(?<=[?&])((?:ssl)?password)=([^&#]*)")
"""Before the host, and as a parameter (libpq documentation, "Connection URIs")."""


def absolute(url: str, origins: Origins, problems: Problems) -> str:
    """As it is opened: the path of a file is relative to the configuration."""
    if url.startswith(POSTGRESQL):
        return url
    if (not url.startswith(SQLITE) or url == SQLITE) and not isinstance(origins.at(("store", "url")), Unresolved):
        forms = "store.url must have the form sqlite:///PATH or postgresql://USER@HOST/NAME"
        problems.add(origins.value(("store", "url")), forms, "for example sqlite:///syncd.db")
    return SQLITE + str((origins.directory / url.removeprefix(SQLITE)).absolute())


def secrets(url: object) -> list[str]:
    """The passwords in an address, as they are and as they are written there."""
    if not isinstance(url, str) or not url.startswith(POSTGRESQL):
        return []
    found = [one[1] or one[3] for one in _PASSWORDS.findall(url)]
    return list(dict.fromkeys(form for one in found for form in (unquote(one), one) if form))


def shown(url: str, mask: str) -> str:
    """The address with ``mask`` in the place of its passwords."""
    if not url.startswith(POSTGRESQL):
        return url
    return _PASSWORDS.sub(lambda found: f"{found[1]}:{mask}" if found[3] is None else f"{found[3]}={mask}", url)


def file(url: str) -> Path | None:
    """The file of a store that is one."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None
