"""Response bodies within a cap: decoded while they arrive, so that a compression bomb never unfolds."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from syncd.connectors.retry import Malformed

ACCEPT_ENCODING = "gzip, deflate"
_ENCODED = frozenset({"gzip", "x-gzip", "deflate"})


async def collect(chunks: AsyncIterator[bytes], encoding: str, cap: int) -> bytes:
    """The decoded body. Raises Malformed when it is larger than ``cap`` bytes (as sent or decoded), damaged or in an unasked encoding."""
    encoding = encoding.strip().lower()
    if encoding in _ENCODED:
        return await _inflate(chunks, cap)
    if encoding not in ("", "identity"):
        raise Malformed(f"the answer is encoded as {encoding[:40]!r}, which was not asked for")
    parts, size = [], 0
    async for chunk in chunks:
        size += len(chunk)
        if size > cap:
            raise _too_large(cap)
        parts.append(chunk)
    return b"".join(parts)


async def _inflate(chunks: AsyncIterator[bytes], cap: int) -> bytes:
    """gzip and zlib streams (RFC 1952, RFC 1950), told apart by their header."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    parts, size, received = [], 0, 0
    async for chunk in chunks:
        received += len(chunk)
        try:
            part = inflater.decompress(chunk, cap + 1 - size)
        except zlib.error:
            raise Malformed("the answer's compression is damaged") from None
        size += len(part)
        if size > cap or received > cap:
            raise _too_large(cap)
        parts.append(part)
    if not inflater.eof or inflater.unused_data:
        raise Malformed("the answer's compressed body is cut short or followed by something else")
    return b"".join(parts)


def _too_large(cap: int) -> Malformed:
    return Malformed(f"the answer is larger than {cap:,} bytes")
