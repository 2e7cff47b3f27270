"""Rules and dashboard: as promtool judges them, and against what a daemon really shows."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from syncd.sandbox import Sandbox, serve
from tests.deploy.tools import DEPLOY, run, tool
from tests.end_to_end.service import Service, answer

MONITORING = DEPLOY / "monitoring"
PROMTOOL = "apt-get install prometheus"
OUTSIDE = {"job", "instance"}
"""Labels that come from who scrapes."""


def _rules() -> list[dict[str, Any]]:
    (group,) = YAML(typ="safe").load((MONITORING / "syncd.rules.yaml").read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def _dashboard() -> Any:
    return json.loads((MONITORING / "dashboard.json").read_text())


def _targets() -> Iterator[dict[str, str]]:
    for panel in _dashboard()["panels"]:
        yield from panel["targets"]


def _plain(expression: str) -> str:
    """As it is when Grafana has put its variables in."""
    return expression.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$connection", ".*")


def test_rules_are_well_formed_and_do_what_their_tests_say() -> None:
    promtool = tool("promtool", PROMTOOL)
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", MONITORING / "syncd.rules.yaml")
    run(promtool, "test", "rules", MONITORING / "syncd.rules.test.yaml")
    run(promtool, "check", "config", MONITORING / "prometheus.yaml")


def test_each_rule_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    tests = YAML(typ="safe").load((MONITORING / "syncd.rules.test.yaml").read_text())["tests"]
    asked = [one for test in tests for one in test["alert_rule_test"]]
    names = {rule["alert"] for rule in _rules()}
    assert {one["alertname"] for one in asked if one["exp_alerts"]} == names
    assert {one["alertname"] for one in asked if not one["exp_alerts"]} == names


def test_the_dashboard_is_one_and_its_expressions_parse(tmp_path: Path) -> None:
    board, targets = _dashboard(), list(_targets())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids) and board["uid"] == "syncd"
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = [(x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
    assert len(set(cells)) == len(cells) and max(x for x, _ in cells) < 24, "no panel lies over another"
    rules = [{"record": f"panel:{n}", "expr": _plain(target["expr"])} for n, target in enumerate(targets)]
    (tmp_path / "panels.yaml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    run(tool("promtool", PROMTOOL), "check", "rules", tmp_path / "panels.yaml")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, int]]:
    """A daemon that did something and was slowed down, and the port at which it tells."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    sandbox = Sandbox()
    with serve(sandbox) as url:
        one = Service(tmp_path_factory.mktemp("daemon"), sandbox, url, f"server: {{listen: 127.0.0.1:{port}}}")
        try:
            one.settle(1)
            sandbox.faults = "429@create:1;retry_after=0"  # type: ignore[assignment]
            one.hire(1, 2)
            one.until(lambda: 'syncd_changes_total{connection="chat",kind="create"' in answer(port, "/metrics")[1])
            yield one, port
        finally:
            one.stop()


def _samples(port: int) -> dict[str, set[str]]:
    families = text_string_to_metric_families(answer(port, "/metrics")[1])
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def test_whatever_is_asked_for_is_shown(shown: tuple[Service, int]) -> None:
    """Every metric and every label, by rules and panels, comes out of a daemon."""
    samples = _samples(shown[1])
    for expression in [rule["expr"] for rule in _rules()] + [target["expr"] for target in _targets()]:
        names = re.findall(r"\b(?:syncd|process)_\w+", expression)
        assert names and not set(names) - samples.keys(), expression
        for name, selector in re.findall(r"(\w+)\{([^}]*)\}", expression):
            assert not set(re.findall(r"(\w+)=", selector)) - samples[name] - OUTSIDE, expression
        wanted = {label for group in re.findall(r"(?:by|on) \(([^)]*)\)", expression) for label in group.split(", ")}
        for name in names:
            assert not wanted - samples[name] - OUTSIDE, expression


def test_what_is_said_is_known() -> None:
    """Legends and annotations name labels that are left."""
    for text, expression in [(json.dumps(rule["annotations"]), rule["expr"]) for rule in _rules()] + [
        (target["legendFormat"], target["expr"]) for target in _targets()
    ]:
        left = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")}
        left |= {"connection", "instance"} if " by " not in expression else set()
        assert not set(re.findall(r"{{ ?(?:\$labels\.)?(\w+) ?}}", text)) - left, expression


def test_every_command_that_is_named_is_one(shown: tuple[Service, int]) -> None:
    texts = json.dumps([rule["annotations"] for rule in _rules()]) + json.dumps(_dashboard())
    named = set(re.findall(r"syncd (status|check|held list|pending|quarantine list)\b", texts))
    assert named == {"status", "check", "held list", "pending", "quarantine list"}
    for words in named:
        assert shown[0].run(*words.split()).returncode == 0, words


def test_refused_credentials_are_shown_until_others_are_found(shown: tuple[Service, int]) -> None:
    one, port = shown
    one.rotate("another-token-than-before")
    one.hire(1, 2, 3)
    for gauge in ("credentials_refused", "suspended"):
        one.until(lambda told=f'syncd_{gauge}{{connection="chat"}} 1.0': told in answer(port, "/metrics")[1])  # type: ignore[misc]
    assert 'syncd_credentials_refused{connection="people"} 0.0' in answer(port, "/metrics")[1]
    (one.root / "token").write_text("another-token-than-before")
    one.send(signal.SIGHUP)
    for gauge in ("credentials_refused", "suspended"):
        one.until(lambda told=f'syncd_{gauge}{{connection="chat"}} 0.0': told in answer(port, "/metrics")[1])  # type: ignore[misc]
