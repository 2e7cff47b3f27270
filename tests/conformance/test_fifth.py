"""The README's "Write a connector", followed to the letter: Rota is installed, keeps its obligations, and is synchronised."""

from __future__ import annotations

import io
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from syncd import connectors
from syncd.cli.main import main
from syncd.environment import Environment
from syncd.sandbox import FaultPlan, serve
from syncd.sandbox.gateway import Gateway, application
from tests.conformance.rota_service import Rota

README = Path(__file__).parents[2] / "README.md"
MODULES = ("rota", "rota_bench", "rota_service")


def blocks() -> tuple[str, str, str]:
    """The connector, its bench and its entry points, as they stand in the README."""
    section = README.read_text(encoding="utf-8").partition("\n## Write a connector\n")[2].partition("\n## ")[0]
    connector, bench, entries = re.findall(r"```(?:python|toml)\n(.*?)```", section, re.DOTALL)
    return connector, bench, entries


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Rota as `pip install` leaves a distribution: modules and metadata on the path."""
    connector, bench, entries = blocks()
    (tmp_path / "rota.py").write_text(connector, encoding="utf-8")
    (tmp_path / "rota_bench.py").write_text(bench, encoding="utf-8")
    (tmp_path / "rota_service.py").write_text("from tests.conformance.rota_service import Rota as Rota\n", encoding="utf-8")
    metadata = tmp_path / "rota-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: rota\nVersion: 1.0\n", encoding="utf-8")
    groups = tomllib.loads(entries)["project"]["entry-points"]
    lines = [f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in named.items()) for group, named in groups.items()]
    (metadata / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    connectors._registered.cache_clear()
    yield tmp_path
    connectors._registered.cache_clear()
    for name in MODULES:
        sys.modules.pop(name, None)


def said(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = main(arguments, {})
    return code, out.getvalue(), err.getvalue()


def test_it_keeps_every_obligation(installed: Path) -> None:
    code, out, err = said("connector", "test", "rota", "--json")
    found = json.loads(out)
    assert (code, err) == (0, ""), [one for one in found["obligations"] if one["state"] == "failed"]
    assert {one["state"] for one in found["obligations"]} == {"ok"}


def test_somebody_from_a_people_file_gets_an_account_there(installed: Path) -> None:
    environment = Environment()
    rota = Rota(environment)
    (installed / "people.csv").write_text("employeeNumber,email,name\n7,Ada@corp.example,Ada Lovelace\n")
    config = installed / "syncd.yaml"
    with serve(application(Gateway.of(rota, environment, FaultPlan()).router)) as url:
        config.write_text(
            "version: 1\nconnections:\n"
            "  people: {connector: file, path: people.csv, id: employeeNumber, authoritative: true}\n"
            f"  shifts: {{connector: rota, base_url: {url}, token: {rota.token}, write: {{}}}}\n"
        )
        code, _, err = said("--config", str(config), "sync", "--yes")
        assert code == 0, err
        assert said("--config", str(config), "plan", "--detailed-exitcode")[0] == 0, "everything is in step"
    (person,) = rota.people.values()
    assert (person["login"], person["name"], person["email"], person["on_shift"]) == (
        "Ada@corp.example", "Ada Lovelace", "ada@corp.example", True,
    )  # fmt: skip
    assert person["extra"]["externalId"] == "7" and person["extra"]["syncd"].startswith("default:")


def test_the_readmes_code_is_in_style() -> None:
    assert all(len(line) <= 140 for block in blocks() for line in block.splitlines())
