"""Credentials that were refused are read anew, once; then the connection is suspended until others are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from syncd.daemon.due import ENOUGH
from syncd.engine.report import Result
from syncd.errors import Refused
from syncd.settings import Settings
from syncd.store import Store, connections

log = structlog.get_logger("syncd")


def renewed(settings: Settings, load: Callable[[], Settings], name: str) -> Settings | None:
    """``settings`` with the secrets that a connection has by now; None when they are the same, or more than secrets changed: that is for
    a reload."""
    try:
        now = load()
    except Refused as error:
        log.warning("configuration refused", error=str(error), connection=name)
        return None
    before, after = settings.options[name], now.options.get(name)
    if after is None or after == before or after.model_dump(mode="json") != before.model_dump(mode="json"):
        return None
    return replace(settings, options={**settings.options, name: after}, secrets=tuple(dict.fromkeys((*settings.secrets, *now.secrets))))


def suspend(store: Store, one: Result, now: datetime) -> None:
    """No further request with what was refused: too many of them lock an account out."""
    connections.unusable(store, one.name, one.error, ENOUGH, now)
    log.error("credentials refused", connection=one.name, error=one.error, cure="renew them; syncd notices, or send it SIGHUP")
