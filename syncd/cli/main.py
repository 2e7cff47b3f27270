"""From arguments to an exit code: every way a command can end is said in one clear message."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress

import typer.main
from typer.exceptions import TyperException

from syncd.cli import (
    applying,
    arrivals,
    asking_why,
    configuring,
    conforming,
    linking,
    looking,
    pausing,
    quarantining,
    remembering,
    resolving,
    running,
    sending,
    starting,
    storing,
    streams,
    trying,
    waiting,
)
from syncd.cli.app import app
from syncd.cli.exits import DONE, FAILED, INTERRUPTED, MISUSED, TERMINATED
from syncd.cli.invocation import Invocation
from syncd.environment import Environment
from syncd.errors import Refused, SyncdError

GROUPS = (
    trying, starting, sending, applying, running, looking, waiting, resolving, quarantining, linking, asking_why, remembering, pausing,
    configuring, conforming, storing, arrivals,
)  # fmt: skip
"""Imported for the commands they register, in the order in which help lists them."""

YOUNG = 50_000
"""Objects made between two looks for cycles: a listing makes many and closes next to none, and looking takes a sixth of its time."""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None, environment: Environment | None = None) -> int:
    """Run one command line (default: that of the process, with its variables and clock) and return its exit code."""
    streams.occupy()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    invocation = Invocation(environ, environment)
    try:
        code = int(typer.main.get_command(app).main(argv, "syncd", standalone_mode=False, obj=invocation) or DONE)
    except TyperException as error:
        return _misused(invocation, error)
    except SyncdError as error:
        invocation.printer.failure(str(error) if isinstance(error, Refused) else f"syncd: {error}")
        return int(getattr(error, "exit_code", FAILED))
    except SystemExit as ended:  # shell completion, and a reader of our output that went away
        return ended.code if isinstance(ended.code, int) else FAILED
    except Exception as error:  # the last door: what comes here is a fault of syncd, and may hold secrets
        return _unwritten(invocation, error) if streams.unwritten(error) else _unexpected(invocation, error)
    if code in (INTERRUPTED, TERMINATED):
        invocation.printer.failure("syncd: interrupted; what was under way is settled by the next run")
    return code


def _misused(invocation: Invocation, error: TyperException) -> int:
    """Typer's own code for wrong usage is 2, which means "there is a change" here (contract, exit codes)."""
    context, message = getattr(error, "ctx", None), error.format_message()
    if message.startswith("Usage: "):  # a group without a command: its help is the message
        invocation.printer.failure(message)
    else:
        invocation.printer.failure(f"syncd: {message}" + (f"\n  see `{context.command_path} --help`" if context else ""))
    return MISUSED if error.exit_code == 2 else FAILED


def _unwritten(invocation: Invocation, error: Exception) -> int:
    with suppress(OSError):  # neither can that be said, perhaps
        invocation.printer.failure(f"syncd: the output cannot be written: {getattr(error, 'strerror', '')}")
    return FAILED


def _unexpected(invocation: Invocation, error: Exception) -> int:
    first = (str(error).splitlines() or [""])[0]
    invocation.printer.failure(f"syncd: unexpected {type(error).__name__}: {first}")
    if invocation.verbose:
        invocation.printer.failure("".join(traceback.format_exception(error)).rstrip())
    else:
        invocation.printer.failure("  this is a fault of syncd; with -v it shows where")
    return FAILED
