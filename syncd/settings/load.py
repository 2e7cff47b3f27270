"""Finds, reads and checks a configuration; every problem of it is reported at once, each with its place and its cure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syncd.errors import Refused
from syncd.settings import arrivals, place, sections, sources, yaml
from syncd.settings.connections import ConnectionReader, Registry
from syncd.settings.landscape import Assembler
from syncd.settings.origins import Origins
from syncd.settings.problems import Problems
from syncd.settings.reading import validated
from syncd.settings.settings import Log, Settings, Store


def load(
    path: Path | None,
    registry: Registry,
    environ: Mapping[str, str],
    *,
    flags: Mapping[str, Any] | None = None,
    directory: Path | None = None,
    offline: bool = False,
) -> Settings:
    """``path``: of ``--config``, if given. ``flags``: dotted key -> value, strongest of all. ``directory``: where to look (default: here).
    ``offline``: no provider will be asked, so that secrets may be missing from the environment.

    Raises Refused, naming every problem.
    """
    document = yaml.read(find(path, environ, directory or Path.cwd()))
    problems = Problems()
    problems.found.extend(document.duplicates)
    layers = [sources.from_flags(flags or {}), sources.from_environment(environ), *sources.from_secrets(environ)]
    origins = Origins(document, layers)
    configured = len(_mapping(origins.tree.get("connections")))
    arrivals.refuse(origins, problems)
    missing = Problems() if offline else problems
    origins.resolve(environ, missing)
    settings = _checked(origins, registry, problems, configured)
    if len(settings.landscape.connections) < configured:  # what is missing is more than a secret
        problems.found.extend(one for one in missing.found if one not in problems.found)
    problems.raise_any()
    return settings


def find(path: Path | None, environ: Mapping[str, str], directory: Path) -> Path:
    """The configuration file: ``--config``, $SYNCD_CONFIG, then the usual places. Raises Refused, naming the places looked at."""
    named = path or (Path(environ["SYNCD_CONFIG"]) if environ.get("SYNCD_CONFIG") else None)
    if named is not None:
        given = directory / named
        if not os.path.exists(given):
            raise Refused(str(named), "there is no such configuration file", "named by " + ("--config" if path else "$SYNCD_CONFIG"))
        return given
    home = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else "")
    places = [directory / "syncd.yaml", directory / "config" / "syncd.yaml"]
    places += [Path(home) / "syncd" / "config.yaml"] if home else []
    places.append(Path("/etc/syncd/config.yaml"))
    found = next((place for place in places if os.path.isfile(place)), None)
    if found is None:
        cure = "begin with the example, config/syncd.yaml, name yours with --config PATH, or see `syncd config schema`"
        raise Refused("configuration", f"no file found at {', '.join(map(str, places))}", cure)
    return found


def _checked(origins: Origins, registry: Registry, problems: Problems, configured: int) -> Settings:
    """``configured``: how many connections the file names, those not arrived included."""
    reader = ConnectionReader(registry, origins, problems)
    parsed = [one for name, data in _mapping(origins.tree.get("connections")).items() if (one := reader.parse(name, data))]
    for n, notice in enumerate(_list(origins.tree.get("notify"))):
        for value in _hidden(_mapping(notice).get("url")):
            reader.secret(("notify", n, "url"), value)
    for value in place.secrets(origins.at(("store", "url"))):
        reader.secret(("store", "url"), value)
    whole = validated(sections.Root, origins.tree, (), origins, problems)
    root = whole or sections.Root(connections={})
    assembler = Assembler(root, parsed, origins, problems)
    landscape = assembler.landscape(complete=whole is not None and len(parsed) == configured)
    return Settings(
        path=origins.document.path, landscape=landscape, options={one.name: one.options for one in parsed},
        store=Store(place.absolute(root.store.url, origins, problems), root.store.lease), log=Log(root.log.level, root.log.format),
        schedules={one.name: one.section.schedule for one in parsed}, server=root.server, notify=root.notify,
        warnings=tuple(reader.warnings + assembler.warnings), notices=tuple(assembler.notices), secrets=tuple(reader.secrets),
    )  # fmt: skip


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _hidden(url: Any) -> list[Any]:
    """What must not be shown of an address to which is told: all of it, and the parts that let anybody in."""
    parts = urlsplit(url) if isinstance(url, str) else None
    return [url, *(part for part in (parts.password, parts.path.lstrip("/")) if part)] if parts else []
