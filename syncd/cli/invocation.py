"""One call of the command line: its global options, and the way from them to settings, store and printer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from syncd.cli.printer import Printer
from syncd.environment import Environment

if TYPE_CHECKING:
    from pydantic import BaseModel

    from syncd.settings import Settings
    from syncd.store import Store


class Invocation:
    """``environ`` and ``environment``: those of the process by default. ``config``: of --config.

    ``verbose``: everything, tracebacks included; the printer's ``quiet``: results alone. ``offline``: said by a command that asks no
    provider, before it looks at the settings: their secrets are not needed.
    """

    def __init__(self, environ: Mapping[str, str] | None = None, environment: Environment | None = None) -> None:
        self.environ = os.environ if environ is None else environ
        self.environment = environment or Environment()
        self.printer = Printer(sys.stdout, sys.stderr, self.environ)
        self.config: Path | None = None
        self.verbose = False
        self.offline = False

    def take(self, config: Path | None, json: bool, verbose: bool, quiet: bool) -> None:
        """Global options count wherever they stand, before or after the command's name."""
        self.config = config or self.config
        self.verbose |= verbose
        self.printer.json |= json
        self.printer.quiet |= quiet

    @property
    def attended(self) -> bool:
        """Somebody sits there and can be asked (stdin is None where a service manager closed it)."""
        return sys.stdin is not None and sys.stdin.isatty()

    @cached_property
    def settings(self) -> Settings:
        """The configuration; its warnings go to stderr, its secrets are masked from here on. Raises Refused."""
        from syncd.settings import load

        settings = load(self.config, registry(), self.environ, offline=self.offline)
        self._log(settings)
        self.printer.note(*((f"warning: {warning}", "33") for warning in settings.warnings))
        return settings

    def _log(self, settings: Settings) -> None:
        """On a terminal, where the results are read at once, only what is wrong is logged; elsewhere what the configuration says."""
        from syncd import log

        usual = "warning" if self.printer.err.isatty() else settings.log.level
        level = "debug" if self.verbose else "error" if self.printer.quiet else usual
        self.printer.mask = log.setup(level, settings.log.format, settings.secrets, self.printer.err).value

    @contextmanager
    def store(self, *, looking: bool = False) -> Iterator[Store]:
        """The store of this configuration, closed afterwards. ``looking``: it will not be written."""
        from syncd.store import Store

        store = Store(self.settings.store.url, self.settings.landscape.instance, looking=looking)
        try:
            yield store
        finally:
            store.close()


class Registry(Mapping[str, "type[BaseModel]"]):
    """Connector name -> its option class; imported when it is first asked for."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def __getitem__(self, name: str) -> type[BaseModel]:
        from syncd import connectors

        if name not in self._names:
            raise KeyError(name)
        return connectors.get(name).options

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


HIDDEN = frozenset({"memory"})
"""Connectors for tests: they work, and are not spoken of."""


def registry(*, hidden: bool = True) -> Registry:
    """Every installed connector; without ``hidden`` those meant for people."""
    from syncd import connectors

    return Registry(tuple(name for name in connectors.names() if hidden or name not in HIDDEN))
