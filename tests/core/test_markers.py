"""Our markers in the form a provider keeps them, and whose an account is by the one it carries."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.markers import Markers, Owner
from syncd.model import AttributeSpec, Capability

ME, OTHER = "00000000-0000-5000-8000-000000000001", "00000000-0000-5000-8000-000000000002"
IDENTITIES = st.uuids().map(str)


def digest(value: Any) -> Any:
    return "syncd" + blake2b(value.encode(), digest_size=15).hexdigest() if ":" in value else value


def capability(marker: str | None, spec: AttributeSpec) -> Capability:
    return Capability(attributes={spec.name: spec}, marker=marker)


PLAIN = capability("meta.syncd", AttributeSpec("meta", "object", normalize=digest))
DIGESTED = capability("label", AttributeSpec("label", normalize=digest))


@given(st.text(min_size=1), IDENTITIES, IDENTITIES)
def test_a_plain_marker_names_instance_and_identity(instance: str, identity: str, likely: str) -> None:
    markers = Markers(PLAIN, instance)
    assert markers.of(identity) == f"{instance}:{identity}"
    assert markers.owner(markers.of(identity), [likely]) == Owner(instance, identity)
    assert Markers(PLAIN, "x").owner(markers.of(identity), []) == Owner(instance, identity)


@given(IDENTITIES, st.lists(IDENTITIES))
def test_a_digest_is_ours_as_that_of_a_likely_identity_alone(identity: str, likely: list[str]) -> None:
    markers = Markers(DIGESTED, "prod")
    kept = markers.of(identity)
    assert kept == digest(f"prod:{identity}")
    assert markers.owner(kept, [*likely, identity]) == Owner("prod", identity)
    assert markers.owner(kept, likely) == (Owner("prod", identity) if identity in likely else Owner("", ""))
    assert Markers(DIGESTED, "test").owner(kept, [identity]) == Owner("", "")


@pytest.mark.parametrize("markers", [Markers(PLAIN, "prod"), Markers(DIGESTED, "prod"), Markers(Capability({}), "prod")])
@pytest.mark.parametrize("kept", [None, "", 5, [], {}])
def test_no_marker_is_nobodys(markers: Markers, kept: Any) -> None:
    assert markers.owner(kept, [ME, OTHER]) is None


def test_what_is_no_marker_where_markers_are_plain_is_nobodys() -> None:
    assert Markers(PLAIN, "prod").owner("not a marker", [ME]) is None
