"""The exit codes of the contract, one row each: 0, 1, 2, 3, 64, 75, 78; where several apply, 1, then 3, then 2."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from datetime import timedelta

import pytest

from syncd.store import Store, lease
from tests import stores
from tests.cli.conftest import MakeOffice
from tests.cli.office import Office
from tests.world import Clock


def nothing(office: Office) -> None:
    """Four people in step."""
    office.settled(1, 2, 3, 4)


def edited(office: Office) -> None:
    nothing(office)
    office.rows[0]["displayName"] = "Renamed"
    office.save()


def departed(office: Office) -> None:
    """Half of them gone: held."""
    nothing(office)
    del office.rows[2:]
    office.save()


def rejected(office: Office) -> None:
    nothing(office)
    office.rows[0]["displayName"] = "x" * 300
    office.save()


def doubtful(office: Office) -> None:
    nothing(office)
    office.hire(5)
    office.sandbox.faults = "reset@create:1"


def broken_off(office: Office) -> None:
    """The file ends in the middle of a line, and something is held besides."""
    departed(office)
    office.run("sync", "--yes")
    with (office.root / "people.csv").open("a") as file:
        file.write('E4,"p4@corp')


def refused(office: Office) -> None:
    nothing(office)
    office.environ["CHAT_TOKEN"] = "another-token-than-theirs"


def misconfigured(office: Office) -> None:
    office.config.write_text("version: 9\n")


def leased(office: Office) -> None:
    nothing(office)
    assert office.environment is not None
    store = Store(stores.url(office.root))
    lease.acquire(store, ["chat"], "another", office.environment.now(), timedelta(minutes=5))
    store.close()


def saved(office: Office) -> None:
    edited(office)
    assert office.run("plan", "--out", str(office.root / "FILE")).code == 0


def moved(office: Office) -> None:
    saved(office)
    service = office.sandbox.twilio.service()
    service.update(office.users["p1@corp.example"]["sid"], friendly_name="Somebody")


def held_in_plan(office: Office) -> None:
    departed(office)
    assert office.run("plan", "--out", str(office.root / "FILE")).code == 0


def overtaken(office: Office) -> None:
    saved(office)
    assert office.run("sync", "--yes").code == 0


def saved_and_refused(office: Office) -> None:
    saved(office)
    office.environ["CHAT_TOKEN"] = "another-token-than-theirs"


def saved_and_broken_off(office: Office) -> None:
    saved(office)
    with (office.root / "people.csv").open("a") as file:
        file.write('E4,"p4@corp')


def saved_and_leased(office: Office) -> None:
    saved(office)
    assert office.environment is not None
    store = Store(stores.url(office.root))
    lease.acquire(store, ["chat"], "another", office.environment.now(), timedelta(minutes=5))
    store.close()


def saved_and_misconfigured(office: Office) -> None:
    saved(office)
    office.config.write_text("version: 9\n")


def paused(office: Office) -> None:
    edited(office)
    assert office.run("pause", "--reason", "an audit").code == 0


def gone(office: Office) -> None:
    """One of four has left, and is disabled."""
    nothing(office)
    del office.rows[3:]
    office.save()
    assert office.run("sync", "--yes").code == 0


Situation = Callable[[Office], None]
TABLE: list[tuple[str, Situation, int]] = [
    ("check", nothing, 0), ("check", refused, 1), ("check", misconfigured, 78),
    ("plan", nothing, 0), ("plan", edited, 0), ("plan", departed, 0), ("plan", rejected, 0), ("plan", broken_off, 1), ("plan", refused, 1),
    ("plan", misconfigured, 78), ("plan", leased, 75), ("plan --no-such-option", nothing, 64), ("plan -c people", refused, 0),
    ("plan --detailed-exitcode", nothing, 0), ("plan --detailed-exitcode", edited, 2), ("plan --detailed-exitcode", departed, 2),
    ("plan --detailed-exitcode", broken_off, 1), ("plan --detailed-exitcode", refused, 1),
    ("sync --yes", nothing, 0), ("sync --yes", edited, 0), ("sync --yes", departed, 3), ("sync --yes", rejected, 3),
    ("sync --yes", doubtful, 3), ("sync --yes", broken_off, 1), ("sync --yes", refused, 1), ("sync --yes", misconfigured, 78),
    ("sync --yes", leased, 75), ("sync --yes -c people", departed, 0), ("sync", edited, 64), ("sync --yes --only p1", edited, 1),
    ("sync --yes --only p1@corp.example", edited, 0),
    ("plan --out FILE", edited, 0), ("plan --out FILE --detailed-exitcode", edited, 2), ("plan --out nowhere/FILE", edited, 1),
    ("plan --format markdown", departed, 0), ("plan --format csv --detailed-exitcode", departed, 2), ("plan --format yaml", nothing, 64),
    ("apply FILE", saved, 0), ("apply FILE", moved, 3), ("apply FILE", held_in_plan, 3), ("apply FILE", overtaken, 1),
    ("apply FILE", nothing, 1), ("apply FILE", saved_and_refused, 1), ("apply FILE", saved_and_broken_off, 1),
    ("apply FILE", saved_and_leased, 75), ("apply FILE", saved_and_misconfigured, 78), ("apply", nothing, 64),
    ("status", departed, 0), ("status", broken_off, 0), ("status", refused, 0), ("status", misconfigured, 78), ("status", leased, 0),
    ("pending", departed, 0), ("pending", rejected, 0), ("held list", departed, 0), ("held release 99", nothing, 1),
    ("held reject 99", nothing, 1), ("verify", edited, 0), ("identities", nothing, 0), ("connection forget chat --yes", leased, 75),
    ("connection forget caht --yes", nothing, 1), ("connection forget chat", nothing, 64), ("config show", misconfigured, 78),
    ("explain p1@corp.example", nothing, 0), ("explain p1@corp.example", refused, 0), ("explain p1@corp.example", leased, 0),
    ("explain p9@corp.example", nothing, 1), ("explain p1@corp.example --at 2020-01-01", nothing, 1), ("explain", nothing, 64),
    ("explain p1@corp.example --at noon", nothing, 64), ("explain p1@corp.example", misconfigured, 78),
    ("eval true", nothing, 0), ("eval true", refused, 0), ("eval department", nothing, 64), ("eval true -c caht", nothing, 64),
    ("history", nothing, 0), ("history p9@corp.example", nothing, 1), ("history --run 99", nothing, 1),
    ("history --since noon", nothing, 64),
    ("revert 1 --yes", edited, 0), ("revert 99 --yes", nothing, 1), ("revert 1", nothing, 64), ("revert 1 --yes", leased, 75),
    ("link -c chat US9 p1@corp.example", nothing, 1), ("link -c chat", nothing, 64), ("link --from nowhere.csv", nothing, 1),
    ("unlink -c chat US9", nothing, 1), ("identities merge p1@corp.example p9@corp.example --yes", nothing, 1),
    ("pending resolve 99 --absent", nothing, 1), ("pending resolve 99", nothing, 64),
    ("quarantine list", rejected, 0), ("quarantine retry p1@corp.example", nothing, 1), ("quarantine drop p1@corp.example", nothing, 1),
    ("pause --reason lunch", nothing, 0), ("pause", nothing, 64), ("pause --reason lunch --until noon", nothing, 64),
    ("resume", nothing, 1), ("resume", paused, 0), ("sync --yes", paused, 0), ("plan", paused, 0), ("status", paused, 0),
    ("forget p4@corp.example --yes", gone, 0), ("forget p1@corp.example --yes", gone, 1), ("forget p4@corp.example", gone, 64),
    ("store backup FILE", nothing, 0), ("store backup FILE", saved, 1), ("store restore FILE --yes", nothing, 1),
    ("store restore FILE", nothing, 64), ("init FILE", nothing, 1),
    ("config schema", misconfigured, 0), ("connector list", misconfigured, 0), ("run", misconfigured, 78),
    ("--version", misconfigured, 0),
]  # fmt: skip


@pytest.mark.parametrize(("line", "situation", "code"), TABLE, ids=[f"{line}, {situation.__name__}" for line, situation, _ in TABLE])
def test_exit_code(make_office: MakeOffice, line: str, situation: Situation, code: int) -> None:
    office = make_office(Clock() if situation in (leased, saved_and_leased) else None)
    office.save()
    situation(office)
    if line in ("pending", "held list"):
        assert office.run("sync", "--yes").code == 3
    said = office.run(*(str(office.root / word) if word.endswith("FILE") else word for word in line.split()))
    assert said.code == code, said
    assert "Traceback" not in said.err and "unexpected" not in said.err
    assert re.match(r"\S", said.err) or code in (0, 1, 2, 3), "a refusal says why"


def test_a_port_in_use_ends_the_sandbox_with_1(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = office.run("sandbox", "--port", str(taken.getsockname()[1]))
    assert said.code == 1 and "Address already in use" in said.err
