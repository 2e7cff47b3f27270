"""Requests a change at each provider, counted at the sandbox, beside the fewest that its API allows for the same change."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from syncd.sandbox import Sandbox, serve
from tests.bench.inside import Inside
from tests.bench.load import PEOPLE

PEOPLE_COUNT = 10
"""Each change is made to so many people in one run."""
CHANGES = ("create", "one attribute", "three", "disable", "delete")


@dataclass(frozen=True)
class Case:
    """``map``: of a target. ``one`` and ``three``: the columns of the people file in which an update changes them. ``fewest``: requests,
    in the order of `CHANGES`, where whatever else stands in the account is to survive. ``why``: what makes it more than one.
    """

    map: Mapping[str, str]
    one: str
    three: tuple[str, str, str]
    fewest: tuple[int, ...]
    why: str
    disabled: Mapping[str, Any] = field(default_factory=dict)


CASES = {
    "twilio": Case(
        {"attributes.department": "department", "attributes.title": "title"}, "displayName", ("displayName", "department", "title"),
        (1, 1, 2, 2, 1), "attributes is one text: what others put there is read before it is written", {"attributes.active": False},
    ),
    "appwrite": Case(
        {"prefs.department": "department"}, "displayName", ("displayName", "email", "phone"),
        (3, 1, 3, 2, 2), "one request an attribute, labels and prefs apart from the create; sessions of leavers are ended",
    ),
    "chatbotkit": Case(
        {"meta.department": "department"}, "displayName", ("displayName", "email", "department"),
        (2, 2, 2, 3, 2), "a write answers the id alone, so the account is read back; tokens of leavers are listed",
        {"meta.active": False},
    ),
    "waii": Case(
        {"variables.department": "department", "variables.title": "title"}, "displayName", ("displayName", "department", "title"),
        (2, 3, 3, 3, 2), "a write answers nothing, so the user is read back; an update replaces the user, so it is read before",
        {"variables.active": False},
    ),
}  # fmt: skip
LIMITS = {kind: {"max": 10_000_000, "percent": 100_000} for kind in ("create", "update", "delete", "clear")}


def main() -> None:
    for provider, case in CASES.items():
        with tempfile.TemporaryDirectory() as root:
            counted = _counted(Path(root), provider, case)
        print(f"\nRequests a change at {provider} ({PEOPLE_COUNT} of each; {case.why})")
        print(f"  {'':14} {'syncd':>6} {'fewest':>6}")
        for change, requests, fewest in zip(CHANGES, counted, case.fewest, strict=True):
            print(f"  {change:14} {requests:>6.3g} {fewest:>6}")


def _counted(root: Path, provider: str, case: Case) -> list[float]:
    """What each change costs beyond a cycle that finds nothing to do."""
    stays, *others = (_person(number) for number in range(PEOPLE_COUNT + 1))
    _write(root, [stays])
    sandbox = Sandbox(only=[provider])
    journal = sandbox.providers[provider].journal
    with serve(sandbox) as url, Inside(root, {"people": PEOPLE, "app": _target(sandbox.config_yaml(url, [provider]), case)}) as inside:

        def requests(people: list[dict[str, str]]) -> int:
            _write(root, people)
            before = len(journal.requests)
            inside.cycle()
            return len(journal.requests) - before

        requests([stays])
        idle = requests([stays])
        once = [{**one, case.one: _other(one[case.one])} for one in others]
        thrice = [{**one, **{name: _other(_other(one[name])) for name in case.three}} for one in once]
        stages = (others, once, thrice, [{**one, "active": "false"} for one in thrice], [])
        return [(requests([stays, *stage]) - idle) / PEOPLE_COUNT for stage in stages]


def _target(config: str, case: Case) -> dict[str, Any]:
    target: dict[str, Any] = list(YAML(typ="safe").load(config)["connections"].values())[-1]
    disabled = {"disabled": case.disabled} if case.disabled else {}
    write = {"attributes": case.map, "deprovision": {"departed": "delete", "grace": "0s"}, **disabled}
    return {**target, "write": write, "limits": LIMITS}


def _person(number: int) -> dict[str, str]:
    texts = {name: f"{name} {number}" for name in ("displayName", "department", "title")}
    address = f"p{number}@corp.example"
    return {"id": f"e{number}", "userName": f"p{number}", "email": address, "phone": f"+120255501{number:02}", "active": "true", **texts}


def _other(value: str) -> str:
    """Another value of the same kind."""
    return value.replace("5550", "5551") if value.startswith("+") else f"x{value}"


def _write(root: Path, people: list[dict[str, str]]) -> None:
    with (root / "people.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, list(people[0]))
        rows.writeheader()
        rows.writerows(people)
