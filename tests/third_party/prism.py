"""Stoplight's Prism between a client and the sandbox: it refuses whatever breaks the official document, and we keep what it says."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from syncd.sandbox import serve

CLI = Path(__file__).parent / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
SPECS = Path(__file__).parents[1] / "data" / "specs"
PATIENCE = 120.0
"""Seconds in which it must listen, and answer."""
UNDECLARED = "Unable to match the returned status code"
"""No violation: two of the documents declare no error at all."""


class Violated(AssertionError):
    """Requests or answers did not keep to the document."""


class _Front:
    """Hands requests to Prism as they come, and keeps the violations that its answers tell of."""

    def __init__(self, prism: str) -> None:
        self.prism = prism
        self.violations: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Request(scope, receive)
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE) as client:
            onward = client.build_request(scope["method"], self.prism, headers=asked.headers.raw, content=await asked.body())
            onward.extensions["target"] = target
            answer = await client.send(onward)
        self._note(f"{scope['method']} {target.decode()}: ", answer)
        headers = {name: value for name, value in answer.headers.items() if name not in ("content-length", "transfer-encoding")}
        await Response(answer.content, answer.status_code, headers)(scope, receive, send)

    def _note(self, request: str, answer: httpx.Response) -> None:
        found = json.loads(answer.headers.get("sl-violations", "[]"))
        if answer.headers.get("content-type") == "application/problem+json":
            found = answer.json().get("validation") or [{"message": answer.text}]
        self.violations += [request + one["message"] for one in found if not one["message"].startswith(UNDECLARED)]


class _Behind:
    """The application as it is from behind a proxy: addresses in its answers are those of ``host``, where the client is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.host = app, b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, self.host if name == b"host" else value) for name, value in scope["headers"]]
        await self.app({**scope, "headers": headers}, receive, send)


@contextmanager
def prism(node: str, document: str, sandbox: ASGIApp, root: str = "") -> Iterator[str]:
    """The base URL of a proxy to ``sandbox``, below whose path ``root`` the document's paths are. Raises Violated at the end."""
    with ExitStack() as stack:
        behind = _Behind(sandbox)
        upstream = stack.enter_context(serve(behind))
        front = _Front(stack.enter_context(_running(node, str(SPECS / document), upstream + root)))
        url = stack.enter_context(serve(front))
        behind.host = urlsplit(url).netloc.encode()
        try:
            yield url
        except Exception as error:
            error.add_note("\n".join(front.violations))
            raise
        if front.violations:
            raise Violated("\n".join(front.violations))


@contextmanager
def _running(node: str, *arguments: str) -> Iterator[str]:
    """The base URL of Prism itself; what it prints is read to its end, so that it never waits for that."""
    command = [node, str(CLI), "proxy", "--host", "127.0.0.1", "--port", "0", "--errors", *arguments]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        reader = threading.Thread(target=process.communicate, name="prism", daemon=True)
        try:
            url = _listening(process)
            reader.start()
            yield url
        finally:
            process.terminate()
            if reader.ident is not None:
                reader.join()


def _listening(process: subprocess.Popen[str]) -> str:
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    said: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"Prism is listening on (\S+)", line):
                return found[1]
    finally:
        watchdog.cancel()
    raise RuntimeError("Prism does not listen:\n" + "".join(said))
