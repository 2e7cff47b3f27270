"""The text of a first configuration: what was guessed, each line with its reason; targets with all that they need, scope as a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from syncd.settings.guess import Guesses
from syncd.settings.headers import LANGUAGES, ZONES

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
WIDTH = 34
"""Characters of a line before its comment."""
HEAD = """\
# yaml-language-server: $schema=syncd.schema.json
#
# Written by `syncd init`: a draft to be read. Each guess says why; correct what is wrong, then: {next}.
# An editor completes and checks this file once the schema lies beside it: syncd config schema > syncd.schema.json
# Any value may be env:NAME (an environment variable) or file:PATH (the content of a file).

version: 1
instance: default                  # part of every marker: two installations never take each other's accounts
store: {{url: sqlite:///syncd.db}}   # what syncd remembers; beside this file

connections:
"""


@dataclass(frozen=True, slots=True)
class People:
    """The people file as the draft names it; ``id`` with the reason. ``zone``: of this machine, "" where it is not known."""

    path: str
    count: int | None
    id: tuple[str, str]
    delimiter: str
    guesses: Guesses
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A connection to be written to: ``keys`` with their values as YAML and a comment; ``write``: lines within that section."""

    name: str
    connector: str
    keys: Sequence[tuple[str, str, str]]
    write: Sequence[str] = ()


PLACEHOLDER = """\
  people:                          # who there is: an export of the HR system, say
    connector: file                # .csv, .jsonl or .json, in UTF-8
    path: people.csv               # put yours here; `syncd check` says what is missing
    id: employeeNumber             # the column that never changes for a person
    authoritative: true            # its rows bring people into being
    # read:
    #   attributes: {userName: email, displayName: name}     # canonical name <- column
"""


def draft(people: People | None, targets: Sequence[Target], scope: str, following: str) -> str:
    """``scope``: an expression over canonical names as an example; ``following``: the command to type next."""
    parts = [HEAD.format(next=following), PLACEHOLDER if people is None else "\n".join(_people(people)) + "\n"]
    parts += ["\n" + "\n".join(_target(one, scope)) + "\n" for one in targets]
    return "".join(parts)


def quoted(text: str) -> str:
    """A YAML scalar that reads back as this text (YAML 1.2, section 7.3.1)."""
    if PLAIN.fullmatch(text) and text.lower() not in RESERVED:
        return text
    if '"' in text and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(one) for one in text) + '"'


def _escaped(one: str) -> str:
    if one in '"\\':
        return "\\" + one
    if one.isprintable():
        return one
    return f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}"


def comment(text: str) -> str:
    """One line, whatever a header holds."""
    return "".join(one if one.isprintable() else " " for one in text)


def _line(indent: int, text: str, why: str = "") -> str:
    line = " " * indent + text
    return f"{line.ljust(WIDTH)} # {comment(why)}" if why else line


def _people(people: People) -> Iterator[str]:
    found = people.guesses
    yield _line(2, "people:", f"{people.count:,} people" if people.count else "nobody yet")
    yield _line(4, "connector: file")
    yield _line(4, f"path: {quoted(people.path)}")
    yield _line(4, f"id: {quoted(people.id[0])}", people.id[1])
    if people.delimiter != ",":
        yield _line(4, f"delimiter: {quoted(people.delimiter)}", "what separates the cells")
    yield _line(4, "authoritative: true", "its rows bring people into being")
    yield _line(4, "# namespace: people", "part of every identity's id; keep it when you rename the connection")
    sure, unsure = [one for one in found.attributes if one.sure], [one for one in found.attributes if not one.sure]
    if sure or unsure:
        yield _line(4, "read:")
        yield _line(6, "attributes:" if sure else "attributes: {}", "canonical name <- column, or an expression")
        yield from (_line(8, f"{one.canonical}: {quoted(one.text)}", one.why) for one in sure)
        yield from (_line(8, f"# {one.canonical}: {quoted(one.text)}", one.why) for one in unsure)
        if found.dated:
            yield _line(6, f"timezone: {people.zone or 'UTC'}", _zoned(people))
    if found.unused:
        yield _line(4, f"# not used: {comment(', '.join(found.unused))}")


def _zoned(people: People) -> str:
    hint = ZONES.get(people.guesses.language, "")
    told = "of dates without a time: this machine's" if people.zone else "of dates without a time"
    if hint and hint != people.zone:
        told += f"; the headers are {LANGUAGES[people.guesses.language]}: perhaps {hint}"
    return told


def _target(one: Target, scope: str) -> Iterator[str]:
    yield _line(2, f"{one.name}:")
    yield _line(4, f"connector: {quoted(one.connector)}")
    yield from (_line(4, f"{key}: {value}", why) for key, value, why in one.keys)
    yield _line(4, "write:", "makes it a target; the first plan waits for your yes")
    yield _line(6, "apply: auto", "never: plans are made and shown, not sent")
    yield _line(6, f"# scope: {quoted(scope)}", "who has an account here; unsaid: everybody")
    yield from (_line(6, line) for line in one.write)
