"""The one door to the expression language (CEL): type-checked when compiled, and an evaluation error is never a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from syncd.core.diagnosis import diagnose
from syncd.core.values import describe, tidy
from syncd.errors import Rejected

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPES = {
    "string": cel.Type.STRING,
    "bool": cel.Type.BOOL,
    "list": cel.Type.List(cel.Type.STRING),
    "map": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
    "double": cel.Type.DOUBLE,
}
_NOT_JSON = (cel.Type.BYTES, cel.Type.TIMESTAMP, cel.Type.DURATION)
_NO_ANSWER = (cel.Type.ERROR, cel.Type.UNKNOWN)


class ExpressionError(Exception):
    """The expression cannot be compiled; ``line`` and ``column`` count from 1 inside the expression."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{message} (at {line}:{column})")
        self.message, self.line, self.column = message, line, column


class EvaluationError(Exception):
    """The expression has no answer for these values; says why and quotes none of them."""


class Expression:
    """A compiled expression. ``names``: the variables it reads. Made by `compile_expression`."""

    __slots__ = ("_fill", "_program", "names", "text")

    def __init__(self, text: str, program: Any, variables: Mapping[str, str]) -> None:
        self.text, self.names = text, frozenset(variables)
        self._program = program
        self._fill = tuple((name, _FILL[kind]) for name, kind in variables.items())

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The answer: a bool, text, or any JSON value, as compiled. Absent text is "", a set [], a map {}, a boolean False (active: True).

        Raises EvaluationError when CEL answers with an error, and for values CEL would misread (it cuts text at a NUL).
        """
        answer = self._program.eval(data={name: fill(name, values.get(name)) for name, fill in self._fill})
        if answer.type() in _NO_ANSWER:
            raise EvaluationError(diagnose(answer.value()).message)
        try:
            return tidy(answer.plain_value())
        except Rejected as error:
            raise EvaluationError(f"its result: {error}") from None


def compile_expression(text: str, variables: Mapping[str, str], result: str) -> Expression:
    """``variables``: name -> string | bool | list (of text) | map (text to text) | double; ``result``: bool | string | value (any JSON).

    Names that CEL cannot spell are left out. Raises ExpressionError. Compiled once for equal arguments.
    """
    return _compile(text, tuple(sorted(variables.items())), result)


@lru_cache(maxsize=1024)
def _compile(text: str, variables: tuple[tuple[str, str], ...], result: str) -> Expression:
    try:
        program = _environment(variables).compile(text)
    except RuntimeError as error:
        flaw = diagnose(str(error), (*(name for name, _ in variables), *_FUNCTIONS))
        raise ExpressionError(flaw.message, flaw.line, flaw.column) from None
    _expect(program.return_type(), result)
    words = frozenset(_IDENTIFIER.findall(text))
    candidates = tuple(variable for variable in variables if variable[0] in words)
    reads = {name: kind for name, kind in candidates if not _compiles(text, tuple(pair for pair in candidates if pair[0] != name))}
    return Expression(text, program, reads)


def _expect(given: Any, result: str) -> None:
    name = given.name().lower()
    if result == "value":
        if given in _NOT_JSON or name.startswith("type<"):
            raise ExpressionError(f"gives {name}, which is not a JSON value: wrap it in string()")
    elif given != _TYPES[result]:
        raise ExpressionError(f"gives {name} where {result} is needed")


def _compiles(text: str, variables: tuple[tuple[str, str], ...]) -> bool:
    try:
        _environment(variables).compile(text)
    except RuntimeError:
        return False
    return True


@lru_cache(maxsize=1024)
def _environment(variables: tuple[tuple[str, str], ...]) -> Any:
    declared = {name: _TYPES[kind] for name, kind in variables if _spellable(name)}
    return cel.NewEnv(variables=declared, extensions=[ext_strings.ExtStrings()], functions=_DECLARATIONS)


@lru_cache(maxsize=1024)
def _spellable(name: str) -> bool:
    """Neither reserved (``in``, ``package``) nor the name of a type (``string``), nor anything but an identifier."""
    if not _IDENTIFIER.fullmatch(name):
        return False
    try:
        return bool(cel.NewEnv(variables={name: cel.Type.BYTES}).compile(name).return_type() == cel.Type.BYTES)
    except RuntimeError:
        return False


# ---- our own functions: CEL's case conversions are ASCII only -------------------------------------------------------


def _unicode(convert: Callable[[str], str], text: str) -> str:
    if "\0" in text:
        raise ValueError("the text holds a NUL character")  # its way back into CEL would cut the text there
    return convert(text)


def _declare(name: str, convert: Callable[[str], str]) -> Any:
    take, implementation = [cel.Type.STRING], partial(_unicode, convert)
    overloads = ((f"{name}_text", False), (f"text_{name}", True))
    return cel.FunctionDecl(name, [cel.Overload(id, cel.Type.STRING, take, member, implementation) for id, member in overloads])


_FUNCTIONS = ("lower", "upper")
_DECLARATIONS = [_declare("lower", str.lower), _declare("upper", str.upper)]


# ---- from values to what CEL takes ----------------------------------------------------------------------------------


def _string(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise EvaluationError(f"{name}: {describe(value)} where text is expected")
    try:
        tidy(value)
    except Rejected as error:
        raise EvaluationError(f"{name}: {error}") from None
    return value


def _strings(name: str, value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list | tuple | set | frozenset):
        raise EvaluationError(f"{name}: {describe(value)} where a list is expected")
    return [_string(name, member) for member in value]


def _mapping(name: str, value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise EvaluationError(f"{name}: {describe(value)} where an object is expected")
    return {_string(name, key): _string(f"{name}.{key}", member) for key, member in value.items()}


def _bool(name: str, value: Any) -> bool:
    if value is None or value == "":
        return name == "active"
    if not isinstance(value, bool):
        raise EvaluationError(f"{name}: {describe(value)} where true or false is expected")
    return value


def _double(name: str, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise EvaluationError(f"{name}: {'no value' if value is None else describe(value)} where a number is expected")
    return float(value)


_FILL: dict[str, Callable[[str, Any], Any]] = {"string": _string, "list": _strings, "map": _mapping, "bool": _bool, "double": _double}
