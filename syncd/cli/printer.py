"""The one door to stdout and stderr: text or JSON, escaped, masked, coloured only where a terminal wants it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TextIO

from syncd.cli.text import escaped, shortened

GREEN, YELLOW, RED, CYAN, DIM, BOLD = "32", "33", "31", "36", "2", "1"
"""SGR parameters (ECMA-48 8.3.117)."""
CLEAR = "\r\x1b[K"
"""Back to the first column, the line erased."""
WIDTH = 120
"""Columns of a terminal that does not say."""
Styled = tuple[str, str]
"""A line of text and its style, or ``""``."""
View = Callable[[], Iterable[str | Styled]]


class Printer:
    """``json``: documents instead of text. ``quiet``: no notes. `mask` is replaced as soon as the secrets are known."""

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str], *, json: bool = False, quiet: bool = False) -> None:
        self.out, self.err, self.json, self.quiet = out, err, json, quiet
        self.mask: Callable[[Any], Any] = lambda value: value
        self._environ = environ

    @property
    def live(self) -> bool:
        """stderr is a terminal on which a line may be written over."""
        return not self.quiet and self.err.isatty() and self._environ.get("TERM") != "dumb"

    def show(self, document: Mapping[str, Any], view: View) -> None:
        """A result: its document, or the same as text."""
        if self.json:
            self.document(document)
        else:
            self.lines(view())

    def lines(self, lines: Iterable[str | Styled], *, aside: bool = False) -> None:
        """Text on stdout; ``aside``: on stderr, because stdout is for a document."""
        self._write(self.err if aside else self.out, lines)

    def text(self, text: str) -> None:
        """A finished text (YAML, CSV) on stdout, masked and otherwise as it is."""
        self.out.write(self.mask(text))
        self.out.flush()

    def note(self, *lines: str | Styled) -> None:
        """What is no result: warnings, hints; on stderr, not when quiet."""
        if not self.quiet:
            self._write(self.err, lines)

    def failure(self, message: str) -> None:
        """Why it ended; on stderr, always. A message of several lines keeps them."""
        self._write(self.err, message.split("\n"))

    def prompt(self, question: str) -> None:
        self.err.write(escaped(self.mask(question)))
        self.err.flush()

    def status(self, text: str) -> None:
        """A passing line on a live stderr, no longer than it is wide; ``""`` takes it away."""
        self.err.write(CLEAR + shortened(escaped(self.mask(text)), self._width() - 1))
        self.err.flush()

    def _width(self) -> int:
        """Columns of the terminal that stderr is; a line that wraps cannot be written over."""
        try:
            return os.get_terminal_size(self.err.fileno()).columns or WIDTH
        except (OSError, ValueError):
            return WIDTH

    def _write(self, stream: TextIO, lines: Iterable[str | Styled]) -> None:
        colored = self._colored(stream)
        for line in lines:
            text, style = line if isinstance(line, tuple) else (line, "")
            safe = escaped(self.mask(text))
            stream.write(f"\x1b[{style}m{safe}\x1b[0m\n" if colored and style else f"{safe}\n")
        stream.flush()

    def _colored(self, stream: TextIO) -> bool:
        if self._environ.get("NO_COLOR"):
            return False
        return bool(self._environ.get("FORCE_COLOR")) or (stream.isatty() and self._environ.get("TERM") != "dumb")

    def document(self, document: Mapping[str, Any]) -> None:
        """One member a line, one element of a list a line; an iterator among the members is written as it comes."""
        mark = "{"
        for name, value in document.items():
            self.out.write(f"{mark}\n  {self._dumped(name)}: ")
            if isinstance(value, list | Iterator):
                self._elements(value)
            else:
                self.out.write(self._dumped(value))
            mark = ","
        self.out.write("\n}\n")
        self.out.flush()

    def _elements(self, values: Iterable[Any]) -> None:
        mark = "["
        for value in values:
            self.out.write(f"{mark}\n    {self._dumped(value)}")
            mark = ","
        self.out.write("[]" if mark == "[" else "\n  ]")

    def _dumped(self, value: Any) -> str:
        """Half a surrogate pair, which no encoding takes, leaves as its escape (RFC 8259 section 8.2)."""
        text = json.dumps(self.mask(value), ensure_ascii=(self.out.encoding or "utf-8").lower() != "utf-8")
        return text.encode("utf-8", "backslashreplace").decode()
