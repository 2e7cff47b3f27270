"""Two people files about the same members of Congress: whose value wins, and who departs when one of the files loses them or is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.sandbox import Sandbox, serve
from tests.end_to_end.desk import Desk, Row, members, write

HR = ("employeeNumber", "email", "name", "phone", "title")
PAY = ("payNumber", "badge", "email", "name", "phone", "title")
CONFIG = """
version: 1
precedence: {{phone: [pay, hr], displayName: [hr]}}
connections:
  hr: {{connector: file, path: hr.csv, id: employeeNumber, authoritative: true,
        read: {{attributes: {{userName: email, displayName: name, externalId: employeeNumber}}}}}}
  {pay}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {twilio.account_sid}
    auth_token: {twilio.auth_token}
    write: {{attributes: {{attributes.phone: phone, attributes.title: title}},
             deprovision: {{out_of_scope: delete, departed: delete, grace: 0s}}}}
    limits: {{delete: {{percent: 100}}, update: {{percent: 400}}, create: {{percent: 400}}, clear: {{percent: 100}}}}
"""
PAYROLL = """pay: {connector: file, path: pay.csv, id: payNumber, authoritative: true,
        read: {attributes: {externalId: badge, userName: email, displayName: name}}}"""
BOTH, ALONE = 8, 3


class Offices(Desk):
    """``hr`` has the first ten members, ``pay`` all of them but the first two, the last three hired by nobody else: with the badge of hr,
    and an address of its own, where they are known to both."""

    def arrange(self, url: str, pay: str = PAYROLL) -> None:
        self.configure(CONFIG.format(url=url, twilio=self.sandbox.twilio, pay=pay))

    def rows(self) -> tuple[list[Row], list[Row]]:
        everybody = members("2026-06-15", 2 + BOTH + ALONE)
        shared, alone = everybody[2 : 2 + BOTH], everybody[2 + BOTH :]
        joined = [
            self._paid(n, row) | {"badge": row["employeeNumber"].lower(), "email": f"pay{n}@pay.example"} for n, row in enumerate(shared)
        ]
        return everybody[: 2 + BOTH], [*joined, *(self._paid(BOTH + n, row) for n, row in enumerate(alone))]

    @staticmethod
    def _paid(n: int, row: Row) -> Row:
        return {**row, "payNumber": f"P{n}", "phone": f"+1777{n:03d}", "name": f"{row['name']} (pay)", "title": ""}

    def save(self, hr: list[Row], pay: list[Row]) -> None:
        write(self.root / "hr.csv", hr, HR)
        write(self.root / "pay.csv", pay, PAY)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[tuple[str, Offices]]:
    sandbox = Sandbox()
    with serve(sandbox) as address:
        yield address, Offices(tmp_path, sandbox)


@pytest.fixture
def offices(url: tuple[str, Offices]) -> Offices:
    address, desk = url
    desk.arrange(address)
    desk.save(*desk.rows())
    desk.sync()
    return desk


def held(desk: Offices) -> list[str]:
    return sorted(desk.chat())


def test_a_badge_that_both_say_makes_one_person_and_each_attribute_has_its_own_order(offices: Offices) -> None:
    hr, pay = offices.rows()
    assert len(offices.chat()) == 2 + BOTH + ALONE
    assert [offices.chat()[row["email"]] for row in hr[:2]] == [(row["name"], row["phone"]) for row in hr[:2]]
    assert [offices.chat()[row["email"]] for row in hr[2:]] == [
        (row["name"], paid["phone"]) for row, paid in zip(hr[2:], pay, strict=False)
    ]  # fmt: skip
    alone = [offices.chat()[row["email"]] for row in pay[BOTH:]]
    assert alone == [(None, row["phone"]) for row in pay[BOTH:]], "nobody but hr has a say in names"
    offices.rests()


def test_who_is_in_one_file_only_departs_with_it_and_who_is_in_both_stays(offices: Offices) -> None:
    hr, pay = offices.rows()
    offices.save(hr, pay[4:-1])
    report = offices.sync()
    assert report["connections"][2]["applied"] == {"create": 0, "adopt": 0, "update": 4, "disable": 0, "delete": 1}
    assert pay[-1]["email"] not in offices.chat()
    assert [offices.chat()[row["email"]][1] for row in hr[2:6]] == [row["phone"] for row in hr[2:6]], "the other's number comes"
    offices.save(hr[:2] + hr[6:], pay[4:-1])
    offices.sync()
    assert not {row["email"] for row in hr[2:6]} & offices.chat().keys(), "gone from both"
    offices.rests()


def test_a_file_that_cannot_be_read_makes_nobody_depart(offices: Offices) -> None:
    hr, _ = offices.rows()
    before = held(offices)
    (offices.root / "pay.csv").write_text("payNumber,badge,email,name,phone,title\nP0,")
    write(offices.root / "hr.csv", hr[1:], HR)
    code, _ = offices.type("sync", "--yes")
    assert (code, held(offices)) == (1, before), "not even who is surely gone from the other: they may be in this one"


def test_a_file_that_is_missing_stops_everything(offices: Offices) -> None:
    before = held(offices)
    (offices.root / "pay.csv").unlink()
    assert (offices.type("sync", "--yes")[0], held(offices)) == (78, before)


def test_a_source_taken_out_of_the_configuration_is_no_absence(url: tuple[str, Offices], offices: Offices) -> None:
    """Who was only there is frozen; of the others its values go."""
    address, desk = url
    hr, _ = desk.rows()
    before = held(desk)
    desk.arrange(address, pay="")
    desk.configure((desk.root / "syncd.yaml").read_text().replace("phone: [pay, hr], ", ""))
    desk.type("sync", "--yes")
    assert held(desk) == before
    assert [desk.chat()[row["email"]][1] for row in hr] == [row["phone"] for row in hr]
    desk.rests()


def test_a_source_that_is_forgotten_is_no_absence(url: tuple[str, Offices], offices: Offices) -> None:
    address, desk = url
    before = held(desk)
    desk.arrange(address, pay="")
    desk.configure((desk.root / "syncd.yaml").read_text().replace("phone: [pay, hr], ", ""))
    code, said = desk.type("connection", "forget", "pay", "--yes")
    assert code == 0, said + desk.err
    desk.type("sync", "--yes")
    assert held(desk) == before
    desk.rests()
