"""The Typer application: its groups, the options every command understands, and how a function becomes a command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import syncd
from syncd.cli.exits import DONE, Misused
from syncd.cli.invocation import Invocation

Function = Callable[..., int]
COMMON = {
    "config": Annotated[Path | None, typer.Option("--config", metavar="PATH", help="The configuration file.", show_default=False)],
    "json": Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")],
    "verbose": Annotated[bool, typer.Option("--verbose", "-v", help="Say everything: all changes, debug logs, tracebacks.")],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="Print results alone: no warnings, no progress.")],
}
ORDER = (
    "demo", "sandbox", "init", "check", "plan", "apply", "sync", "run", "status", "pending", "held", "quarantine", "explain", "history",
    "revert", "eval", "link", "unlink", "identities", "pause", "resume", "verify", "connection", "connector", "config", "store", "forget",
)  # fmt: skip
HELP = {"help_option_names": ["-h", "--help"]}
ABOUT = """Directory synchronization: the people in one place become the users in another, safely.

Begin with `syncd demo`, which needs nothing; then `syncd check`, `syncd plan` and `syncd sync` with a configuration of your own."""


def group(about: str = "", **settings: Any) -> typer.Typer:
    """A level of the command line. Plain help text: it is read in logs and pagers too."""
    return typer.Typer(help=about, rich_markup_mode=None, context_settings=HELP, pretty_exceptions_enable=False, **settings)


app = group(ABOUT)


class _Ordered(TyperGroup):
    """Help lists the commands in the order in which one meets them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(self.commands, key=lambda name: (*ORDER, name).index(name))


def subgroup(name: str, about: str) -> typer.Typer:
    """A group that does nothing by itself."""
    made = group(about, no_args_is_help=True)
    app.add_typer(made, name=name)
    return made


def command(
    parent: typer.Typer, name: str, *, json: bool = True, later: Sequence[str] = (), **settings: Any
) -> Callable[[Function], Function]:
    """Make a function the command ``name`` ("" = the group itself); it is given the Invocation, its own options, and returns an exit code.

    ``json``: whether --json means anything. ``later``: options of the contract that have not arrived, refused by name.
    """

    def register(function: Function) -> Function:
        called = _with_common_options(function, json, later)
        if name:
            parent.command(name, context_settings=HELP, **settings)(called)
        else:
            parent.callback(**{"invoke_without_command": True} | settings)(called)
        return function

    return register


def _with_common_options(function: Function, json: bool, later: Sequence[str]) -> Function:
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    refused = {"later_" + option.strip("-").replace("-", "_"): option for option in later}

    @functools.wraps(function)
    def called(context: typer.Context, **given: Any) -> int:
        invocation: Invocation = context.obj
        invocation.take(*(given.pop(option) for option in COMMON))
        if context.invoked_subcommand is not None:
            return DONE
        if invocation.printer.json and not json:
            raise Misused(f"`{context.command_path}` has no --json")
        for name, option in refused.items():
            if given.pop(name):
                raise Misused(f"`{context.command_path} {option}` has not arrived in this version")
        return function(invocation, **given)

    parameters = [_parameter("context", typer.Context), *own]
    parameters += [_parameter(name, Annotated[list[str], typer.Option(option, hidden=True)], []) for name, option in refused.items()]
    parameters += [_parameter(option, annotation, None if option == "config" else False) for option, annotation in COMMON.items()]
    called.__signature__ = inspect.Signature([each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters])  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in parameters}
    return called


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"syncd {syncd.__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")]


@command(app, "", invoke_without_command=False, no_args_is_help=True, cls=_Ordered)
def root(invocation: Invocation, version: Version = False) -> int:
    return DONE
