"""The keys of a Waii connection: what is refused and why, what binds it, what it declares."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from syncd.connectors.waii import WaiiOptions
from syncd.model import Fading, Mutability

LEAST: dict[str, Any] = {"api_key": "k3y-value"}


def parsed(**more: Any) -> WaiiOptions:
    return WaiiOptions.model_validate({**LEAST, **more})


def test_the_least_one_must_say() -> None:
    one = parsed()
    assert one.binding() == {"root": "https://tweakit.waii.ai/api", "organizations": "*"}
    assert (one.organizations, one.tenants) == (None, {})
    assert "k3y-value" not in repr(one)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"api_key": None}, "api_key"),
        ({"organizations": []}, "organizations names none"),
        ({"organizations": {}}, "organizations names none"),
        ({"organizations": [""]}, "organizations"),
        ({"organizations": ["a\nb"]}, "organizations"),
        ({"organizations": {"a": {"nmae": "A"}}}, "nmae"),
        ({"tenants": {"t": {"name": "T"}}}, "organization"),
        ({"tenants": {"t": {"organization": ""}}}, "organization"),
        ({"organizations": ["a"], "tenants": {"t": {"organization": "b"}}}, "tenants.t: organization b is not among organizations"),
        ({"base_url": "http://waii.example/api/"}, "base_url plain http is only for loopback"),
        ({"base_url": "https://u:p@host"}, "base_url must hold no user name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){reason}") as caught:
        parsed(**given)
    assert "k3y-value" not in str(caught.value)


def test_organizations_may_be_names_or_descriptions() -> None:
    plain, described = parsed(organizations=["b", "a"]), parsed(organizations={"a": {}, "b": {"name": "B", "variables": {"x": 1}}})
    assert plain.binding() == described.binding() == {"root": "https://tweakit.waii.ai/api", "organizations": "a\nb"}
    assert plain.capability().containers["organization"].named == {"a": {}, "b": {}}
    assert parsed(tenants={"t": {"organization": "any"}}).capability().containers["tenant"].named == {"t": {"org_id": "any"}}


def test_with_one_organization_everybody_is_in_it() -> None:
    assert parsed(organizations=["a"]).capability().constants == {"org_id": "a"}
    assert parsed(organizations={"a": {"name": "A"}}).capability().constants == {"org_id": "a"}
    for several in ({"organizations": ["a", "b"]}, {}):
        assert parsed(**several).capability().constants == {}
        assert parsed(**several).capability().required == {"id", "org_id"}


def test_what_waii_can_do() -> None:
    capability = parsed().capability()
    assert (capability.key, capability.marker, capability.switch, capability.gone) == ("id", "variables.syncd", None, False)
    assert capability.fading == Fading()
    assert capability.write_defaults == {"id": "userName", "name": "displayName", "variables.externalId": "externalId"}
    assert capability.read_defaults == {"userName": "id", "displayName": "name", "externalId": "variables.externalId"}
    specs = capability.attributes
    assert {name for name, spec in specs.items() if spec.mutability is Mutability.IMMUTABLE} == {"id", "org_id"}
    assert {name for name, spec in specs.items() if spec.trusted} == {"id", "variables"}
    assert specs["tenant_id"].within == "org_id"
    assert capability.containers["tenant"].capability.marker == "variables.syncd"
