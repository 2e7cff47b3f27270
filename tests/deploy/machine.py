"""A machine under a real systemd: this one's file system with a layer on top, processes, groups and network of its own; gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.deploy.tools import DEPLOY, PATIENCE

UNITS = DEPLOY / "systemd"
GROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified")
"""Where the trees of control groups begin, as far as a system has them."""
BOOT = """\
set -e
for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  if [ -w "$tree/cgroup.procs" ]; then mkdir "$tree/syncd-test-$$"; echo $$ > "$tree/syncd-test-$$/cgroup.procs"; fi
done
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
units="$1/root/etc/systemd/system"
rm -rf "$units"
mkdir -p "$units" "$1/root/opt/syncd"
echo 0123456789abcdef0123456789abcdef > "$1/root/etc/machine-id"
for one in systemd-networkd systemd-networkd-wait-online ifupdown-wait-online networking; do ln -s /dev/null "$units/$one.service"; done
exec systemd-nspawn --quiet --directory="$1/root" --boot --register=no --keep-unit --private-network --console=read-only \\
  --bind-ro="$2:/opt/syncd" -- systemd.unit=basic.target systemd.log_target=null systemd.show_status=0
"""
SANDBOX = 9000


class Machine:
    """``place``: an empty directory. ``opt``: what its /opt/syncd is."""

    def __init__(self, place: Path, opt: Path) -> None:
        command = ["unshare", "--mount", "sh", "-c", BOOT, "boot", str(place), str(opt)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._leader = ""
        try:
            self.until(self._up)
        except BaseException:
            self.stop()
            raise
        self.sh("mkdir -m 0755 -p /etc/syncd && mkdir -m 0700 /etc/syncd/secrets")
        for unit in sorted(UNITS.glob("syncd*")):
            self.write(f"/etc/systemd/system/{unit.name}", unit.read_text())

    def _up(self) -> bool:
        assert self._process.poll() is None, self._process.stdout and self._process.stdout.read()
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        self._leader = children[0] if children else ""
        return bool(children) and self.sh("systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def sh(self, script: str, *, check: bool = True, given: str = "") -> subprocess.CompletedProcess[str]:
        """A command line as root types it there; syncd is found."""
        inside = ["nsenter", "--target", self._leader, "--mount", "--uts", "--ipc", "--net", "--pid"]
        clean = {"PATH": "/opt/syncd/bin:/usr/bin:/bin:/usr/sbin", "HOME": "/root", "SYSTEMD_PAGER": ""}
        command = [*inside, "sh", "-c", script]
        done = subprocess.run(command, env=clean, cwd="/", input=given, capture_output=True, text=True, timeout=PATIENCE)
        assert not check or done.returncode == 0, f"{script}: {done.returncode}\n{done.stdout}\n{done.stderr}\n{self._journal()}"
        return done

    def _journal(self) -> str:
        return self.sh("journalctl --no-pager --lines=60 --unit='syncd*' --unit=sandbox", check=False).stdout

    def write(self, path: str, text: str, mode: str = "0644") -> None:
        self.sh(f"mkdir -p $(dirname {path}) && cat > {path} && chmod {mode} {path}", given=text)

    def drop_in(self, unit: str, text: str) -> None:
        """What a test cannot wait for is made shorter."""
        self.write(f"/etc/systemd/system/{unit}.d/test.conf", text)
        self.sh("systemctl daemon-reload")

    def until(self, done: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < deadline, self._journal() if self._leader else "it did not start"
            time.sleep(0.05)

    def property(self, unit: str, name: str) -> str:
        return self.sh(f"systemctl show --value --property={name} {unit}").stdout.strip()

    def metrics(self) -> str:
        ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9464/metrics').read().decode())"
        return self.sh(f'/opt/syncd/bin/python3 -c "{ask}"').stdout

    def furnish(self, *numbers: int) -> None:
        """A provider that listens, the example as it is configured with it, its secret, and these people."""
        run = "systemd-run --quiet --unit=sandbox --property=StandardOutput=truncate:/run/sandbox.yaml /opt/syncd/bin/syncd"
        self.sh(f"{run} sandbox --provider twilio --users 2 --port {SANDBOX}")
        self.until(lambda: "auth_token" in self.sh("cat /run/sandbox.yaml", check=False).stdout)
        said = dict(line.strip().split(": ", 1) for line in self.sh("cat /run/sandbox.yaml").stdout.splitlines() if ": " in line)
        config = (UNITS / "config.yaml").read_text()
        account = f"account_sid: {said['account_sid']}\n    base_url: {said['base_url']}"
        config = config.replace("account_sid: AC" + "0" * 32, account)
        often = "authoritative: true\n    schedule: {every: 1s, jitter: 0s}"
        self.write("/etc/syncd/config.yaml", config.replace("authoritative: true", often))
        self.write("/etc/syncd/secrets/connections.chat.auth_token", said["auth_token"] + "\n", "0600")
        self.hire(*numbers)

    def hire(self, *numbers: int) -> None:
        rows = [f"E{one},p{one}@corp.example,Person {one}" for one in numbers]
        self.write("/etc/syncd/new.csv", "\n".join(["employeeNumber,email,name", *rows]) + "\n")
        self.sh("mv /etc/syncd/new.csv /etc/syncd/people.csv")

    def stop(self) -> None:
        """All of it ends with its first process."""
        if self._leader:
            os.kill(int(self._leader), signal.SIGKILL)
        else:
            self._process.kill()
        self._process.communicate()
        for tree in GROUPS:
            below = Path(tree, f"syncd-test-{self._process.pid}")
            for group in sorted((*below.rglob("*/"), below), reverse=True):
                with suppress(OSError):
                    group.rmdir()
