"""Path segments that stay where they are put, roots that are safe to send credentials to, links that lead nowhere else."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.url import Root, segment
from syncd.errors import Incomplete, Rejected

ROOT = Root.parse("https://api.example/v1")


@given(st.text())
def test_a_segment_reads_back_and_never_leaves_its_place(text: str) -> None:
    try:
        encoded = segment(text)
    except Rejected:
        controls = any(ord(one) < 32 or 127 <= ord(one) < 160 for one in text)
        assert text in ("", ".", "..") or controls or any("\ud800" <= one <= "\udfff" for one in text)
        return
    assert unquote(encoded) == text
    assert encoded.isascii()
    assert not set(encoded) & set("/?#\\ %") - {"%"}
    assert encoded not in (".", "..")


@pytest.mark.parametrize("id", ["", ".", "..", "a\nb", "a\x00", "\x7f", "\x85", "\ud800"])
def test_what_cannot_be_a_segment(id: str) -> None:
    with pytest.raises(Rejected):
        segment(id)


@pytest.mark.parametrize(
    ("id", "encoded"), [("../../admin", "..%2F..%2Fadmin"), ("a b/c?d#e@f", "a%20b%2Fc%3Fd%23e%40f"), ("%2e%2e", "%252e%252e")]
)
def test_segments(id: str, encoded: str) -> None:
    assert segment(id) == encoded


@pytest.mark.parametrize(
    ("base", "shown"),
    [
        ("https://Api.Example", "https://api.example"),
        ("https://api.example:443/v1/", "https://api.example/v1"),
        ("https://api.example:8443/v1", "https://api.example:8443/v1"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://localhost:80/x", "http://localhost/x"),
        ("http://[::1]:9", "http://[::1]:9"),
        ("https://bücher.example/é", "https://xn--bcher-kva.example/%C3%A9"),
    ],
)
def test_roots(base: str, shown: str) -> None:
    assert str(Root.parse(base)) == shown
    assert Root.parse(shown) == Root.parse(base)


@pytest.mark.parametrize(
    "base",
    [
        "",
        "api.example",
        "ftp://api.example",
        "https://",
        "https://user:pass@api.example",
        "https://api.example?a=1",
        "https://api.example#x",
        "https://api.example/a b",
        "https://api.example:99999",
        "https://" + "a" * 70 + ".example",
        "http://api.example",
        "http://10.0.0.1",
        "http://127.0.0.1.example",
    ],
)
def test_roots_that_are_refused(base: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Root.parse(base)


def test_plain_http_beyond_loopback_only_on_request() -> None:
    assert str(Root.parse("http://10.0.0.1", insecure_http=True)) == "http://10.0.0.1"


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://api.example/v1/Users?PageToken=PT:1+a%2B=", "/v1/Users?PageToken=PT:1+a%2B="),
        ("https://API.example:443/v1/Users", "/v1/Users"),
        ("//api.example/v1/Users?a=%zz", "/v1/Users?a=%zz"),
        ("https://api.example/v1/Users?a=é b#part", "/v1/Users?a=%C3%A9%20b"),
    ],
)
def test_next_pages_that_are_followed(address: str, target: str) -> None:
    assert ROOT.local(address) == target


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/v1/Users",
        "https://api.example.evil.example/v1/Users",
        "https://api.example./v1/Users",
        "http://api.example/v1/Users",
        "https://api.example:444/v1/Users",
        "https://api.example:x/v1/Users",
        "https://me@api.example/v1/Users",
        "https://api.example\\@evil.example/v1/Users",
        "//evil.example/v1/Users",
        "//api.example:1/v1/Users",
        "https:/v1/Users",
        "/v1/Users",
        "Users",
        "",
        "https://[::1/v1/Users",
        "https://api.example/v2/Users",
        "https://api.example/v1x/Users",
        "https://api.example/v1/../admin/Users",
    ],
)
def test_next_pages_that_are_not_followed(address: str) -> None:
    with pytest.raises(Incomplete):
        ROOT.local(address)


@given(st.text(alphabet="ab:/@\\?#.%[]é \n", max_size=20))
def test_whatever_the_next_page_says_nothing_but_a_target_of_ours_comes_of_it(tail: str) -> None:
    for address in (tail, "https:" + tail, "https://api.example" + tail):
        try:
            target = ROOT.local(address)
        except Incomplete:
            continue
        assert target.startswith("/v1/")
        assert target.isascii()
        assert not set(target) & set(" \n#")
        assert urlsplit(address).hostname == "api.example"
