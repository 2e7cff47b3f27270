"""Is this identity in scope of this connection."""

from __future__ import annotations

from collections.abc import Collection

from syncd.core import variables
from syncd.core.expression import EvaluationError, compile_expression
from syncd.errors import Rejected
from syncd.model import Attributes


class Scope:
    """A boolean expression over canonical attributes; None = everyone. ``names``: the attributes it reads. Raises ExpressionError if it
    does not compile."""

    def __init__(self, text: str | None, canonical: Collection[str]) -> None:
        self._expression = None if text is None else compile_expression(text, variables.canonical(canonical), "bool")
        self.text = text
        self.names = frozenset() if self._expression is None else self._expression.names

    def includes(self, attributes: Attributes) -> bool:
        """Raises Rejected where the expression has no answer: that identity is frozen at this connection, neither in nor out."""
        try:
            return self._expression is None or bool(self._expression.evaluate(attributes))
        except EvaluationError as error:
            raise Rejected(f"scope: {error}") from None
