"""Commands for trying syncd out: demo and sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncd.cli.app import app, command
from syncd.cli.exits import Misused
from syncd.cli.invocation import Invocation
from syncd.cli.text import did_you_mean

PROVIDERS = ("twilio", "appwrite", "chatbotkit", "waii")


@command(app, "demo", json=False)
def demo(
    invocation: Invocation,
    keep: Annotated[Path | None, typer.Option("--keep", metavar="DIR", help="Leave config, store and log there.")] = None,
) -> int:
    """See it work: needs nothing, leaves nothing behind."""
    from syncd.cli.demo import play

    return play(invocation, keep)


@command(app, "sandbox", json=False)
def sandbox(
    invocation: Invocation,
    provider: Annotated[list[str] | None, typer.Option("--provider", metavar="NAME", help="Only this provider; may be repeated.")] = None,
    users: Annotated[int, typer.Option("--users", metavar="N", min=0, help="Made-up users the directory starts with.")] = 0,
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="Default: a free one.")] = 0,
    faults: Annotated[str, typer.Option("--faults", metavar="SPEC", help="For example timeout@create:1,500@list:0.1")] = "",
) -> int:
    """Serve emulated providers, and print a config for them."""
    for name in provider or ():
        if name not in PROVIDERS:
            raise Misused(f"no provider is called {name!r}{did_you_mean(name, PROVIDERS)}")
    from syncd.sandbox.__main__ import main

    invocation.printer.note("Save this as syncd.yaml beside a people.csv with the columns employeeNumber and email; Ctrl-C ends it.")
    only = [part for name in provider or () for part in ("--provider", name)]
    return main(["--users", str(users), "--port", str(port), "--faults", faults, *only])
