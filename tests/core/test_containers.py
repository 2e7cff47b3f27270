"""What containers should be: as the configuration says, marked as ours, and where the map says."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.containers import bears, changed, wanted, why_not
from syncd.core.mapping import delta
from syncd.core.paths import get, with_value
from syncd.model import Account, AttributeSpec, Capability, Container, Mutability

FIXED = Mutability.IMMUTABLE
SPECS = (
    AttributeSpec("id", mutability=FIXED),
    AttributeSpec("name"),
    AttributeSpec("org", mutability=FIXED),
    AttributeSpec("vars", "object"),
)
CAPABILITY = Capability(attributes={spec.name: spec for spec in SPECS}, marker="vars.syncd")
texts = st.sampled_from(["a", "b", "c"])
members = st.dictionaries(st.sampled_from(["k", "l"]), texts | st.integers(0, 2), max_size=2)
said = st.fixed_dictionaries({}, optional={"name": texts, "vars": members, "org": texts, "unknown": texts})
accounts = st.fixed_dictionaries({"id": texts}, optional={"name": texts | st.none(), "vars": members | st.none(), "org": texts | st.none()})


def kind(named: dict[str, Any], *, marker: str | None = "vars.syncd", open: bool = True) -> Container:
    capability = Capability(attributes=CAPABILITY.attributes, marker=marker)
    return Container(capability, "tenant", within="organization", named=named, open=open)


def written(document: dict[str, Any], paths: dict[str, Any]) -> dict[str, Any]:
    for path, value in paths.items():
        document = with_value(document, path, value)
    return document


@given(said.filter(lambda one: "unknown" not in one), st.dictionaries(st.just("org"), texts))
def test_what_is_made_is_as_the_configuration_says_and_ours_and_needs_no_change(says: dict[str, Any], parents: dict[str, str]) -> None:
    one = kind({"x": says})
    made = written({}, wanted(one, "x", parents, "me:1"))
    assert made["id"] == "x" and bears(one, made, "me:1") and not bears(one, made, "me:2")
    assert made.get("org") == says.get("org", parents.get("org")) and made.get("name") == says.get("name")
    assert {**says.get("vars", {}), "syncd": "me:1"} == made["vars"]
    assert changed(one, Account("x", made)) == {}


@given(said, accounts)
def test_a_change_brings_what_is_said_and_leaves_all_else(says: dict[str, Any], document: dict[str, Any]) -> None:
    account = Account(document["id"], document)
    one = kind({account.id: says})
    asked = changed(one, account)
    after = written(document, {path: value for path, (_, value) in asked.items()})
    assert changed(one, Account(account.id, after)) == {}
    assert {path.partition(".")[0] for path in asked} <= {"name", "vars"}, "not its id, nor where it lies, nor what nobody declared"
    assert after.get("name") == says.get("name", document.get("name"))
    assert {**(document.get("vars") or {}), **says.get("vars", {})} == (after.get("vars") or {})


@given(accounts)
def test_what_nobody_configured_is_left_alone(document: dict[str, Any]) -> None:
    assert changed(kind({}), Account(document["id"], document)) == {}


@given(accounts, texts)
def test_without_a_place_for_a_marker_none_is_written_and_nothing_is_ours(document: dict[str, Any], marker: str) -> None:
    one = kind({}, marker=None)
    assert wanted(one, "x", {}, marker) == {"id": "x"}
    assert not bears(one, document, marker)


@given(said, accounts | st.none(), texts, st.booleans())
def test_nobody_lives_where_it_lies_elsewhere_or_can_not_be(
    says: dict[str, Any], document: dict[str, Any] | None, parent: str, open: bool
) -> None:  # fmt: skip
    one = kind({"x": says} if says else {}, open=open)
    existing = None if document is None else Account("x", document)
    problem = why_not("tenant", one, "x", {"org": parent}, existing)
    lies = get(document if document is not None else says, "org")
    if lies not in (None, parent):
        assert problem == f"tenant x lies in {lies}, not in {parent}"
    elif existing is None and not open and not says:
        assert problem == "tenant x does not exist, and `tenants` does not name it"
    else:
        assert problem == ""


def test_a_number_is_not_its_text() -> None:
    assert changed(kind({"x": {"vars": {"k": 1}}}), Account("x", {"vars": {"k": "1"}})) == {"vars.k": ("1", 1)}
    assert delta({}, {"name": "a"}) == {"name": (None, "a")}
