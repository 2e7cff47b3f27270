"""Every failure syncd can name, grouped by what the caller does next.

::

    SyncdError
    |-- Retryable       nothing happened at the provider: try again later (429, connect refused, 503 on a read)
    |-- InDoubt         the request left, the answer did not come: find out before sending it again
    |-- Rejected        this one change or record cannot be done as asked: report it, go on with the others
    |-- Quarantined     this connection must stop at once (403, drifting identity field)
    |   |-- Unauthorized    ... because its credentials are refused (401)
    |   |-- Lost            ... because another run may hold its lease: nothing is wrong with it
    |   `-- Paused          ... because a person said so: nothing failed
    |       `-- Ending          ... because this process is asked to end
    |-- Outdated        this saved plan is not applied (any more): make a new one
    |-- Incomplete      this listing proves nothing about who is missing: keep the data, plan no leaver
    `-- Fatal           the configuration or the store is unusable: change nothing, exit 78
        |-- Refused     the configuration, at a file:line:column
        |-- Busy        another run holds the lease: exit 75
        `-- Away        the store does not answer, and may again: exit 1
"""

from __future__ import annotations


class SyncdError(Exception):
    """Base of all; ``str(error)`` is one sentence for a person and never holds a secret."""


class Retryable(SyncdError):
    """Nothing was done; ``after`` is the provider's own wish in seconds, if it gave one."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class InDoubt(SyncdError):
    """An unsafe request was sent and its outcome is unknown."""


class Rejected(SyncdError):
    """One change or record is refused; ``code``: the provider's own error code, if any; ``account``: the id of a refused record."""

    def __init__(self, message: str, code: str | None = None, account: str | None = None) -> None:
        super().__init__(message)
        self.code, self.account = code, account


class Quarantined(SyncdError):
    """The whole connection stops; nothing more is sent to it in this run."""


class Paused(Quarantined):
    """A person wants nothing written there for now: what was not sent is skipped, and no failure."""


class Ending(Paused):
    """This process is asked to end: what was not begun is left to the next run."""

    def __init__(self) -> None:
        super().__init__("interrupted: syncd was asked to end; the next run goes on here")


class Unauthorized(Quarantined):
    """The provider refuses the credentials: others may help, these never will."""


class Lost(Quarantined):
    """This run did not keep its lease: another goes on there."""


class Outdated(SyncdError):
    """A saved plan does not fit what is there now, or is not what was saved; nothing of it is done."""


class Incomplete(SyncdError):
    """A listing ended without its proof of completeness."""


class Fatal(SyncdError):
    """Nothing can run until a person changes something; ends with exit code 78."""

    exit_code = 78


class Refused(Fatal):
    """A configuration value is refused; ``where`` is ``file:line:column`` (or the environment name) and ``cure`` says what to do."""

    def __init__(self, where: str, message: str, cure: str = "") -> None:
        super().__init__(f"{where}: {message}" + (f"\n  {cure}" if cure else ""))
        self.where, self.message, self.cure = where, message, cure


class Busy(Fatal):
    """Another run holds the lease of ``connection``, or another process keeps the whole store."""

    exit_code = 75

    def __init__(self, message: str, connection: str | None = None) -> None:
        super().__init__(message)
        self.connection = connection


class Away(Fatal):
    """The store's database does not answer: what was not committed is undone, and the next run goes on when it is back."""

    exit_code = 1
