"""`python -m tests.bench NAME...`: run the named benchmarks."""

from __future__ import annotations

import sys
from importlib import import_module

BENCHMARKS = {
    "reconcile": "T1: finding and deciding what is out of step among 1,000,000 links",
    "delta": "T4: a delta cycle over 1,000,000 accounts of which 0, 100 and 10,000 changed, against its own requests",
    "memory": "T9: peak memory of a full cycle at 100,000 and 1,000,000 accounts",
    "plan": "peak memory of a plan of 10,000 and of 100,000 changes, in every form and as a file",
    "listing": "T2: an unchanged full cycle over 100,000 and 1,000,000 accounts, against download + orjson of the same pages",
    "first": "T3: the first load of 100,000 accounts, against download + orjson of the same pages",
    "requests": "requests a change at each provider, beside the fewest that its API allows",
    "pacing": "T5: creates at a limit that is known, unknown, and known where hardly a burst is allowed",
    "apply": "T6: creates at a limit, against the vendor's SDK in a loop",
    "dlt": "T7: users into PostgreSQL, first and again, against dlt",
    "idle": "CPU of an idle hour of `syncd run` with 4 connections; takes a quarter of an hour",
    "asking": "explain and eval on a store of 1,000,000 identities",
    "http": "T8: CPU a request at concurrency 1 and 64",
    "takeover": "how soon a daemon that died or stands still is relieved, in lease times",
    "fencing": "I8: what a daemon still sends that stood still beyond its lease, 100 times",
    "start": "T10: start-up, and a run with nothing to do",
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown or not names:
        print("\n".join(f"{name:10} {text}" for name, text in BENCHMARKS.items()))
        return 64 if unknown else 0
    for name in names:
        import_module(f"tests.bench.{name}").main()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
