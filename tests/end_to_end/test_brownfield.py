"""Four directories that were populated before syncd came, or before its store was lost: adopted, held, never doubled, never rewritten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.quarter import TARGETS, Quarter, ident, mail, quarter

NOTHING = dict.fromkeys(TARGETS, 0)


@pytest.fixture
def four(tmp_path: Path) -> Iterator[Quarter]:
    with quarter(tmp_path) as one:
        yield one


def populate(four: Quarter) -> None:
    """1 to 4 have accounts everywhere under keys that administrators write; three more at each are not theirs."""
    for number in range(1, 5):
        four.twilio.create(mail(number), friendly_name="Old")
        four.project.create(f"old{number}", mail(number), name="Old")
        four.project.update(f"old{number}", emailVerification=True)
        four.parent.create({"email": mail(number), "name": "Old"})
        four.tree.create_user(mail(number), name="Old")
    for name in ("svc-robot", "stranger1", "stranger2"):
        four.twilio.create(name)
        four.project.create(name, f"{name}@corp.example")
        four.parent.create({"email": f"{name}@corp.example", "name": name})
        four.tree.create_user(f"{name}@corp.example", name=name)


def puzzle(four: Quarter) -> None:
    """5 has an account under a key that its holder can edit, 6 has two under one key or under two."""
    four.twilio.create("five", attributes='{"externalId": "E5"}')
    four.project.create("five", mail(5))
    for name in ("six", "sixth"):
        four.twilio.create(name, attributes='{"externalId": "E6"}')
    four.parent.create({"email": mail(6), "name": "Six"})
    four.parent.create({"email": "six@corp.example", "name": "Six", "meta": {"externalId": "E6"}})
    four.tree.create_user(mail(6), name="Six")
    four.tree.create_user("six@corp.example", name="Six", variables={"externalId": "E6"})


ACCOUNTS = {
    "people": {"linked": 8, "adoptable": 0, "ambiguous": 0, "unmanaged": 0, "ignored": 0, "rejected": 0},
    "chat": {"linked": 0, "adoptable": 4, "ambiguous": 3, "unmanaged": 2, "ignored": 1, "rejected": 0},
    "app": {"linked": 0, "adoptable": 4, "ambiguous": 1, "unmanaged": 2, "ignored": 1, "rejected": 0},
    "bots": {"linked": 0, "adoptable": 4, "ambiguous": 2, "unmanaged": 2, "ignored": 1, "rejected": 0},
    "sql": {"linked": 0, "adoptable": 4, "ambiguous": 2, "unmanaged": 2, "ignored": 2, "rejected": 0},
}
"""At Waii our own account is left alone, too."""


def test_first_contact_adopts_what_is_certain_and_asks_about_the_rest(four: Quarter) -> None:
    populate(four)
    puzzle(four)
    before = four.accounts()
    four.employ(*range(1, 9))
    four.writes()
    made = four.plan()
    assert {one["name"]: one["accounts"] for one in made["connections"]} == ACCOUNTS
    assert four.writes() == NOTHING
    applied = {name: one["applied"] for name, one in four.sync().items()}
    new = {"chat": {7, 8}, "app": {6, 7, 8}, "bots": {5, 7, 8}, "sql": {5, 7, 8}}
    assert {name: (applied[name]["adopt"], applied[name]["create"]) for name in TARGETS} == {name: (4, len(new[name])) for name in TARGETS}
    assert four.waits() == {("chat", mail(5)): 1, ("chat", mail(6)): 1, ("app", mail(5)): 1, ("bots", mail(6)): 1, ("sql", mail(6)): 1}
    after = four.accounts()
    linked = four.links()
    for name in TARGETS:
        assert set(linked[name].values()) == {mail(number) for number in {1, 2, 3, 4} | new[name]}, name
        assert {id: one for id, one in after[name].items() if id in before[name].keys() - linked[name].keys()} == {
            id: one for id, one in before[name].items() if id not in linked[name]
        }, "what is nobody's is as it was"
    _settled_by_a_person(four)


def _settled_by_a_person(four: Quarter) -> None:
    """Each held adoption is linked; then nothing waits and nobody has two."""
    choice = {("chat", 5): "five", ("chat", 6): "sixth", ("app", 5): "five", ("sql", 6): mail(6)}
    choice["bots", 6] = str(four.parent.by_email(mail(6))["id"])  # type: ignore[index]
    for (name, number), account in choice.items():
        code, said = four.type("link", "-c", name, account, mail(number))
        assert code == 0, said
    before = {name: len(found) for name, found in four.accounts().items()}
    reports = four.sync()
    assert {name: (reports[name]["applied"]["adopt"], reports[name]["held"]) for name in TARGETS} == {
        "chat": (2, 0), "app": (1, 0), "bots": (1, 0), "sql": (1, 0),
    }  # fmt: skip
    assert {name: len(found) for name, found in four.accounts().items()} == before
    assert all(sorted(found.values()) == [mail(number) for number in range(1, 9)] for found in four.links().values())
    four.writes()
    four.sync()
    assert four.writes() == NOTHING and not four.waits() and four.type("verify")[0] == 0


def test_a_lost_store_owns_everything_again_and_writes_nothing(four: Quarter) -> None:
    populate(four)
    four.employ(*range(1, 9))
    assert four.sync()["chat"]["applied"]["adopt"] == 4
    four.sync()
    assert not four.waits()
    four.writes()
    before, linked = four.accounts(), four.links()
    four.lose_store()
    made = four.plan()
    assert {one["name"]: one["accounts"]["adoptable"] for one in made["connections"]} == {"people": 0, **dict.fromkeys(TARGETS, 8)}, made
    reports = four.sync()
    assert {name: reports[name]["applied"]["adopt"] for name in TARGETS} == dict.fromkeys(TARGETS, 8), four.type("pending")
    assert four.writes() == NOTHING and four.accounts() == before and four.links() == linked and not four.waits()
    four.sync()
    assert four.writes() == NOTHING and four.type("verify")[0] == 0


def test_after_a_lost_store_what_only_its_holder_wrote_is_held(four: Quarter) -> None:
    """The keys that administrators write are another's or gone: only one is left that anybody can edit."""
    four.employ(1, 2)
    four.sync()
    four.employ(1, email="renamed@corp.example")
    assert four.sync()["chat"]["held"] == 0, "its key stays as it is"
    four.project.update(ident(1), labels=())
    before = four.accounts()
    four.writes()
    four.lose_store()
    four.sync()
    four.sync()
    assert four.waits() == {("chat", "renamed@corp.example"): 1, ("app", "renamed@corp.example"): 1}
    assert {name: found.keys() for name, found in four.accounts().items()} == {name: found.keys() for name, found in before.items()}
    assert {name: number for name, number in four.writes().items() if name in ("chat", "app")} == {"chat": 0, "app": 0}


EDITS = {
    "their marker is another person's": ("chat", {"attributes": f'{{"syncd": "default:{ident(2)}"}}'}),
    "their marker is another instance's": ("chat", {"attributes": f'{{"syncd": "other:{ident(1)}"}}'}),
    "their marker is a newcomer's": ("chat", {"attributes": f'{{"syncd": "default:{ident(9)}", "externalId": "E9"}}'}),
    "no marker": ("chat", {"attributes": "{}"}),
    "nonsense": ("chat", {"attributes": '{"syncd": {"a": 1}, "externalId": ["E2"], "active": "maybe"}'}),
    "inactive by themselves": ("chat", {"attributes": f'{{"syncd": "default:{ident(1)}", "externalId": "E1", "active": false}}'}),
    "another name": ("chat", {"friendly_name": "Person 2"}),
    "a name on the ignore list": ("chat", {"friendly_name": "svc-me"}),
    "their prefs": ("app", {"prefs": f'{{"syncd": "default:{ident(2)}", "externalId": "E2", "active": false}}'}),
    "an address of their own": ("app", {"email": "mine@home.example", "emailVerification": False}),
    "an address of their own, verified": ("app", {"email": "mine@home.example", "emailVerification": True}),
    "an address on the ignore list": ("app", {"email": "svc-me@home.example"}),
    "a verified one": ("app", {"email": "svc-me@home.example", "emailVerification": True}),
    "a newcomer's address": ("app", {"email": mail(9)}),
    "another name there": ("app", {"name": "Person 2"}),
}  # fmt: skip
"""What somebody does to their own account: everything that its holder, not only an administrator, can write."""


@pytest.mark.parametrize("lost", [False, True], ids=["store", "lost store"])
@pytest.mark.parametrize("edit", EDITS)
def test_nobody_gains_or_loses_an_account_by_what_they_write_themselves(four: Quarter, edit: str, lost: bool) -> None:
    four.employ(1, 2, 3)
    four.sync()
    before, linked = four.accounts(), four.links()
    name, changes = EDITS[edit]
    if name == "chat":
        four.twilio.update(str(four.twilio.by_identity(mail(1))["sid"]), **changes)  # type: ignore[index]
    else:
        four.project.update(ident(1), **changes)
    if lost:
        four.lose_store()
    four.writes()
    for _ in range(2):
        reports = four.sync()
        assert all(reports[one]["applied"][kind] == 0 for one in TARGETS for kind in ("create", "disable", "delete")), reports
    assert {one: found.keys() for one, found in four.accounts().items()} == {one: found.keys() for one, found in before.items()}
    foreign = lost and edit == "their marker is another instance's"
    if foreign:
        assert four.waits() == {("chat", mail(1)): 1}, "a person is asked, and says whose it is"
        assert four.type("link", "-c", "chat", mail(1), mail(1))[0] == 0
        four.sync()
    assert four.links() == linked and not four.waits()
    assert four.project.users[ident(1)]["status"] is True
    four.employ(9)
    for _ in range(2):
        four.sync()
    assert {one: sorted(found.values()) for one, found in four.links().items()} == {
        one: [mail(number) for number in (1, 2, 3, 9)] for one in TARGETS
    }
    assert not four.waits() and all(four.links()[one].items() >= linked[one].items() for one in TARGETS)
    four.employ(1, active="no")
    for _ in range(2):
        four.sync()
    assert not four.waits() and four.project.users[ident(1)]["status"] is False, "nor do they stay when they leave"
    assert '"active":false' in str(four.twilio.by_identity(mail(1))["attributes"])  # type: ignore[index]


def test_a_leaver_who_enables_themselves_is_disabled_again(four: Quarter) -> None:
    four.employ(1, 2)
    four.sync()
    four.employ(1, active="no")
    four.sync()
    assert '"active":false' in str(four.twilio.by_identity(mail(1))["attributes"])  # type: ignore[index]
    four.twilio.update(str(four.twilio.by_identity(mail(1))["sid"]), attributes='{"active": true}')  # type: ignore[index]
    four.sync()
    assert '"active":false' in str(four.twilio.by_identity(mail(1))["attributes"])  # type: ignore[index]
    assert not four.waits()
