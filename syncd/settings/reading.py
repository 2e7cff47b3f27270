"""From pydantic's findings to problems with a place: which key, what it must be, what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import isclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from syncd.settings.origins import Origins, Unresolved
from syncd.settings.problems import Keys, Place, Problems, did_you_mean, dotted, nearest

M = TypeVar("M", bound=BaseModel)

_MAPPING = "must be a mapping (key: value)"
_WORDS = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "missing": "is missing",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "finite_number": "must be a finite number",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
}


def validated(
    model: type[M], data: Mapping[str, Any], at: Keys, origins: Origins, problems: Problems, also: Iterable[str] = ()
) -> M | None:
    """The model of ``data`` (found at ``at``), or None with its problems noted. ``also``: further keys known there, for suggestions."""
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            _note(model, detail, at, origins, problems, also)
        return None


def _note(model: type[BaseModel], detail: ErrorDetails, at: Keys, origins: Origins, problems: Problems, also: Iterable[str]) -> None:
    loc = tuple(part for part in detail["loc"] if not str(part).startswith("<"))
    keys = (*at, *loc)
    if detail["type"] == "extra_forbidden":
        known = {*names(_model_at(model, loc[:-1])), *(also if len(loc) == 1 else ())}
        inside = f" in {dotted(keys[:-1])}" if keys[:-1] else ""
        problems.add(origins.key(keys), f'unknown key "{keys[-1]}"{inside}', did_you_mean(str(keys[-1]), known))
    elif not isinstance(origins.at(keys), Unresolved):
        words, cure = _words(detail, origins.at(keys))
        problems.add(_place(detail["type"], words, keys, loc, origins), f"{dotted(keys)} {words}", cure)


def _place(kind: str, words: str, keys: Keys, loc: Keys, origins: Origins) -> Place:
    """What is missing is missed at the section's key; a finding about a whole section stands at the key its sentence begins with."""
    if kind == "missing":
        return origins.key(keys[:-1])
    if loc or kind != "value_error":
        return origins.value(keys)
    subject = (*keys, words.split(" ")[0])
    return origins.value(subject) if origins.at(subject) is not None else origins.key(keys)


def _words(detail: ErrorDetails, value: Any) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "literal_error":
        choices = str(context["expected"]).replace("'", "")
        meant = nearest(value, choices.replace(" or ", ", ").split(", ")) if isinstance(value, str) else None
        return f"must be {choices}", f'did you mean "{meant}"?' if meant else ""
    if kind == "string_pattern_mismatch":
        return f"must have the form {context['pattern']}", ""
    if value is None and _WORDS.get(kind) == _MAPPING:
        return "is empty", "say {} or remove it"
    words = (
        _WORDS[kind].format(**context)
        if kind in _WORDS
        else detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    )
    return words, "quote it" if kind == "string_type" and value is not None and not isinstance(value, dict | list) else ""


def names(model: type[BaseModel]) -> set[str]:
    """The keys a model knows, as they are written."""
    return {field.alias or name for name, field in model.model_fields.items()}


def _model_at(model: type[BaseModel], loc: Keys) -> type[BaseModel]:
    """The model of the section that ``loc`` leads to; dictionary keys and list positions on the way lead nowhere new."""
    for part in loc:
        field = next((field for name, field in model.model_fields.items() if (field.alias or name) == part), None)
        model = (_section(field.annotation) if field else None) or model
    return model


def _section(annotation: Any) -> type[BaseModel] | None:
    if isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for found in map(_section, get_args(annotation)) if found), None)
