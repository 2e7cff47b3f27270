"""What a check is: an obligation, a function that tries it, and the capabilities without which there is nothing to try."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from syncd.connectors.conformance.bench import Broken
from syncd.connectors.conformance.stage import Stage
from syncd.connectors.obligations import OBLIGATIONS
from syncd.errors import SyncdError
from syncd.model import Capability

T = TypeVar("T")
Run = Callable[[Stage], Coroutine[Any, Any, None]]
Need = Callable[[Capability], str]
"""Why there is nothing to try with such a capability; "" = there is."""


@dataclass(frozen=True, slots=True)
class Check:
    """``obligation``: a name in `OBLIGATIONS`. ``run`` raises Broken or Inapplicable."""

    obligation: str
    run: Run
    needs: tuple[Need, ...]

    @property
    def name(self) -> str:
        """What is tried, in words."""
        return self.run.__name__.replace("_", " ")

    def idle(self, capability: Capability) -> str:
        """Why there is nothing to try; "" = there is."""
        return next(filter(None, (need(capability) for need in self.needs)), "")


CHECKS: list[Check] = []


def check(obligation: str, *needs: Need) -> Callable[[Run], Run]:
    """Register a function as a check of ``obligation``."""
    if obligation not in OBLIGATIONS:
        raise KeyError(obligation)

    def register(run: Run) -> Run:
        CHECKS.append(Check(obligation, run, needs))
        return run

    return register


def expect(holds: object, found: str) -> None:
    if not holds:
        raise Broken(found)


def broken(found: str) -> NoReturn:
    raise Broken(found)


async def attempt(asked: Awaitable[T]) -> T | SyncdError:
    """What came of it, an error of syncd.errors included; any other error is the connector's fault, and falls through."""
    try:
        return await asked
    except SyncdError as error:
        return error


def said(outcome: object) -> str:
    """``Retryable (POST /users: 503)``, ``an Account``."""
    return f"{type(outcome).__name__} ({outcome})" if isinstance(outcome, Exception) else f"{type(outcome).__name__}"


def writes(capability: Capability) -> str:
    return "" if capability.writes else "it is only read"


def deletes(capability: Capability) -> str:
    return "" if capability.deletes else "it deletes nobody"


def closed(capability: Capability) -> str:
    return "" if capability.attributes else "its attributes are whatever the source holds"


def identified(capability: Capability) -> str:
    return "" if capability.key or capability.marker else "it has neither key nor marker"
