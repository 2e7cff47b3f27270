"""Compressed and large answers: read whole within the cap, refused beyond it without ever unfolding."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import client, get, post, reply, scripted

from syncd.connectors.answer import Answer
from syncd.connectors.body import collect
from syncd.connectors.retry import Budget, Malformed
from syncd.errors import InDoubt, Retryable

pytestmark = pytest.mark.anyio
DOCUMENT = b'{"users": "' + b"x" * 5000 + b'"}'


def body(answer: Answer) -> bytes:
    return answer.body


async def pieces(raw: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(raw), size):
        yield raw[start : start + size]


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        ("gzip", gzip.compress(DOCUMENT, mtime=0)),
        ("x-gzip", gzip.compress(DOCUMENT, mtime=0)),
        ("GZIP", gzip.compress(DOCUMENT, mtime=0)),
        ("deflate", zlib.compress(DOCUMENT)),
        ("identity", DOCUMENT),
        ("", DOCUMENT),
    ],
)
async def test_encodings(encoding: str, sent: bytes) -> None:
    async with scripted(reply(sent, content_encoding=encoding)) as server, client(server.url) as http:
        assert await http.send(get(), body) == DOCUMENT
    assert server.received[0].headers["accept-encoding"] == "gzip, deflate"


@given(st.binary(max_size=3000), st.integers(1, 700))
async def test_any_body_in_any_pieces(raw: bytes, size: int) -> None:
    assert await collect(pieces(raw, size), "", 3000) == raw
    assert await collect(pieces(gzip.compress(raw, mtime=0), size), "gzip", 4000) == raw


@pytest.mark.parametrize(
    ("encoding", "sent", "reason"),
    [
        ("br", b"x", "'br', which was not asked for"),
        ("gzip", DOCUMENT, "compression is damaged"),
        ("gzip", gzip.compress(DOCUMENT, mtime=0)[:-9], "cut short"),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"more", "followed by something else"),
        ("gzip", b"", "cut short"),
        ("", b"x" * 100_001, "larger than 100,000 bytes"),
        ("gzip", gzip.compress(b"x" * 100_001, mtime=0), "larger than 100,000 bytes"),
    ],
)
async def test_bodies_that_are_refused(encoding: str, sent: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        await collect(pieces(sent, 4096), encoding, 100_000)


async def test_empty_compressed_blocks_without_end_are_refused() -> None:
    """Each adds bytes to read but none to the decoded size."""
    squeezer = zlib.compressobj(wbits=31)
    head, block = squeezer.compress(b"") + squeezer.flush(zlib.Z_FULL_FLUSH), b"\x00\x00\x00\xff\xff"
    with pytest.raises(Malformed, match="larger"):
        await collect(pieces(head + block * 5000, 1000), "gzip", 10_000)


async def test_a_compression_bomb_never_unfolds() -> None:
    squeezer = zlib.compressobj(level=9, wbits=31)
    block = b" " * 2**20
    bomb = b"".join(squeezer.compress(block) for _ in range(200)) + squeezer.flush()
    assert len(bomb) < 250_000
    answer = reply(bomb, content_encoding="gzip")
    async with scripted(answer) as server, client(server.url, cap=2**20, budget=Budget(tries=1)) as http:
        tracemalloc.start()
        try:
            with pytest.raises(Retryable, match="larger than 1,048,576 bytes"):
                await http.send(get(), body)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 8 * 2**20
        with pytest.raises(InDoubt, match="larger"):
            await http.send(post(), body)
