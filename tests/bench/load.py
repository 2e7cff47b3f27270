"""People files and configurations of any size for the benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from tests.bench.served import Served

PEOPLE = {"connector": "file", "path": "people.csv", "id": "id", "authoritative": True}
LIMITLESS = {"create": {"max": 10_000_000, "percent": 100_000}}


def prepared(root: Path, sandbox: Served, people: int) -> Path:
    """A people file of ``people`` rows and a configuration that brings them into the sandbox; its path."""
    write_people(root, people)
    return configured(root, {"people": PEOPLE, "chat": {**sandbox.target, "rate": {"concurrency": 16}, "limits": LIMITLESS}})


def write_people(root: Path, count: int) -> None:
    with (root / "people.csv").open("w", encoding="utf-8") as file:
        file.write("id,userName,displayName\n")
        file.writelines(f"{number},p{number}@corp.example,Person {number}\n" for number in range(count))


def configured(root: Path, connections: Mapping[str, Mapping[str, Any]]) -> Path:
    """A configuration of these connections; its path."""
    path = root / "syncd.yaml"
    path.write_bytes(orjson.dumps({"version": 1, "connections": connections}))  # all JSON is YAML 1.2
    return path
