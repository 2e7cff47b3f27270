"""Secrets masked by value in every usual encoding."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from syncd.redaction import Redactor

SECRET = "s3cr/t+tok en=ü\"'\\"


def test_every_usual_form_is_masked() -> None:
    redact = Redactor([SECRET])
    raw = SECRET.encode()
    forms = [
        SECRET, quote(SECRET, safe=""), quote(SECRET), quote_plus(SECRET), quote(SECRET, safe="").lower(), json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False), repr(SECRET), raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("="),
        json.dumps({"body": json.dumps({"t": SECRET})}), repr(["'", f"'{SECRET}"]), repr(raw),
    ]  # fmt: skip
    for form in forms:
        masked = redact(f"before {form} after")
        assert masked.startswith("before ") and masked.endswith(" after") and "***" in masked and "s3cr" not in masked


@given(st.text(min_size=8, max_size=40), st.text(max_size=9), st.text(max_size=9))
def test_inside_base64_no_long_part_of_a_secret_remains(secret: str, before: str, after: str) -> None:
    whole = "".join((before, secret, after)).encode("utf-8", "surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert "***" in Redactor([secret])(f"Basic {encode(whole).decode()}")


@given(st.text(min_size=4), st.text(), st.text())
def test_a_registered_value_never_survives(secret: str, before: str, after: str) -> None:
    assert secret in "***" or secret not in Redactor([secret])(before + secret + after).replace("***", "\0")


def test_ordinary_text_stays() -> None:
    assert Redactor()("a text") == Redactor(["", "abc"])("a text") == "a text"
    assert Redactor(["a long secret"])("abc a long story") == "abc a long story"
    assert Redactor(["token", "token-2"])("token-2 token") == "*** ***"
