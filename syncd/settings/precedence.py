"""Precedence: who is asked for what, and what nobody may decide about themselves by editing their own account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from syncd.core.expression import ExpressionError, compile_expression
from syncd.core.opinions import contributed, echoing, trustworthy
from syncd.errors import Rejected
from syncd.model import Capability, Connection, MapEntry, Mutability
from syncd.settings.origins import Origins
from syncd.settings.problems import Keys, Problems, did_you_mean, dotted

_ALWAYS = {
    **dict.fromkeys(("active", "activeFrom", "activeUntil"), "says who has an account at all"),
    **dict.fromkeys(("userName", "externalId", "email"), "is what people are known by"),
}


class PrecedenceReader:
    """Checks the section ``precedence``; what is wrong goes to ``problems``. ``canonical``: the names in use -> CEL type."""

    def __init__(
        self, connections: Mapping[str, Connection], capabilities: Mapping[str, Capability], canonical: Mapping[str, str], origins: Origins,
        problems: Problems,
    ) -> None:  # fmt: skip
        self._connections, self._capabilities, self._canonical = connections, capabilities, canonical
        self._origins, self._problems = origins, problems

    def read(self, precedence: Mapping[str, tuple[str, ...]]) -> list[Connection]:
        """The connections, each with what it contributes."""
        contributes: dict[str, list[MapEntry]] = {name: [] for name in self._connections}
        for attribute, order in precedence.items():
            self._known(attribute, order)
            for n, name in enumerate(order):
                keys = ("precedence", attribute, n)
                if name not in self._connections:
                    cure = did_you_mean(name, self._connections)
                    self._refuse(keys, f'{dotted(keys[:2])}: no connection is named "{name}"', cure)
                elif attribute in self._canonical:
                    contributes[name] += self._contributed(attribute, self._connections[name], keys)
        return [replace(one, contributes=tuple(contributes[name])) for name, one in self._connections.items()]

    def _known(self, attribute: str, order: tuple[str, ...]) -> None:
        keys = ("precedence", attribute)
        if attribute not in self._canonical:
            message = f'precedence: unknown attribute "{attribute}"'
            self._problems.add(self._origins.key(keys), message, did_you_mean(attribute, self._canonical))
        if not order:
            self._refuse(keys, f"{dotted(keys)} names no connection", "name them in order, or remove it")

    def _contributed(self, attribute: str, one: Connection, keys: Keys) -> Iterator[MapEntry]:
        """Where a target is asked for it. Of a source everything counts but the echo of what syncd wrote there."""
        told, capability = dotted(keys[:2]), self._capabilities[one.name]
        if one.write is None:
            if not one.authoritative:
                cure = f"add `write: {{}}` to {one.name}, say `authoritative: true` on it, or remove it here"
                self._refuse(keys, f"{told}: {one.name} is neither a source nor a target, so none of its accounts is anybody's", cure)
            return
        try:
            entry = contributed(attribute, one, capability)
        except Rejected as error:
            if not one.authoritative:
                at = f"connections.{one.name}.read.attributes"
                self._refuse(keys, f"{told}: {error}", f"say in {at} where {attribute} stands by itself, or remove {one.name} here")
            return
        if one.authoritative:
            yield from [entry] if echoing(entry, one) else []
        elif attribute in self._decides and not trustworthy(entry, capability):
            message = f"{told}: who has an account at {one.name} may edit {entry.text} there, and {attribute} {self._decides[attribute]}"
            self._refuse(keys, message, f"remove {one.name} here, or read {attribute} from what only an administrator can write there")
        else:
            yield entry

    @cached_property
    def _decides(self) -> Mapping[str, str]:
        """Attribute -> what is decided by it."""
        found: dict[str, str] = {}
        for one in self._connections.values():
            if one.write is not None:
                for expression, what in ((one.write.scope, "scope"), (one.write.deprovision.retain, "retain")):
                    found.update(dict.fromkeys(self._names(expression), f"is in the {what} of {one.name}"))
                found.update(dict.fromkeys(one.write.correlate, f"finds accounts at {one.name} (correlate)"))
                for entry in one.write.attributes:
                    if _is_fixed(entry.name, self._capabilities[one.name]):
                        found.update(dict.fromkeys(self._sources(entry), f"makes the {entry.name} of accounts at {one.name}"))
        return {**found, **_ALWAYS}

    def _sources(self, entry: MapEntry) -> list[str]:
        if entry.source == "expr":
            return self._names(entry.text, "value")
        return [text.strip() for text in entry.text.split(",")]

    def _names(self, expression: str | None, result: str = "bool") -> list[str]:
        """What it reads; nothing of one that was already refused."""
        if expression is None or expression in self._canonical:
            return [expression] if expression else []
        try:
            return sorted(compile_expression(expression, self._canonical, result).names)
        except ExpressionError:
            return []

    def _refuse(self, keys: Keys, message: str, cure: str) -> None:
        self._problems.add(self._origins.value(keys), message, cure)


def _is_fixed(path: str, capability: Capability) -> bool:
    """Which account it is, where it lives, or whether it is switched on."""
    spec = capability.spec(path)
    places = {container.named_by for container in capability.containers.values()}
    switch = capability.switch[0] if capability.switch else None
    fixed = spec is not None and spec.mutability is Mutability.IMMUTABLE
    return fixed or path in {capability.key, capability.marker, switch, *capability.required, *places}
