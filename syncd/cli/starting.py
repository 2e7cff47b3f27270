"""`syncd init`: a first configuration, guessed from the people file, with the reason for each guess."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.app import app, command
from syncd.cli.exits import DONE, Failed
from syncd.cli.invocation import Invocation

if TYPE_CHECKING:
    from syncd.settings.draft import People

FILE = "syncd.yaml"
SHOWN = 5
EXAMPLE = 'department == "Support"'
People_ = Annotated[Path | None, typer.Argument(metavar="[people.csv]", help="A .csv, .jsonl or .json file.", show_default=False)]
Connectors = Annotated[
    list[str] | None, typer.Option("--connector", metavar="NAME", help="A target of this kind; may be repeated.", show_default=False)
]


@dataclass(frozen=True)
class Found:
    """What is known of the people file: how the draft names it, an example of a scope, rows with faults of their own."""

    people: People
    scope: str
    flaws: Sequence[str]


@command(app, "init")
def init(invocation: Invocation, people: People_ = None, connector: Connectors = None) -> int:
    """Write a commented configuration, guessed from the people file.

    Nothing is overwritten. Without a target, the people are read and the first plan is shown; it writes to no provider.
    """
    from syncd.cli import templates
    from syncd.settings.draft import draft

    path = invocation.config or Path(FILE)
    if os.path.lexists(path):
        raise Failed(f"{path} exists already and is not overwritten: say another name with --config PATH")
    targets, stands = templates.targets(connector or ())
    found = None if people is None else _look(people, path, invocation.environ)
    following = "syncd check, syncd plan" if targets or found is None else "syncd plan"
    text = draft(found.people if found else None, targets, found.scope if found else EXAMPLE, following)
    _write(path, text)
    _check(invocation, path, stands, complete=found is not None)
    missing = [name for name in stands if name not in invocation.environ]
    if invocation.printer.json:
        invocation.printer.show(_document(path, found), lambda: [])
        return DONE
    invocation.printer.lines(_lines(path, found, people, missing))
    return _plan(invocation, path) if found is not None and not targets else DONE


def _look(file: Path, config: Path, environ: Mapping[str, str]) -> Found:
    """Raises Failed for a file from which nobody can be told apart."""
    from syncd.connectors import file_shape
    from syncd.errors import Incomplete
    from syncd.settings.draft import People
    from syncd.settings.guess import guess

    try:
        shape = file_shape.look(file)
        found = guess(shape.columns, shape.rows)
        tried: dict[str, file_shape.Ids] = {}
        for column, why in found.ids:
            tried[column] = file_shape.ids(file, column, shape.delimiter)
            if not tried[column].problems:
                told = f"{why}; there for everybody, different for each" if tried[column].people else why
                path = os.path.relpath(file.absolute(), config.absolute().parent)
                path = str(file.absolute()) if path.startswith("..") else path
                people = People(path, tried[column].people, (column, told), shape.delimiter, found, zone(environ))
                return Found(people, _scope(found, shape.rows), tried[column].rows)
    except Incomplete as error:
        raise Failed(f"{error}; nothing was written") from None
    raise Failed(_no_id(file, shape.columns, tried))


def _no_id(file: Path, columns: Sequence[str], tried: Mapping[str, Any]) -> str:
    lines = [f"no column of {file.name} can be the id: it must be there for everybody, different for each, and never change"]
    for column, ids in tried.items():
        more = f" (and {len(ids.problems) - SHOWN:,} more)" if len(ids.problems) > SHOWN else ""
        lines.append(f"  {column}: {'; '.join(ids.problems[:SHOWN])}{more}")
    lines += [] if tried else [f"  its columns: {', '.join(columns)}"]
    return "\n".join([*lines, "  correct the file, or add such a column; nothing was written"])


def _scope(found: Any, rows: Sequence[Mapping[str, Any]]) -> str:
    """An example that some of these people fit."""
    from collections import Counter

    for one in found.attributes:
        if one.canonical in ("department", "organization", "title") and one.sure:
            values = Counter(value for row in rows if isinstance(value := row.get(one.column), str) and value and '"' not in value)
            if values and (common := values.most_common(1)[0][0]).isprintable() and "\\" not in common:
                return f'{one.canonical} == "{common}"'
    return EXAMPLE


def zone(environ: Mapping[str, str]) -> str:
    """This machine's time zone by its IANA name, "" where it has none or it is UTC."""
    from zoneinfo import ZoneInfo

    link = os.path.realpath("/etc/localtime")
    name = environ.get("TZ", "").lstrip(":") or link.partition("zoneinfo/")[2]
    try:
        ZoneInfo(name)
    except (ValueError, OSError):
        return ""
    return "" if name in ("UTC", "Etc/UTC", "Universal", "Etc/Universal", "Zulu") else name


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror}") from None


def _check(invocation: Invocation, path: Path, stands: Mapping[str, str], *, complete: bool) -> None:
    """What was written loads, with stand-ins for the variables that are not set. Raises Failed, and leaves no file behind, if not."""
    from syncd.cli.invocation import registry
    from syncd.errors import Refused
    from syncd.settings import load

    if not complete:
        return
    try:
        load(path, registry(), {**stands, **invocation.environ})
    except Refused as error:
        path.unlink()
        raise Failed(f"what could be guessed is no configuration, and was not kept:\n{error}") from None


def _document(path: Path, found: Found | None) -> dict[str, Any]:
    from syncd.cli.documents import document

    guesses = found.people.guesses.attributes if found else ()
    told = [{"attribute": one.canonical, "from": one.text, "why": one.why, "written": one.sure} for one in guesses]
    return document("init", path=str(path), id=found.people.id[0] if found else None, guesses=told)


def _lines(path: Path, found: Found | None, file: Path | None, missing: Sequence[str]) -> list[Any]:
    from syncd.cli.printer import BOLD, YELLOW
    from syncd.cli.text import count, listed

    lines: list[Any] = [(f"{path} is written.", BOLD)]
    if found is not None and file is not None:
        guesses = found.people.guesses
        sure = [one.canonical for one in guesses.attributes if one.sure]
        lines.append(
            f"{file.name}: {count(found.people.count or 0, 'person', 'people')}; id {found.people.id[0]}; {listed(sure) or 'nothing else'}"
        )
        lines += [(f"left to you: {one.canonical}: {one.why}", YELLOW) for one in guesses.attributes if not one.sure]
        lines += [(flaw, YELLOW) for flaw in found.flaws[:SHOWN]]
        lines += [f"... and {len(found.flaws) - SHOWN:,} more rows that cannot be read"] if len(found.flaws) > SHOWN else []
    if found is None:
        lines.append("Next: put your people where `path` says, or: syncd init people.csv")
    if missing:
        lines.append(f"Set {listed(missing)} in the environment (or say file:PATH), read the file, then: syncd check")
    return lines


def _plan(invocation: Invocation, path: Path) -> int:
    """The first plan: without a target it says who was read, and what of it."""
    from syncd.cli.sending import plan

    invocation.config = path
    invocation.printer.lines([""])
    code = plan(invocation)
    invocation.printer.lines([f"Next: add a target ({path} moved away, `syncd init --connector NAME` writes one), then: syncd check"])
    return code
