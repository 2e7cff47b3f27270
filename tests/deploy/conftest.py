"""The image, built once a test run, and machines on which it is installed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import image as images
from tests.deploy.image import Image
from tests.deploy.machine import Machine
from tests.deploy.tools import root, tool


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Of several processes that run tests the first builds it."""
    root()
    tool("buildah", "apt-get install buildah")
    tool("bwrap", "apt-get install bubblewrap")
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    with (shared / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "image/config.json").exists():
            images.build(shared / "image")
    return images.load(shared / "image")


@pytest.fixture
def machine(image: Image, tmp_path: Path) -> Iterator[Machine]:
    tool("systemd-nspawn", "apt-get install systemd-container")
    (tmp_path / "machine").mkdir()
    one = Machine(tmp_path / "machine", image.files / "opt/syncd")
    try:
        yield one
    finally:
        one.stop()
