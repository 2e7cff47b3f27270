"""Stoplight's Prism between a client and the sandbox: whatever breaks the official document is refused on its way, and told of."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from syncd.sandbox import serve

CLI = Path(__file__).parent / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
SPECS = Path(__file__).parents[1] / "data" / "specs"
PATIENCE = 120.0
"""Seconds in which it must listen."""
_BREACH = re.compile(r"(?:Violation: |Request terminated with error: ).*")
_UNDECLARED = "Unable to match the returned status code"
"""Two of the documents declare no error at all."""


class Violated(AssertionError):
    """A request or an answer did not keep to the document."""


class _Behind:
    """The application as seen from behind a proxy: addresses in its answers are the proxy's."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.host = app, b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, self.host if name == b"host" else value) for name, value in scope["headers"]]
        await self.app({**scope, "headers": headers}, receive, send)


@contextmanager
def prism(node: str, document: str, sandbox: ASGIApp, root: str = "") -> Iterator[str]:
    """The base URL of a proxy to ``sandbox``, below whose path ``root`` the document's paths are. Raises Violated at the end."""
    behind = _Behind(sandbox)
    with serve(behind) as upstream:
        command = [node, str(CLI), "proxy", "--host", "127.0.0.1", "--port", "0", "--errors", str(SPECS / document), upstream + root]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            said: list[str] = []
            reader = threading.Thread(target=_read, args=(process, said), name="prism", daemon=True)
            try:
                url = _listening(process, said)
                behind.host = urlsplit(url).netloc.encode()
                reader.start()
                yield url
            except Exception as error:
                error.add_note("\n".join(_breaches(said)))
                raise
            finally:
                process.terminate()
                if reader.ident is not None:
                    reader.join()
        if breaches := _breaches(said):
            raise Violated("\n".join(breaches))


def _listening(process: subprocess.Popen[str], said: list[str]) -> str:
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"Prism is listening on (\S+)", line):
                return found[1]
    finally:
        watchdog.cancel()
    raise RuntimeError("Prism does not listen:\n" + "".join(said))


def _read(process: subprocess.Popen[str], said: list[str]) -> None:
    assert process.stdout is not None
    said.extend(process.stdout)


def _breaches(said: list[str]) -> list[str]:
    found = (_BREACH.search(line) for line in said)
    return [one[0] for one in found if one is not None and _UNDECLARED not in one[0]]
