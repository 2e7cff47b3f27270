"""The sandbox as a process of its own: prints a config that points at it, then serves until interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson

from syncd.sandbox import Sandbox, serve


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; the config on stdout says that it listens. Exit code 64 for bad faults, 1 for a port in use."""
    asked = _parser().parse_args(argv)
    try:
        sandbox = Sandbox(
            users=asked.users,
            seed=asked.seed,
            latency=asked.latency,
            per_second=asked.per_second,
            burst=asked.burst,
            concurrency=asked.concurrency,
            faults=asked.faults,
            only=asked.provider,
        )
    except ValueError as error:
        print(f"--faults: {error}", file=sys.stderr)
        return 64
    sandbox.list_lag = asked.list_lag
    try:
        with _interruption() as interrupted, serve(sandbox, asked.port) as url:
            print(sandbox.config_yaml(url, asked.provider), end="", flush=True)
            interrupted.wait()
    except OSError as error:
        print(f"port {asked.port}: {error.strerror}", file=sys.stderr)
        return 1
    if asked.state:
        asked.state.write_bytes(orjson.dumps(sandbox.state()))
    return 0


@contextmanager
def _interruption() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, in place of what they did before."""
    interrupted = threading.Event()
    before = {number: signal.signal(number, lambda *_: interrupted.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m syncd.sandbox", description="Emulated providers on loopback")
    parser.add_argument("--provider", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--users", type=int, default=0, help="made-up users the directory starts with")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before a request is carried out")
    parser.add_argument("--list-lag", type=float, default=0.0, help="seconds by which listings are behind")
    parser.add_argument("--per-second", type=float, help="requests a second; beyond it, 429")
    parser.add_argument("--burst", type=float, default=1.0, help="how many seconds' worth of them at once; default 1")
    parser.add_argument("--concurrency", type=int, help="requests in flight; beyond it, 429")
    parser.add_argument("--faults", default="", metavar="SPEC", help="e.g. timeout@create:1,500@list:0.1 (see syncd.sandbox.faults)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="write the final state there, as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
