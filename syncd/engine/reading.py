"""What came of reading one connection, as the rest of a run needs to know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from syncd.errors import Ending, Quarantined, SyncdError, Unauthorized
from syncd.model import Flaw


@dataclass(slots=True)
class Reading:
    """What came of reading one connection since ``started``. ``stopped``: why nothing may be sent to it in this run: it refuses us.

    ``unauthorized``: because of the credentials. ``broken``: it failed, whatever its records are like. ``delta``: only what changed was
    read, so nobody is missing from it; ``accounts`` are those of the last full listing then. ``told``: what a person may want to know of
    how it was read.
    """

    name: str
    started: datetime
    delta: bool = False
    before: int = 0
    accounts: int = 0
    pages: int = 0
    changed: int = 0
    vanished: int = 0
    defect: str = ""
    stopped: str = ""
    unauthorized: bool = False
    broken: bool = False
    seconds: float = 0.0
    flaws: list[Flaw] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.defect

    @property
    def whole(self) -> bool:
        """Everything was read, to its proven end."""
        return self.complete and not self.delta

    def failed(self, error: SyncdError) -> None:
        """It could not be read to its end; after Quarantined the connection wants nothing more of us."""
        self.defect, self.broken = str(error), not isinstance(error, Ending)
        if isinstance(error, Quarantined):
            self.stopped, self.unauthorized = self.defect, isinstance(error, Unauthorized)
