"""YAML 1.2 with the line and column of every key and value; duplicate keys, tags and endless anchors are refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.errors import Refused
from syncd.settings.problems import Keys, Place, Problem, joined

MAXIMUM_VALUES = 50_000
"""Values one file may hold once its aliases are followed: anchors of anchors grow exponentially."""
TAG = "tag:yaml.org,2002:"


@dataclass
class Document:
    """A configuration file as plain data, and where each part of it stands."""

    path: Path
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    keys: dict[Keys, Place] = field(default_factory=dict)
    values: dict[Keys, Place] = field(default_factory=dict)
    spans: dict[Keys, tuple[int, int]] = field(default_factory=dict)
    duplicates: list[Problem] = field(default_factory=list)

    def inside(self, keys: Keys, value: str, line: int, column: int) -> Place:
        """The place of a character of a scalar (line and column of its value, 1-based), whatever its quoting and folding.

        Counts the characters that are not white space: quotes, indentation and folding only add or move the others.
        """
        lines = value.split("\n")
        before = "".join("\n".join([*lines[: line - 1], lines[line - 1][: column - 1]]).split())
        wanted = "".join(value.split())[: len(before) + 1]
        start, end = self.spans[keys]
        offset = _walk(self.text, _content(self.text, start), end, wanted)
        if offset is None:
            return self.values[keys]
        past = 0 if len(wanted) > len(before) else 1
        head = self.text[: offset + past]
        return Place(self.values[keys].source, head.count("\n") + 1, len(head) - head.rfind("\n"))


def _content(text: str, start: int) -> int:
    """Index of a scalar's content: after its anchor, and for a block scalar on the line after its ``|`` or ``>``."""
    if text[start] == "&":
        start = next(index for index in range(start, len(text)) if text[index].isspace()) + 1
    return text.index("\n", start) if text[start] in "|>" else start


def _walk(text: str, offset: int, end: int, wanted: str) -> int | None:
    """Index of the last of the wanted characters, found one after the other; None when the source spells them otherwise (escapes)."""
    found = offset - 1
    for character in wanted:
        found = text.find(character, found + 1, end)
        if found < 0:
            return None
    return found


def read(path: Path) -> Document:
    """Reads one file. Raises Refused for what cannot be read, parsed or is no mapping; repeated keys are left in ``duplicates``."""
    document = Document(path, _text(path))
    node, convert = _compose(document)
    if node is None:
        raise Refused(str(path), "the file is empty", "begin with the example, config/syncd.yaml, or see `syncd config schema`")
    if node.id != "mapping":
        cure = "begin with `version: 1` and `connections:`"
        raise Refused(
            str(_place(document, node.start_mark)), f"the configuration must be a mapping (key: value), not a {_kind(node)}", cure
        )
    builder = _Builder(document, convert)
    document.data = builder.build(node, ())
    if builder.problems:
        raise joined(sorted(builder.problems))
    return document


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refused(str(path), f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Refused(str(path), f"is not UTF-8 text (byte {error.start + 1})", "save it as UTF-8") from None


def _compose(document: Document) -> tuple[Any, Any]:
    """The root node, with the constructor that knows the document's YAML version."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    yaml = YAML(typ="safe", pure=True)
    try:
        return yaml.compose(document.text), yaml.constructor
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message, cure = _syntax(error)
        raise Refused(str(_place(document, mark)), message, cure) from None
    except ReaderError as error:
        head = document.text[: error.position]
        place = Place(str(document.path), head.count("\n") + 1, error.position - head.rfind("\n"))
        raise Refused(str(place), "a control character or half a surrogate pair has no place in YAML") from None
    except RecursionError:
        raise Refused(str(document.path), "is nested too deeply") from None


def _syntax(error: Any) -> tuple[str, str]:
    """Message and cure of a syntax error; what stands in the file (perhaps a secret) is not repeated."""
    problem = str(error.problem or error.context)
    if "'\\t'" in problem:
        return "YAML indents with spaces; here is a tab", "replace the tab by spaces"
    if "undefined alias" in problem:
        return "an alias (*name) without its anchor (&name)", "a value that begins with * must be quoted"
    if "cannot start any token" in problem:
        return f"YAML: {problem}", "quote a value that begins with a special character"
    if "but found another document" in problem:
        return "a second YAML document begins here", "one file holds one document: remove the `---`"
    begun = error.context_mark
    context = f", {error.context} that begins at line {begun.line + 1}" if error.context and begun else ""
    return f"YAML: {problem}{context}", "check quotes, brackets and indentation here and on the line above"


def _place(document: Document, mark: Any) -> Place:
    return Place(str(document.path), mark.line + 1, mark.column + 1)


def _kind(node: Any) -> str:
    return {"sequence": "list", "scalar": "single value", "mapping": "mapping"}[node.id]


class _Builder:
    """Turns composed nodes into plain data, noting places and problems."""

    def __init__(self, document: Document, convert: Any) -> None:
        self.document = document
        self.convert = convert
        self.problems: list[Problem] = []
        self.values = 0
        self.open: set[int] = set()

    def build(self, node: Any, keys: Keys) -> Any:
        self.values += 1
        written = node.id != "scalar" or node.value or node.style
        place = _place(self.document, node.start_mark)
        self.document.spans[keys] = (node.start_mark.index, node.end_mark.index)
        self.document.values[keys] = place if written else self.document.keys.get(keys, place)
        if self.values > MAXIMUM_VALUES or id(node) in self.open:
            refusal = "an anchor contains itself" if id(node) in self.open else f"more than {MAXIMUM_VALUES:,} values"
            raise Refused(str(self.document.values[keys]), refusal)
        self.open.add(id(node))
        try:
            return self._scalar(node) if node.id == "scalar" else self._collection(node, keys)
        finally:
            self.open.discard(id(node))

    def _collection(self, node: Any, keys: Keys) -> Any:
        if node.tag not in (TAG + "map", TAG + "seq"):
            self._refuse(node, "YAML tags (!name) are not supported", "remove the tag")
        if node.id == "sequence":
            return [self.build(item, (*keys, n)) for n, item in enumerate(node.value)]
        return self._mapping(node, keys)

    def _mapping(self, node: Any, keys: Keys) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in self._own(node):
            path = (*keys, key.value)
            if key.value in result:
                cure = f"it already stands at line {self.document.keys[path].line}: keep one of them"
                self.document.duplicates.append(Problem(_place(self.document, key.start_mark), f'duplicate key "{key.value}"', cure))
                continue
            self.document.keys[path] = _place(self.document, key.start_mark)
            result[key.value] = self.build(value, path)
        for merged in self._merged(node):
            for key, value in self._own(merged):
                if key.value not in result:
                    path = (*keys, key.value)
                    self.document.keys[path] = _place(self.document, key.start_mark)
                    result[key.value] = self.build(value, path)
        return result

    def _own(self, node: Any) -> Iterator[tuple[Any, Any]]:
        """Pairs but the merge keys; a key is its text, whatever it would be as a value."""
        for key, value in node.value:
            if key.id != "scalar":
                self._refuse(key, f"a key must be a single word, not a {_kind(key)}")
            elif key.tag != TAG + "merge":
                yield key, value

    def _merged(self, node: Any) -> Iterator[Any]:
        """The mappings that ``<<`` names, the first of them strongest, each followed by what it merges itself."""
        for key, value in node.value:
            if key.tag != TAG + "merge":
                continue
            for source in value.value if value.id == "sequence" else [value]:
                if source.id != "mapping" or id(source) in self.open:
                    self._refuse(source, "<< takes another mapping, or a list of them")
                    continue
                yield source
                self.open.add(id(source))
                yield from self._merged(source)
                self.open.discard(id(source))

    def _scalar(self, node: Any) -> Any:
        kind = node.tag.removeprefix(TAG)
        if kind in ("str", "timestamp", "merge"):
            return node.value
        if kind in ("bool", "int", "float"):
            return self._converted(node, kind)
        if kind != "null":
            self._refuse(node, "YAML tags (!name) are not supported", "remove the tag")
        return None

    def _converted(self, node: Any, kind: str) -> Any:
        try:
            value = getattr(self.convert, f"construct_yaml_{kind}")(node)
        except (ValueError, KeyError):
            return self._refuse(node, f"this is no valid {kind}", "remove the tag, or quote the value")
        if not math.isfinite(value):
            self._refuse(node, "infinity and not-a-number have no meaning here")
        return value

    def _refuse(self, node: Any, message: str, cure: str = "") -> None:
        self.problems.append(Problem(_place(self.document, node.start_mark), message, cure))
