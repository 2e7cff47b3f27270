"""Where a connection may send: its API root, percent-encoded path segments, and next-page addresses that must stay on that root."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from syncd.errors import Incomplete, Rejected

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_PORTS = {"https": 443, "http": 80}


def segment(value: str) -> str:
    """One path segment that reads back as ``value`` and cannot leave its place in the path (RFC 3986 section 5.2.4 removes dot segments).

    Raises Rejected for an empty value, ``.``, ``..``, control characters and what UTF-8 cannot carry.
    """
    if value in ("", ".", "..") or _CONTROL.search(value):
        raise Rejected(f"{value!r} cannot be part of a path")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise Rejected(f"{value!r} is no valid Unicode text") from None


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class Root:
    """The API root to which documented paths are appended; ``path`` has no trailing slash."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, base_url: str, insecure_http: bool = False) -> Root:
        """Raises ValueError with a sentence for a person; plain http only on loopback unless ``insecure_http``."""
        parts = urlsplit(base_url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("must be an address like https://host/path")
        if "@" in parts.netloc or parts.query or parts.fragment or _CONTROL.search(base_url) or " " in base_url:
            raise ValueError("must hold no user name, password, query, fragment or space")
        if parts.scheme == "http" and not (insecure_http or is_loopback(parts.hostname)):
            raise ValueError("plain http is only for loopback: use https, or say insecure_http: true")
        try:
            host = parts.hostname if ":" in parts.hostname else parts.hostname.encode("idna").decode("ascii")
        except UnicodeError:
            raise ValueError("its host name is not valid") from None
        return cls(parts.scheme, host, parts.port or _PORTS[parts.scheme], quote(parts.path.rstrip("/"), safe=_PRINTABLE))

    @property
    def origin(self) -> str:
        """Scheme, host and port where it is not the scheme's own, e.g. ``https://api.example:8443``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    def __str__(self) -> str:
        return self.origin + self.path

    def local(self, address: str) -> str:
        """The request target (path and query, as received) of a next-page address.

        Raises Incomplete unless scheme, host and port are this root's, the path lies under it and there is no user information:
        a credential never follows a link to another place (RFC 6125 compares hosts exactly, letter case apart).
        """
        try:
            parts = urlsplit(address)
            place = (parts.scheme or self.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme or self.scheme))
            target = quote(parts.path + (f"?{parts.query}" if parts.query else ""), safe=_PRINTABLE)
        except ValueError:  # a port beyond 65535, half an IPv6 address, a lone surrogate
            raise Incomplete("the next page's address cannot be read") from None
        if place != (self.scheme, self.host, self.port) or "@" in parts.netloc:
            raise Incomplete(f"the next page's address leaves {self.origin}: not followed")
        if not parts.path.startswith(self.path + "/") or ".." in parts.path.split("/"):
            raise Incomplete(f"the next page's address leaves {self}: not followed")
        return target
