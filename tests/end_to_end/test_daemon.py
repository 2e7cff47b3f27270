"""`syncd run` as a process: what the service manager hears, what arrives at the provider, how it ends, what it answers over HTTP."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from syncd.store import Store
from tests import stores
from tests.end_to_end.service import MakeService, answer

FAMILIES = {
    "syncd_cycle_duration_seconds": ("histogram", set()),
    "syncd_accounts": ("gauge", {"connection"}),
    "syncd_changes": ("counter", {"connection", "kind", "outcome"}),
    "syncd_requests": ("counter", {"connection", "status"}),
    "syncd_throttled": ("counter", {"connection"}),
    "syncd_held": ("gauge", {"connection"}),
    "syncd_in_doubt": ("gauge", {"connection"}),
    "syncd_quarantined": ("gauge", {"connection"}),
    "syncd_rejected": ("gauge", {"connection"}),
    "syncd_suspended": ("gauge", {"connection"}),
    "syncd_credentials_refused": ("gauge", {"connection"}),
    "syncd_config_refused": ("gauge", set()),
    "syncd_last_success_timestamp_seconds": ("gauge", {"connection", "mode"}),
    "syncd_lease_held": ("gauge", {"connection"}),
    "syncd_build_info": ("gauge", {"version", "python"}),
}


def test_a_day_at_work(make: MakeService) -> None:
    """Started, ready, first contact held, released, a change of the file arrives, stopped; the next run has nothing to do."""
    one = make()
    one.hire(1, 2)
    one.ready()
    one.until(lambda: one.events("held"))
    assert (one.users, one.events("held")[0]["connection"]) == (set(), "chat")
    assert one.run("held", "release", str(one.events("held")[0]["run"])).returncode == 0
    one.until(lambda: len(one.users) == 2)
    one.hire(1, 2, 3)
    one.until(lambda: len(one.users) == 3)
    assert "next in" in one.run("status").stdout
    assert one.ends() == 0
    assert all({"run", "connection", "event", "level", "timestamp"} <= line.keys() for line in one.events("synced"))
    assert one.run("plan", "--detailed-exitcode").returncode == 0
    assert "next in" not in one.run("status").stdout


def test_ready_reloading_watchdog_and_stopping(make: MakeService) -> None:
    one = make()
    one.environ["WATCHDOG_USEC"] = "400000"
    one.start()
    assert one.hears("READY=1")["STATUS"] == "2 connections"
    one.hears("WATCHDOG=1")
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    one.send(signal.SIGHUP)
    told = one.hears("RELOADING=1")
    assert before <= int(told["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    one.hears("READY=1")
    one.send(signal.SIGTERM)
    one.hears("STOPPING=1")
    assert one.process is not None and one.process.wait(10) == 0


def test_an_abstract_socket_is_a_socket_too(make: MakeService) -> None:
    one = make()
    one.manager.close()
    one.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.manager.bind("\0syncd-test-" + str(one.root))
    one.environ["NOTIFY_SOCKET"] = "@syncd-test-" + str(one.root)
    one.ready()
    assert one.ends(signal.SIGINT) == 0


def test_a_good_configuration_is_taken_over_and_a_bad_one_is_not(make: MakeService, port: int) -> None:
    one = make(f"server: {{listen: 127.0.0.1:{port}}}")
    one.settle(1)
    one.configure(one.more + "\nnonsense: true")
    one.send(signal.SIGHUP)
    one.until(lambda: one.events("reload refused: the configuration before stays in use"))
    assert "unknown key" in one.log()
    assert answer(port, "/readyz") == (503, "config: refused at the last reload; the one before is in use\n")
    one.hire(1, 2)
    one.until(lambda: len(one.users) == 2)
    one.configure(one.more.replace("\nnonsense: true", "") + "\nignore: ['p3@*']")
    one.send(signal.SIGHUP)
    one.until(lambda: one.events("reloaded"))
    assert answer(port, "/readyz") == (200, "ok\n")
    one.hire(1, 2, 3, 4)
    one.until(lambda: len(one.users) == 3)
    assert one.users == {"p1@corp.example", "p2@corp.example", "p4@corp.example"}
    assert one.ends() == 0


def test_the_server_moves_to_another_address(make: MakeService, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        one = make(f"server: {{listen: 127.0.0.1:{port}}}")
        one.ready()
        one.configure(f"server: {{listen: 127.0.0.1:{taken.getsockname()[1]}}}")
        one.send(signal.SIGHUP)
        one.until(lambda: "Address already in use" in one.log())
        assert answer(port, "/livez") == (200, "ok\n")
    one.configure("")
    one.send(signal.SIGHUP)
    one.until(lambda: one.events("reloaded"))
    with pytest.raises(OSError):
        answer(port, "/livez")


def test_metrics_are_those_of_the_contract(make: MakeService, port: int) -> None:
    one = make(f"server: {{listen: 127.0.0.1:{port}}}")
    one.settle(1, 2)
    one.hire(1, 2, 3)
    one.until(lambda: len(one.users) == 3)
    one.until(lambda: 'syncd_changes_total{connection="chat"' in answer(port, "/metrics")[1])
    status, text = answer(port, "/metrics")
    found = {family.name: family for family in text_string_to_metric_families(text) if family.name.startswith("syncd_")}
    assert status == 200 and found.keys() == FAMILIES.keys()
    for name, (kind, labels) in FAMILIES.items():
        assert found[name].type == kind and found[name].documentation
        assert all(
            sample.labels.keys() - {"le"} == labels for sample in found[name].samples if not sample.name.endswith(("_sum", "_count"))
        )
    samples = {(s.name, *sorted(s.labels.values())): s.value for family in found.values() for s in family.samples}
    assert samples["syncd_changes_total", "applied", "chat", "create"] == 1
    assert samples["syncd_accounts", "chat"] == 3 and samples["syncd_lease_held", "chat"] == 1
    assert samples["syncd_requests_total", "201", "chat"] == 1
    assert abs(samples["syncd_last_success_timestamp_seconds", "full", "people"] - time.time()) < 60
    assert "corp.example" not in text
    assert [answer(port, path)[0] for path in ("/livez", "/readyz", "/else")] == [200, 200, 404]


def test_a_provider_that_fails_does_not_fail_readiness(make: MakeService, port: int) -> None:
    one = make(f"server: {{listen: 127.0.0.1:{port}}}", faults="403@list")
    one.ready()
    one.until(lambda: one.events("failed"))
    assert answer(port, "/readyz") == (200, "ok\n")
    with stores.away(one.root):
        status, text = answer(port, "/readyz")
        assert status == 503 and re.match("store: its file is gone\n|store: .* does not answer", text)
        assert answer(port, "/livez") == (200, "ok\n")


def test_a_port_in_use(make: MakeService) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        one = make(f"server: {{listen: 127.0.0.1:{taken.getsockname()[1]}}}")
        said = one.run("run")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.endswith("Address already in use\n  end what listens there (another syncd?), or choose another address\n")


def test_a_locked_store_keeps_nobody_from_answering(make: MakeService, port: int) -> None:
    """Nor from going on as soon as it is free."""
    one = make(f"server: {{listen: 127.0.0.1:{port}}}")
    one.settle(1)
    other = Store(stores.url(one.root))
    with other.transaction():
        one.hire(1, 2)
        time.sleep(2.5)
        assert answer(port, "/livez") == (200, "ok\n") and answer(port, "/readyz") == (200, "ok\n")
    one.until(lambda: len(one.users) == 2)
    with other.transaction():
        one.hire(1, 2, 3)
        time.sleep(1.5)
        assert one.ends() == 0
    other.close()


def test_rotated_credentials_are_found_on_disk(make: MakeService) -> None:
    one = make()
    one.settle(1)
    one.rotate("another-token-than-before")
    (one.root / "token").write_text("another-token-than-before")
    one.hire(1, 2)
    one.until(lambda: len(one.users) == 2)
    assert one.events("credentials renewed")[0]["connection"] == "chat"
    one.rotate("a-third-token-by-now")
    one.hire(1, 2, 3)
    one.until(lambda: one.events("credentials refused"))
    refused = one.events("credentials refused")[0]
    asked = len(one.sandbox.twilio.requests)
    time.sleep(2.5)
    assert refused["connection"] == "chat" and "401" in refused["error"] and len(one.sandbox.twilio.requests) == asked
    assert not any(token in one.log() for token in ("another-token-than-before", "a-third-token-by-now"))


@pytest.mark.parametrize("seed", range(int(os.environ.get("SEEDS", "5"))))
def test_stopped_at_any_moment_nothing_is_lost(make: MakeService, seed: int) -> None:
    """Four times a seed. A release's 200: ``SEEDS=50 pytest tests/end_to_end/test_daemon.py -k any_moment``."""
    one, chance = make(latency=0.1), random.Random(seed)
    one.settle(1)
    for times in range(1, 5):
        numbers = range(1, 30 * times)
        one.hire(*numbers)
        time.sleep(chance.uniform(0.0, 2.0))
        began = time.monotonic()
        assert one.ends() == 0, one.log()
        assert time.monotonic() - began < 10
        one.ready()
    one.until(lambda: len(one.users) == len(numbers))
    assert one.ends() == 0
    made = [
        record.identity
        for record in one.sandbox.twilio.log
        if (record.method, record.status) == ("POST", 201) and record.path.endswith("/Users")
    ]
    assert sorted(made) == sorted(set(made)), "nobody is made twice"
    assert one.run("plan", "--full", "--detailed-exitcode").returncode == 0
