"""Lists as PostgreSQL reads them in one text: the driver's own way takes each member through several calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg.adapt import AdaptersMap
from psycopg.types.string import StrDumper


class _Texts(str):
    """Of ``text[]``."""


class _Numbers(str):
    """Of ``bigint[]``."""


class _TextsDumper(StrDumper):
    oid = 1009


class _NumbersDumper(StrDumper):
    oid = 1016


def register(adapters: AdaptersMap) -> None:
    adapters.register_dumper(_Texts, _TextsDumper)
    adapters.register_dumper(_Numbers, _NumbersDumper)


def listed(values: Sequence[Any]) -> Any:
    """Text or whole numbers as one text (PostgreSQL documentation, "Array Input and Output Syntax"); an empty list as it is: the database
    knows of what it is one."""
    if not values:
        return []
    if isinstance(values[0], str):
        return _Texts("{" + ",".join([_quoted(value) for value in values]) + "}")
    return _Numbers("{" + ",".join(map(str, values)) + "}")


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
