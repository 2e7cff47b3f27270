"""Checks of what a connector says of itself, and of its switch."""

from __future__ import annotations

from collections.abc import Iterator

from syncd.connectors.conformance.bench import Inapplicable
from syncd.connectors.conformance.checks import check, closed, expect, writes
from syncd.connectors.conformance.stage import Stage, same
from syncd.model import CANONICAL, Capability, Mutability


@check("declared", closed)
async def capability_holds_together(stage: Stage) -> None:
    wrong = [*_undeclared(stage.capability), *_impossible(stage.capability)]
    expect(not wrong, "; ".join(wrong))


def _undeclared(capability: Capability) -> Iterator[str]:
    named = {path: f"write default {path}" for path in capability.write_defaults}
    for canonical, source in capability.read_defaults.items():
        named |= dict.fromkeys(source if isinstance(source, tuple) else (source,), f"read default of {canonical}")
    named |= {path: what for path, what in ((capability.key, "key"), (capability.marker, "marker")) if path is not None}
    if capability.switch is not None:
        named[capability.switch[0]] = "switch"
    yield from (f"{what}: no attribute {path} is declared" for path, what in named.items() if capability.spec(path) is None)


def _impossible(capability: Capability) -> Iterator[str]:
    yield from (f"{name} is declared under the name {spec.name}" for name, spec in capability.attributes.items() if name != spec.name)
    strange = sorted({*capability.read_defaults, *capability.write_defaults.values()} - {*CANONICAL})
    yield from (f"{name} is no canonical attribute" for name in strange)
    fixed = [path for path in capability.write_defaults if _mutability(capability, path) is Mutability.READ_ONLY]
    yield from (f"{path} is in the default write map, but read-only" for path in fixed)
    if capability.key is not None and capability.writes and _mutability(capability, capability.key) is not Mutability.IMMUTABLE:
        yield f"the key {capability.key} is not immutable"
    if capability.own_ids and capability.key is None:
        yield "its ids are ours to choose, but it has no key"


def _mutability(capability: Capability, path: str) -> Mutability | None:
    spec = capability.spec(path)
    return spec.mutability if spec is not None else None


@check("switch", writes)
async def switch_goes_both_ways(stage: Stage) -> None:
    if stage.capability.switch is None:
        raise Inapplicable("it has no switch of its own")
    path, live, disabled = stage.capability.switch
    account = await stage.make()
    for value in (disabled, live):
        await stage.update(account, {path: value})
        found = await stage.value(account.id, path)
        expect(same(found, value), f"{path} was set to {value!r} and is {found!r}")
