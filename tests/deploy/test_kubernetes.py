"""The manifests: as the API judges them, and each container run as its pod says: read-only, by nobody, its secrets in files."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from syncd.sandbox import Sandbox, serve
from tests.deploy.cluster import KUBECTL, PORT, Cluster, pod_of, rendered
from tests.deploy.image import Image
from tests.deploy.tools import run, tool

OVERLAYS = ("deployment", "cronjob")


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_api_takes_them(overlay: str) -> None:
    """Every version of the last two years, no unknown field."""
    for manifest in rendered(overlay).values():
        for version in ("1.31", "1.33", kubernetes_validate.latest_version()):
            kubernetes_validate.validate(dict(manifest), version, strict=True)


def test_pods_are_restricted(overlay: str) -> None:
    """The pod security standard `restricted`, and what it leaves open."""
    pod = pod_of(rendered(overlay))
    (container,) = pod["containers"]
    outer, inner = pod["securityContext"], container["securityContext"]
    assert outer["runAsNonRoot"] and outer["runAsUser"] > 0 and outer["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inner["capabilities"] == {"drop": ["ALL"]} and inner["readOnlyRootFilesystem"]
    assert not (inner["allowPrivilegeEscalation"] or inner["privileged"])
    assert not (pod["automountServiceAccountToken"] or pod["enableServiceLinks"])
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert {kind for volume in pod["volumes"] for kind in volume if kind != "name"} == {"configMap", "secret", "emptyDir"}
    assert not [one for one in container.get("env", ()) if "valueFrom" in one] and "envFrom" not in container, "secrets are files"
    assert pod["terminationGracePeriodSeconds"] > 10, "longer than syncd takes to end (contract)"
    assert container["image"].count(":") == 1 and container["resources"]["limits"]["memory"]


def test_both_pods_are_alike() -> None:
    daemon, job = (pod_of(rendered(one)) for one in OVERLAYS)
    for name in ("securityContext", "volumes", "serviceAccountName"):
        assert daemon[name] == job[name]
    for name in ("env", "image", "securityContext", "volumeMounts"):
        assert daemon["containers"][0][name] == job["containers"][0][name]


def test_selectors_and_ports_meet() -> None:
    """What is asked, opened and listened on is one port; what selects finds the pods."""
    found = rendered("deployment")
    template, (container,) = found["Deployment"]["spec"]["template"], pod_of(found)["containers"]
    config = YAML(typ="safe").load(found["ConfigMap"]["data"]["config.yaml"])
    assert config["server"]["listen"] == f"0.0.0.0:{PORT}" and container["ports"] == [{"name": "metrics", "containerPort": PORT}]
    assert found["NetworkPolicy"]["spec"]["ingress"][0]["ports"] == [{"port": PORT, "protocol": "TCP"}]
    assert found["Service"]["spec"]["ports"][0]["targetPort"] == "metrics"
    labels = template["metadata"]["labels"].items()
    spread = pod_of(found)["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]
    selectors = [found[kind]["spec"]["selector"]["matchLabels"] for kind in ("Deployment", "PodDisruptionBudget")]
    selectors += [found["Service"]["spec"]["selector"], found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"], spread]
    assert all(selector.items() <= labels for selector in selectors)
    job = rendered("cronjob")
    labels = job["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"].items()
    assert job["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].items() <= labels
    assert not found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"].items() <= labels
    assert found["PodDisruptionBudget"]["spec"]["minAvailable"] < found["Deployment"]["spec"]["replicas"]


@pytest.mark.parametrize(
    ("code", "disrupted", "verdict"),
    [
        (3, False, "FailJob"),  # no other pod; the reason is PodFailurePolicy, not that of what is broken
        (75, False, "Ignore"),  # again, later
        (1, False, "Count"),  # backoffLimit 0: the Job has failed
        (78, False, "Count"),
        (137, True, "Ignore"),  # the node went
        (3, True, "Ignore"),
    ],
)
def test_what_an_exit_code_does_to_the_job(code: int, disrupted: bool, verdict: str) -> None:
    """Rules are tried in their order (batch/v1, PodFailurePolicy); without one that fits the failure counts."""
    job = rendered("cronjob")["CronJob"]["spec"]["jobTemplate"]["spec"]
    fits = (
        rule["action"]
        for rule in job["podFailurePolicy"]["rules"]
        if (code in rule["onExitCodes"]["values"] if "onExitCodes" in rule else disrupted)
    )
    assert next(fits, "Count") == verdict and job["backoffLimit"] == 0
    assert job["template"]["spec"]["restartPolicy"] == "Never" and job["podReplacementPolicy"] == "Failed"
    assert rendered("cronjob")["CronJob"]["spec"]["concurrencyPolicy"] == "Forbid"


def test_the_secret_is_made_of_files(tmp_path: Path) -> None:
    """As the README has it; every key is a legal one."""
    for name in ("store.url", "connections.directory.api_key", "connections.chat.auth_token"):
        (tmp_path / name).write_text("x")
    command = ("create", "secret", "generic", "syncd", f"--from-file={tmp_path}", "--dry-run=client", "--output=yaml")
    made = YAML(typ="safe").load(run(tool("kubectl", KUBECTL), *command))
    kubernetes_validate.validate(made, kubernetes_validate.latest_version(), strict=True)
    assert len(made["data"]) == 3


@pytest.fixture
def cluster(image: Image, tmp_path: Path) -> Iterator[Cluster]:
    sandbox = Sandbox()
    with ExitStack() as stack:
        yield Cluster(image, tmp_path, sandbox, stack.enter_context(serve(sandbox)), stack)


def test_two_replicas_and_their_probes(cluster: Cluster) -> None:
    """First contact, a release typed in one pod, a newcomer made once; each probe answered; one goes, the other goes on."""
    manifests = rendered("deployment")
    cluster.hire(1)
    first, second = cluster.start(manifests), cluster.start(manifests)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = pod_of(manifests)["containers"][0][probe]["httpGet"]
        assert asked["port"] == "metrics"
        for replica in (first, second):
            cluster.until(partial(cluster.answers, replica.port, asked["path"]))
    cluster.until(lambda: "syncd held release" in cluster.typed(manifests, "pending").stdout)
    released = re.search(r"syncd (held release \d+)", cluster.typed(manifests, "pending").stdout)
    assert released is not None and cluster.typed(manifests, *released[1].split()).returncode == 0
    cluster.until(lambda: cluster.made == ["p1@corp.example"])
    assert first.ends() == 0
    cluster.hire(2)
    cluster.until(lambda: len(cluster.made) == 2)
    assert second.ends() == 0 and len(set(cluster.made)) == 2
    assert "read-only" not in (first.log() + second.log()).lower()


def test_ended_at_once_after_its_start(cluster: Cluster) -> None:
    """At the first moment at which it can hear: long before it is ready."""
    one = cluster.start(rendered("deployment"))
    cluster.until(one.hears)
    assert one.ends() == 0 and "started" not in one.log()


def test_one_run_of_the_job(cluster: Cluster) -> None:
    """0, then 3 for what is held; a secret that is not there: 78."""
    manifests = rendered("cronjob")
    for number in range(1, 5):
        cluster.hire(number)
    assert cluster.typed(manifests).returncode == 0 and len(cluster.made) == 4
    for number in range(2, 5):
        cluster.dismiss(number)
    held = cluster.typed(manifests, *pod_of(manifests)["containers"][0]["args"], "--full")
    assert held.returncode == 3, held
    (cluster.secrets / "connections.chat.auth_token").unlink()
    refused = cluster.typed(manifests)
    assert refused.returncode == 78 and "auth_token" in refused.stderr


TOUCH = "id -u; for d in / /opt/syncd /etc/syncd/secrets /tmp; do touch $d/x && echo $d; done"


def test_what_a_pod_may_write(cluster: Cluster) -> None:
    """The root is read-only, whoever tries."""
    command = cluster.command(rendered("cronjob"))
    inside = [*command[: command.index("--") + 1], "/bin/sh", "-c", TOUCH]
    said = subprocess.run(inside, capture_output=True, text=True, timeout=30)
    assert said.stdout.split() == ["65532", "/tmp"] and said.stderr.count("Read-only file system") == 3
