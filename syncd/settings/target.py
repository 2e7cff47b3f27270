"""The ``write`` side of a connection: limits merged key by key, what happens to leavers, what disabling writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd import model
from syncd.core.entitlement import Event
from syncd.core.expression import ExpressionError, compile_expression
from syncd.core.rule import compile_rule
from syncd.errors import Refused
from syncd.model import Capability, Limit, MapEntry, Mutability, Target
from syncd.settings import sections
from syncd.settings.connections import Parsed
from syncd.settings.maps import MapReader
from syncd.settings.problems import Keys, did_you_mean, dotted

LIMITS = {
    "delete": Limit(20, 5.0, 1),
    "create": Limit(500, 20.0, 10),
    "update": Limit(None, 50.0, 10),
    "clear": Limit(None, 5.0, 1),
}
"""What one connection may change in 24 hours without a person's yes (version 1)."""

EVENTS = tuple(event.value for event in Event)


def target(parsed: Parsed, write: sections.Write, reader: MapReader, canonical: Mapping[str, str], correlate: tuple[str, ...]) -> Target:
    """The whole of what is written at this connection; problems go to the reader's. ``correlate``: the top-level default."""
    at = (*parsed.at, "write")
    attributes = reader.write(write.attributes, canonical)
    if not parsed.capability.writes:
        where = reader.origins.key(at)
        reader.problems.add(where, f"{dotted(at)}: {parsed.section.connector} connections are only read", "remove `write`")
    _condition(write.scope, (*at, "scope"), reader, canonical)
    _known(write.correlate or (), (*at, "correlate"), reader, canonical)
    disabled = _overlay(write.disabled, attributes, at, reader)
    return Target(
        attributes=attributes, scope=write.scope, correlate=correlate if write.correlate is None else write.correlate,
        adopt=write.adopt, apply=write.apply, deprovision=_deprovision(write, at, reader, canonical), disabled=disabled,
        drift=write.drift, on_key_change=write.on_key_change, revoke=write.revoke, limits=limits(parsed.section.limits),
        settle=parsed.section.settle,
    )  # fmt: skip


def limits(configured: sections.Limits) -> dict[str, Limit]:
    """The default limits with what was said over them: ``create: {percent: 50}`` keeps its max."""
    merged = {}
    for kind, default in LIMITS.items():
        keys: sections.LimitKeys = getattr(configured, kind)
        maximum = keys.max if "max" in keys.model_fields_set else default.maximum
        merged[kind] = Limit(maximum, default.percent if keys.percent is None else keys.percent, default.least)
    return merged


def can_disable(capability: Capability, write: sections.Write) -> bool:
    return capability.switch is not None or bool(write.disabled)


def events(write: sections.Write) -> sections.Deprovision:
    """What was said about leavers; one word stands for the last two events."""
    said = write.deprovision
    return said if isinstance(said, sections.Deprovision) else sections.Deprovision(out_of_scope=said, departed=said)


def _deprovision(write: sections.Write, at: Keys, reader: MapReader, canonical: Mapping[str, str]) -> model.Deprovision:
    said, able = events(write), can_disable(reader.capability, write)
    chosen = {name: getattr(said, name) for name in EVENTS}
    here = (*at, "deprovision")
    for name in EVENTS if isinstance(write.deprovision, sections.Deprovision) else EVENTS[-1:]:
        keys = (*here, name) if isinstance(write.deprovision, sections.Deprovision) else here
        if chosen[name] == "disable" and not able:
            _refuse(reader, keys, "disable", "say in `disabled` what disabling writes, or use keep or delete")
        if chosen[name] == "delete" and not reader.capability.deletes:
            _refuse(reader, keys, "delete", "use keep")
    if said.retain is not None and said.retain not in canonical:
        _condition(said.retain, (*here, "retain"), reader, canonical)
    usual = "disable" if able else "keep"
    return model.Deprovision(**{name: word or usual for name, word in chosen.items()}, grace=said.grace, retain=said.retain)


def _refuse(reader: MapReader, keys: Keys, verb: str, cure: str) -> None:
    reader.problems.add(reader.origins.value(keys), f"{dotted(keys)}: {reader.connector} cannot {verb} accounts", cure)


def _condition(text: str | None, keys: Keys, reader: MapReader, canonical: Mapping[str, str]) -> None:
    if text is None:
        return
    try:
        compile_expression(text, canonical, "bool")
    except ExpressionError as error:
        reader.expression(error, text, keys)


def _known(attributes: tuple[str, ...], keys: Keys, reader: MapReader, canonical: Mapping[str, str]) -> None:
    for n, name in enumerate(attributes):
        if name not in canonical:
            place = reader.origins.value((*keys, n))
            reader.problems.add(place, f'{dotted(keys)}: unknown attribute "{name}"', did_you_mean(name, canonical))


def _overlay(disabled: Mapping[str, Any], attributes: tuple[MapEntry, ...], at: Keys, reader: MapReader) -> dict[str, Any]:
    """What disabling writes, as the provider stores it: it must be writable, of the right type, and undone by what re-enabling writes."""
    settled = {}
    mapped = {entry.name for entry in attributes}
    for path, literal in disabled.items():
        keys = (*at, "disabled", path)
        spec = reader.capability.spec(path)
        try:
            rule = compile_rule(MapEntry(path, "value", value=literal), reader.capability, {})
            settled[path] = None if literal is None else rule.settled(literal)
        except Refused as refusal:
            place = reader.origins.key(keys) if spec is None else reader.origins.value(keys)
            reader.problems.add(place, f"{dotted(keys[:-1])}: {refusal.message}", refusal.cure)
            continue
        if spec is not None and spec.mutability is Mutability.IMMUTABLE:
            reader.problems.add(reader.origins.key(keys), f"{dotted(keys)} can be set only when the account is created", "remove it")
        elif spec is not None and path == spec.name and path not in mapped:
            message = f"{dotted(keys)}: re-enabling could not restore it, because nothing is mapped to {path}"
            reader.problems.add(reader.origins.key(keys), message, f"add `{path}:` to {dotted(at)}.attributes")
    return settled
