"""Every kind of row that waits ends in a command, and the command, pasted, does what it says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

import pytest

from syncd.cli import people
from syncd.model import Hold
from syncd.store import Store, identities
from tests import stores
from tests.cli.office import DISABLING, Office, Said, person
from tests.cli.test_linking import stranger
from tests.cli.test_waiting import items
from tests.store import rows

Make = Callable[[Office], None]
ELSEWHERE = {Hold.NOTHING, Hold.VAIN}
"""Never a row of its own: what is tried in vain is shown as rejected."""
BOTS = """\
  bots:
    connector: chatbotkit
    base_url: {url}/v1
    secret: {secret}
    write: {{}}
"""


def configure(office: Office, more: str = "") -> None:
    office.configure(DISABLING + more)


def hired(office: Office, more: str = "", **changed: str) -> None:
    """One has an account, and 2 comes."""
    configure(office, more)
    office.settled(1)
    office.rows.append({**person(2), **changed})
    office.save()


def sync(office: Office) -> None:
    assert office.run("sync", "--yes").code == 3


def bots(office: Office, **user: object) -> None:
    """A second target, at which somebody made a user before; one has an account there, and 2 comes."""
    configure(office)
    office.config.write_text(office.config.read_text() + BOTS.format(url=office.url, secret=office.sandbox.chatbotkit.secret))
    office.settled(1)
    office.sandbox.chatbotkit.parent.create(user)
    office.hire(2)
    sync(office)


def first_contact(office: Office) -> None:
    configure(office)
    office.hire(2)
    office.run("plan")


def limit(office: Office) -> None:
    configure(office)
    office.settled(*range(1, 11))
    del office.rows[4:]
    office.save()
    sync(office)


def config(office: Office) -> None:
    configure(office)
    office.settled(1, 2)
    configure(office, '      scope: department == "Sales"\n')
    sync(office)


def restored(office: Office) -> None:
    configure(office)
    office.settled(1, 2)
    file = str(office.root / "copy.db")
    assert office.run("store", "backup", file).code == 0 and office.run("store", "restore", file, "--yes").code == 0
    del office.rows[1]
    office.save()
    sync(office)


def untrusted(office: Office) -> None:
    hired(office)
    stranger(office, "stranger", externalId="E2")
    sync(office)


def contradicted(office: Office) -> None:
    bots(office, name="Two", email="p2@corp.example", meta={"externalId": "E77"})


def erases(office: Office) -> None:
    bots(office, name="Two", email="p2@corp.example")


def two_accounts(office: Office) -> None:
    hired(office)
    stranger(office, "one", externalId="E2")
    stranger(office, "two", externalId="E2")
    sync(office)


def two_people(office: Office) -> None:
    configure(office, "      correlate: [displayName]\n")
    office.settled(1)
    office.sandbox.twilio.service().create("shared", friendly_name="Same Name")
    office.rows += [{**person(number), "displayName": "Same Name"} for number in (2, 3)]
    office.save()
    sync(office)


def rehire(office: Office) -> None:
    configure(office)
    office.settled(1, 2)
    office.rows = [person(1), {**person(9), "email": "p2@corp.example"}]
    office.save()
    sync(office)


def drift(office: Office) -> None:
    configure(office, "      drift: report\n")
    office.settled(1)
    office.sandbox.twilio.service().update("p1@corp.example", friendly_name="Other")
    sync(office)


def fight(office: Office) -> None:
    configure(office)
    office.settled(1)
    for code in (0, 0, 3):
        office.sandbox.twilio.service().update("p1@corp.example", friendly_name="Other")
        assert office.run("sync", "--yes").code == code


def key(office: Office) -> None:
    configure(office, "      on_key_change: replace\n")
    office.settled(1)
    office.rows[0]["email"] = "other@corp.example"
    office.save()
    sync(office)


def never_applied(office: Office) -> None:
    configure(office, "      apply: never\n")
    office.hire(2)
    sync(office)


def never_adopted(office: Office) -> None:
    hired(office, "      adopt: never\n")
    stranger(office, "p2@corp.example")
    sync(office)


def ignored(office: Office) -> None:
    hired(office)
    sid = stranger(office, "p2@corp.example")
    office.config.write_text(f"ignore: [{sid}]\n" + office.config.read_text())
    sync(office)


def foreign(office: Office) -> None:
    hired(office)
    stranger(office, "p2@corp.example", syncd="other:94447df2-cf55-523c-9825-4e8a0fba1fd4")
    sync(office)


def taken(office: Office) -> None:
    hired(office, email="p1@corp.example")
    sync(office)


def collision(office: Office) -> None:
    hired(office, email="same@corp.example")
    office.rows.append({**person(3), "email": "same@corp.example"})
    office.save()
    sync(office)


def unlinked(office: Office) -> None:
    """The account of 2 was taken from 2 and given to 1, who has left since."""
    configure(office)
    office.settled(1, 2, 3)
    for line in ("unlink -c chat p1@corp.example", "unlink -c chat p2@corp.example", "link -c chat p2@corp.example E1"):
        assert office.run(*line.split()).code == 0
    sync(office)
    del office.rows[0]
    office.save()
    sync(office)


def unread(office: Office) -> None:
    configure(office)
    office.settled(1)
    stranger(office, "p2@corp.example")
    office.run("sync", "--yes")
    office.hire(2)
    office.sandbox.faults = "404@fetch:1"
    sync(office)


def unreadable(office: Office) -> None:
    bots(office, name="a\0b")


def a_bad_row(office: Office) -> None:
    configure(office)
    office.settled(1, 2)
    office.rows[1]["email"] = "x" * 300
    office.save()
    sync(office)


def rejected(office: Office) -> None:
    hired(office)
    office.sandbox.faults = "422@create:*"
    sync(office)


def reviewed(office: Office) -> None:
    hired(office)
    configure(office, "      apply: review\n")
    sync(office)


def quarantined(office: Office) -> None:
    rejected(office)
    for _ in range(2):
        sync(office)
    office.sandbox.faults = ()


def in_doubt(office: Office) -> None:
    hired(office)
    configure(office, "    settle: 0s\n")
    office.sandbox.faults = "reset@create:1"
    sync(office)


LINK, RELEASE, REJECT = r"syncd link -c (chat|bots) \S+ p\d@corp.example", r"syncd held release \d+", r"syncd held reject \d+"
ROWS: list[tuple[Make, str, str]] = [
    (first_contact, "first_contact", RELEASE), (limit, "limit", RELEASE), (config, "config", RELEASE),
    (restored, "restored", RELEASE), (reviewed, "review", RELEASE),
    (untrusted, "untrusted", LINK), (contradicted, "contradicted", LINK), (erases, "erases", RELEASE),
    (two_accounts, "ambiguous", LINK), (two_people, "ambiguous", LINK), (unlinked, "unlinked", LINK), (rehire, "rehire", RELEASE),
    (drift, "drift", RELEASE), (fight, "fight", RELEASE), (key, "key", RELEASE), (unreadable, "unreadable", RELEASE),
    (never_applied, "apply", REJECT), (never_adopted, "never", REJECT), (ignored, "ignored", REJECT), (foreign, "foreign", REJECT),
    (taken, "taken", REJECT), (collision, "collision", REJECT), (unread, "unread", REJECT),
    (quarantined, "", r"syncd quarantine retry p2@corp\.example"), (in_doubt, "", "syncd sync"),
]  # fmt: skip
LASTING: list[tuple[Make, str]] = [(a_bad_row, "syncd plan"), (rejected, "syncd plan")]
"""What ends only when something else changes; the command shows what."""


def paste(office: Office, command: str) -> Said:
    """As a person at a terminal, who says yes."""
    program, *words = shlex.split(command)
    assert program == "syncd"
    return office.run(*words, typing="y\n")


def shown(office: Office) -> list[str]:
    """What the rows of `syncd pending` end in."""
    return [line.rpartition("  ")[2] for line in office.run("pending").out.splitlines() if line.startswith("    ")]


def test_there_is_one_for_every_hold() -> None:
    assert {hold for _, hold, _ in ROWS} | ELSEWHERE == {*Hold}


@pytest.mark.parametrize(("make", "hold", "command"), ROWS, ids=[make.__name__ for make, *_ in ROWS])
def test_pasting_it_ends_the_waiting(office: Office, make: Make, hold: str, command: str) -> None:
    make(office)
    before = items(office)
    assert before and any(re.fullmatch(command, row["command"]) for row in before), before
    assert {row["command"] for row in before} <= set(shown(office)), "text and JSON say the same"
    for _ in range(4):
        left = [row for row in items(office) if row["command"] != "syncd plan"]
        if not left:
            break
        said = paste(office, left[0]["command"])
        assert said.code in (0, 3), (left[0], said)
        assert office.run("sync", "--yes").code in (0, 3)
    assert not {row["change"] for row in before} & {row["change"] for row in items(office) if row["command"] != "syncd plan"}


@pytest.mark.parametrize(("make", "command"), LASTING, ids=[make.__name__ for make, _ in LASTING])
def test_what_lasts_is_shown_by_its_command(office: Office, make: Make, command: str) -> None:
    make(office)
    assert {row["command"] for row in items(office)} == {command} == set(shown(office))
    assert paste(office, command).code == 0


def test_of_two_accounts_each_has_its_command(office: Office) -> None:
    two_accounts(office)
    assert shown(office) == [
        f"syncd link -c chat {sid} p2@corp.example" for sid in sorted(office.users[name]["sid"] for name in ("one", "two"))
    ]


def test_who_is_called_like_another_is_named_by_id(office: Office) -> None:
    store = Store(stores.url(office.root))
    identities.save(store, [rows.person("a", ("userName", "same")), rows.person("b", ("email", "same")), rows.person("c")], [])
    identities.save(store, [rows.person("d", ("userName", "own"), ("email", "own"))], [])
    assert people.typed(store, ["a", "c", "d"]) == {"a": "a", "c": "c", "d": "own"}
    assert all(people.resolve(store, typed) == who for who, typed in people.typed(store, ["a", "c", "d"]).items())
    store.close()
