"""Secrets masked by value in every usual encoding."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.redact import redactor

secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40)


@given(secrets, st.text(max_size=20), st.text(max_size=20))
def test_no_form_of_a_secret_survives(secret: str, before: str, after: str) -> None:
    raw = secret.encode()
    forms = [secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], raw.hex()]
    forms += [base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")]
    mask = redactor([secret])
    for form in forms:
        assert mask(form) == "***"
        assert form.lower() not in mask(f"{before} {form} {after}").replace("***", "").lower() or form.lower() in f"{before}{after}".lower()


def test_the_longest_secret_wins_and_short_ones_mask_nothing() -> None:
    mask = redactor(["token", "token-and-more", "abc", ""])
    assert mask("token-and-more token abc") == "*** *** abc"


def test_without_secrets_nothing_changes() -> None:
    assert redactor([])("as it is") == "as it is"
