"""Where the value of one attribute comes from: a map entry, compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncd.core.expression import EvaluationError, Expression, ExpressionError, compile_expression
from syncd.core.kinds import text
from syncd.core.paths import clean, get
from syncd.errors import Refused, Rejected
from syncd.model import MapEntry


@dataclass(frozen=True, slots=True)
class Source:
    """``columns``: names are columns of a file and must be there, except as alternatives."""

    entry: MapEntry
    expression: Expression | None
    columns: bool

    def value(self, attributes: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
        """The clean value, through ``map`` and ``default``; None = no value. Raises Rejected, naming the attribute.

        Names are looked up in ``attributes``, expressions see ``variables``.
        """
        try:
            value = clean(self._origin(attributes, variables))
            return value if value is not None and self.entry.table is None else clean(self._translated(value))
        except (EvaluationError, Rejected) as error:
            raise Rejected(f"{self.entry.name}: {error}") from None

    @property
    def reads(self) -> tuple[str, ...]:
        """The names whose values it looks at."""
        if self.expression is not None:
            return tuple(sorted(self.expression.names))
        names = {"name": [self.entry.text], "first": self.entry.text.split(",")}.get(self.entry.source, [])
        return tuple(name.strip() for name in names)

    def _origin(self, attributes: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
        if self.expression is not None:
            return self.expression.evaluate(variables)
        match self.entry.source:
            case "value":
                return self.entry.value
            case "first":
                names = (name.strip() for name in self.entry.text.split(","))
                return next((found for name in names if (found := clean(self._named(attributes, name))) is not None), None)
        if self.columns and self.entry.text not in attributes:
            raise Rejected(f"column {self.entry.text} is missing")
        return self._named(attributes, self.entry.text)

    def _named(self, attributes: Mapping[str, Any], name: str) -> Any:
        return attributes.get(name) if self.columns else get(attributes, name)

    def _translated(self, value: Any) -> Any:
        if self.entry.table is None:
            return self.entry.default
        if isinstance(value, list):
            return [self._looked_up(self.entry.table, member) for member in value]
        return self._looked_up(self.entry.table, value)

    def _looked_up(self, table: Mapping[str, Any], value: Any) -> Any:
        key = "" if value is None else text(value)
        if key in table:
            return table[key]
        if self.entry.has_default or value is None:
            return self.entry.default
        raise Rejected(f"{key[:60]!r} is not in its map, and the map has no default")


def compile_source(entry: MapEntry, variables: Mapping[str, str], kind: str, *, columns: bool = False, strict: bool = False) -> Source:
    """``kind``: of the attribute it is for. ``strict``: an expression for a boolean must give one, not its words.

    Raises Refused for an expression that does not compile.
    """
    if entry.source != "expr":
        return Source(entry, None, columns)
    result = "value"
    if entry.table is None:
        result = "string" if kind == "string" else "bool" if kind == "boolean" and strict else "value"
    try:
        return Source(entry, compile_expression(entry.text, variables, result), columns)
    except ExpressionError as error:
        raise Refused(entry.where, f"{entry.name}: {error}") from None
