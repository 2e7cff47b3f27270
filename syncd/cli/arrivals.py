"""Commands of the contract that this version has not learnt yet: refused by name, so that nobody looks for them in vain."""

from __future__ import annotations

import typer

from syncd.cli.app import app
from syncd.cli.exits import Misused
from syncd.cli.storing import store

LATER = {
    app: ("account", "container"),
    store: ("migrate",),
}  # fmt: skip
ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def refuse(context: typer.Context) -> None:
    raise Misused(f"`{context.command_path}` has not arrived in this version")


for _group, _names in LATER.items():
    for _name in _names:
        _group.command(_name, hidden=True, add_help_option=False, context_settings=ANYTHING)(refuse)
