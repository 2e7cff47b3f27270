"""What a database has to offer so that a store can live in it; `sqlite` and `postgresql` do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import CursorResult
from sqlalchemy.exc import DBAPIError

from syncd.errors import Fatal

PATIENCE = 30.0
"""Seconds for which a transaction waits for one of another process (contract: then exit 75)."""
Parameters = Mapping[str, Any]


class Backend(ABC):
    """One SQL connection in autocommit. ``name``: what people call this store; never a secret.

    Statements are SQL that SQLite and PostgreSQL read alike, with ``:name`` for a value and ``IN :name`` for a list of them; what little
    has no common form (``json_each(text) AS name``, ``text -> 'member'``) is said as SQLite says it. One writer at a time: `begin` waits
    for the other's end.
    """

    name: str
    reading: bool
    """Nothing can be written, and it was opened all the same, to look at it."""
    outlived: bool
    """Whoever writes may live on when its machine dies: what it gave out must be on its disk."""
    place: str
    """The column in whose order the rows of ``identity`` are read fastest, and which tells one from another."""
    sql: SqlConnection

    @abstractmethod
    def execute(self, statement: str, values: Parameters) -> CursorResult[Any]: ...

    @abstractmethod
    def many(self, statement: str, rows: Sequence[Parameters]) -> None: ...

    @abstractmethod
    def begin(self, *, durable: bool) -> None:
        """Raises what `failure` translates."""

    @abstractmethod
    def commit(self) -> None: ...

    @abstractmethod
    def roll_back(self) -> None:
        """Whatever there is to roll back; raises nothing."""

    @abstractmethod
    def ended(self, *, durable: bool) -> None:
        """After each transaction, however it ended."""

    @abstractmethod
    def needs_transaction(self, statement: str) -> bool:
        """Whether a statement outside a transaction would not wait for its turn."""

    @abstractmethod
    def failure(self, error: DBAPIError, verb: str = "written") -> Fatal | None:
        """What a failed transaction means for a person; None = a fault of the statement. ``verb``: what could not be done."""

    @abstractmethod
    def migrated(self) -> bool:
        """Whether any migration was ever applied."""

    @abstractmethod
    def writes(self) -> int:
        """Another number than before when another connection than this one wrote meanwhile."""

    @abstractmethod
    def behind(self, table: str, column: str, last: int) -> None:
        """The next number that the database gives out is higher than ``last``."""

    @abstractmethod
    def check(self) -> None:
        """Raises Moved when the store does not lie at its place any more."""

    @abstractmethod
    def reopen(self) -> None:
        """Go on with what lies at the store's place by now. Raises Moved when nothing does."""

    @abstractmethod
    def purge(self) -> bool:
        """Outside a transaction: leave no byte of what was deleted in the files of the tables. False while another process keeps some."""

    def close(self) -> None:
        self.sql.close()
        self.sql.engine.dispose()
