"""The image, built by buildah on a base that is this machine's /usr, and run as a cluster runs it: read-only, by nobody.

No registry is asked: the base bears the name that the Containerfile says, holds nothing but links, and /usr is mounted into it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.deploy.tools import HERE, run

CONTAINERFILE = HERE / "deploy/container/Containerfile"
LINKS = ("bin", "sbin", "lib", "lib64")
LENT = ("/usr", "/etc/ssl", "/etc/pip.conf")
"""What the base has of this machine, as far as it is there."""


@dataclass(frozen=True)
class Image:
    """``files``: its root; ``config``: what it says of how it is run."""

    files: Path
    config: Mapping[str, Any]

    def command(
        self, arguments: Sequence[str], *, writable: Mapping[Path, str] | None = None, readable: Mapping[Path, str] | None = None,
        environ: Mapping[str, str] | None = None, user: str | None = None, memory: Sequence[str] = ("/tmp",),
    ) -> list[str]:  # fmt: skip
        """How to run it: nothing but ``memory`` and ``writable`` (a directory here -> its place there) can be written to."""
        uid, _, gid = (user or self.config["User"]).partition(":")
        made = [
            "bwrap",
            "--die-with-parent",
            "--as-pid-1",
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--uid",
            uid,
            "--gid",
            gid or uid,
        ]
        made += ["--cap-drop", "ALL", "--clearenv", "--ro-bind", str(self.files), "/", "--dev", "/dev", "--proc", "/proc"]
        made += ["--remount-ro", "/", "--ro-bind", "/usr", "/usr"]
        for place in memory:
            made += ["--tmpfs", place]
        for here, there in (writable or {}).items():
            made += ["--bind", str(here), there]
        for here, there in (readable or {}).items():
            made += ["--ro-bind", str(here), there]
        said = dict(one.split("=", 1) for one in self.config["Env"])
        for name, value in {**said, **(environ or {})}.items():
            made += ["--setenv", name, value]
        return [*made, "--chdir", self.config["WorkingDir"], "--", *self.config["Entrypoint"], *arguments]


@dataclass
class Builder:
    """buildah, with its storage in one directory."""

    place: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place.mkdir(parents=True)
        conf = f'[storage]\ndriver = "overlay"\ngraphroot = "{self.place}/graph"\nrunroot = "{self.place}/run"\n'
        (self.place / "storage.conf").write_text(conf)
        self.environ = {**os.environ, "CONTAINERS_STORAGE_CONF": str(self.place / "storage.conf")}

    def say(self, *arguments: str) -> str:
        command = ["buildah", "--root", f"{self.place}/graph", "--runroot", f"{self.place}/run", "--storage-driver", "overlay", *arguments]
        done = subprocess.run(command, cwd=HERE, env=self.environ, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{command}\n{done.stdout[-5000:]}\n{done.stderr[-5000:]}"
        return done.stdout.strip()

    def base(self, name: str) -> None:
        """An image of this name that holds the frame of a system."""
        one = self.say("from", "scratch")
        files = Path(self.say("mount", one))
        for directory in ("usr", "etc/ssl", "tmp", "opt", "root", "var/tmp", "var/lib", "proc", "sys", "dev", "run"):
            (files / directory).mkdir(parents=True)
        for link in LINKS:
            if Path("/", link).is_symlink():
                (files / link).symlink_to(f"usr/{link}")
        (files / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        self.say("commit", "--quiet", one, name)

    def build(self) -> tuple[Path, Mapping[str, Any]]:
        """The root of what the Containerfile makes, and its config."""
        lent = [f"--volume={path}:{path}:ro" for path in LENT if Path(path).exists()]
        built = ["--isolation", "chroot", "--pull-never", "--network", "host", *lent, "--file", str(CONTAINERFILE), "--tag", "syncd"]
        self.say("build-using-dockerfile", "--format", "docker", *built, ".")
        config = json.loads(self.say("inspect", "--type", "image", "syncd"))["Docker"]["config"]
        return Path(self.say("mount", self.say("from", "--pull-never", "syncd"))), config


def bases() -> list[str]:
    """The images that the Containerfile begins with, by their short names."""
    lines = [line.split() for line in CONTAINERFILE.read_text().splitlines() if line.startswith("FROM ")]
    return sorted({words[1] for words in lines})


def build(place: Path) -> None:
    """Leaves the image in ``place``: its files in `files`, its config in `config.json`."""
    builder = Builder(place / "building")
    for name in bases():
        builder.base(f"localhost/{name}")
    files, config = builder.build()
    shutil.copytree(files, place / "files", symlinks=True)
    (place / "files/etc/syncd/secrets").mkdir(parents=True)  # what a runtime makes to mount something there
    (place / "files/etc/syncd/config.yaml").touch()
    (place / "files/var/lib/syncd").mkdir()
    (place / "config.json").write_text(json.dumps(config))
    builder.say("rm", "--all")
    run("rm", "-rf", builder.place)


def load(place: Path) -> Image:
    return Image(place / "files", json.loads((place / "config.json").read_text()))
