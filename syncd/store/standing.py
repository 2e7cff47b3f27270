"""How one identity stands at one target: its own row, its link and its account there, as the set questions of links.py find them."""

from __future__ import annotations

from typing import NamedTuple

COLUMNS = """
SELECT i.id, i.attributes, i.live, i.ignored, i.departed_at, i.starts_at, i.ends_at,
  l.id, l.desired, l.actual, l.owned, l.state, l.reason, l.key, l.leaving_since, l.counted, l.hold,
  l.settled, l.written, l.generation, l.doubt, l.failures, l.retry_at, l.due_at, l.tried_desired, l.tried_actual,
  l.account_id, a.account, a.document, a.gone_at,
  CASE WHEN l.account_id IS NULL OR a.gone_at IS NOT NULL THEN (
    SELECT MIN(x.account) FROM word AS w JOIN account AS x ON x.id = w.account_id AND x.gone_at IS NULL
    WHERE w.connection = :connection AND w.identity = i.id AND NOT w.yes
    AND NOT EXISTS (SELECT 1 FROM link AS h WHERE h.account_id = x.id)
    AND NOT EXISTS (SELECT 1 FROM word AS y JOIN account AS z ON z.id = y.account_id AND z.gone_at IS NULL
      WHERE y.connection = w.connection AND y.yes AND (y.identity = w.identity OR y.account_id = w.account_id))) END AS apart
"""
"""In the order of `Stands`; i, l and a are identity, link and account. ``apart``: an account that a person took from them, that is
nobody's, and that nobody is given: nor are they given another."""


class Stands(NamedTuple):
    """One row of `COLUMNS`. A tuple, because projection reads forty values of each: from a row of the database layer that takes
    ten times as long. Without a link all from ``link_id`` on is None.
    """

    identity: str
    attributes: str
    live: str
    ignored: bool
    departed_at: str | None
    starts_at: str | None
    ends_at: str | None
    link_id: int
    desired: bytes | None
    actual: bytes | None
    owned: bool
    state: str
    reason: str
    key: str | None
    leaving_since: str | None
    counted: bool
    hold: str
    settled: bytes | None
    written: str | None
    generation: int
    doubt: int | None
    failures: int
    retry_at: str | None
    due_at: str | None
    tried_desired: bytes | None
    tried_actual: bytes | None
    account_id: int | None
    account: str | None
    document: str | None
    gone_at: str | None
    apart: str | None
