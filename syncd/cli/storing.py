"""`syncd store backup` and `syncd store restore`: the store as a file, and a file as the store."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.app import command, subgroup
from syncd.cli.exits import DONE, Failed, Misused
from syncd.cli.invocation import Invocation

if TYPE_CHECKING:
    from syncd.cli.printer import Styled
    from syncd.store.backups import Contents
    from syncd.store.restoring import Restored

store = subgroup("store", "The store as a whole: copied, put back.")
MOST = 5
"""Moments that are named."""
File = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]


@command(store, "backup")
def backup(invocation: Invocation, file: File) -> int:
    """Copy the store to FILE, also while runs are at work.

    FILE must not exist; only its owner may read it. The copy is checked.
    """
    from syncd.cli.progress import Progress
    from syncd.model import Effort
    from syncd.store import backups

    url, effort = invocation.settings.store.url, Effort("copying the store", "bytes")
    if (place := backups.place(url)) is not None and not place.exists():
        raise Failed(f"there is no store yet at {place}: the first `syncd plan` makes it")
    progress = Progress(invocation.printer, invocation.environment)
    made = asyncio.run(progress.during(lambda: backups.backup(url, file, effort), effort))
    invocation.printer.show(_document("backup", made), lambda: _made(made))
    return DONE


@command(store, "restore")
def restore(invocation: Invocation, file: File, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> int:
    """Put the backup FILE in the place of the store; the store as it is stays in a file beside.

    No run may be at work. Everything is read anew by the next run; who leaves is held until one whole run held nobody; plan files made
    before are void.
    """
    if not yes and not invocation.attended:
        raise Misused("`syncd store restore` asks first, and here is no terminal: say --yes")
    from syncd.cli.asking import confirmed
    from syncd.cli.progress import Progress
    from syncd.model import Effort
    from syncd.store import backups, restoring

    settings, effort = invocation.settings, Effort("restoring the store", "tables")
    found, place = backups.examine(file), backups.place(settings.store.url)
    if not yes:
        invocation.printer.lines([f"{file} holds {_told(found)}", *_present(place)], aside=True)
        if not asyncio.run(confirmed(invocation, f"Put it in the place of {place or 'what is there'}?")):
            invocation.printer.note("Nothing was restored.")
            return DONE
    said, now = {"command": shlex.join(["syncd", "store", "restore", str(file)])}, invocation.environment.now()

    def work() -> Restored:
        return restoring.restore(
            settings.store.url, settings.landscape.instance, file, said, now, settings.landscape.lease, effort
        )  # fmt: skip

    done = asyncio.run(Progress(invocation.printer, invocation.environment).during(work, effort))
    told = _document("restore", found, kept=None if done.kept is None else str(done.kept), epoch=done.epoch, forgotten=done.forgotten)
    invocation.printer.show(told, lambda: _restored(found, done))
    return DONE


def _document(kind: str, found: Contents, **more: Any) -> dict[str, Any]:
    from syncd.cli.documents import document

    return document(
        kind, file=str(found.path), bytes=found.size, identities=found.identities, accounts=found.accounts, last_run=found.last_run, **more
    )  # fmt: skip


def _made(found: Contents) -> Iterator[str | Styled]:
    yield f"{found.path}: {_told(found)}; checked."
    yield f"To put it back: syncd store restore {shlex.quote(str(found.path))}"


def _restored(found: Contents, done: Restored) -> Iterator[str | Styled]:
    yield f"Restored: {_told(found)}."
    yield f"The store as it was: {done.kept}" if done.kept is not None else "There was no store before."
    yield "What you said since that backup (releases, noes, links) is not known any more."
    yield "Who leaves is held until one whole run held nobody."
    yield from _back(done.forgotten)
    yield "Next: syncd plan, which reads everything anew."


def _back(forgotten: Sequence[str] | None) -> Iterator[str | Styled]:
    """``forgotten``: when; whom, nobody knows any more."""
    from syncd.cli.printer import YELLOW
    from syncd.cli.text import count, listed

    again = "  Forget them again: syncd sync --full, then syncd forget WHO. Whom, your own records say; the store does not know any more."
    if forgotten is None:
        yield "Who was forgotten since that backup is known again, if it knew them.", YELLOW
    elif forgotten:
        many = f"{count(len(forgotten), 'person', 'people')} {'was' if len(forgotten) == 1 else 'were'} forgotten"
        when = listed([f"{at[:16].replace('T', ' ')} UTC" for at in forgotten[:MOST]], len(forgotten) - MOST)
        yield f"Since that backup {many} ({when}): what it knew of them is back.", YELLOW
    if forgotten != []:
        yield again


def _told(found: Contents) -> str:
    from syncd.cli.text import count

    last = f"last run {found.last_run[:16].replace('T', ' ')} UTC" if found.last_run else "no run yet"
    size = f"{found.size / 2**20:,.1f} MiB"
    return f"{count(found.identities, 'identity', 'identities')}, {count(found.accounts, 'account')}, {last}, {size}"


def _present(place: Path | None) -> Iterator[str]:
    from syncd.store import backups

    if place is None:
        return
    try:
        yield f"{place} holds {_told(backups.examine(place))}" if place.exists() else f"{place} does not exist"
    except backups.Unusable as error:
        yield str(error)
