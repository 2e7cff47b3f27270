"""Several sources: whose accounts make one person, whose value wins, and who has to vouch for a departure."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta

import pytest

from syncd.connectors.file import FileConnector, FileOptions
from syncd.model import Connection, Rate
from tests import stores
from tests.engine.worlds import MakeWorld, mail, people, source, target, write
from tests.world import World, columns, person, planned

pytestmark = pytest.mark.anyio


def hired(number: int, **more: str) -> dict[str, str]:
    """The same person as `person(number)`, in a file of another numbering."""
    return {**person(number), "employeeNumber": f"h{number}", **more}


async def both(world: MakeWorld, ours: list[dict[str, str]], theirs: list[dict[str, str]], **options: object) -> World:
    read = options.pop("reads", {})
    w = world(**{"target": target("delete"), **options})
    w.extra = [source(w, "hr", read=read)]  # type: ignore[arg-type]
    w.write(ours)
    write(w, "hr", theirs)
    report, _ = await w.run()
    assert report.converged
    return w


@pytest.mark.parametrize("name", ["userName", "email"])
async def test_two_sources_make_one_person_by_a_key_the_configuration_maps(world: MakeWorld, name: str) -> None:
    address = mail(1) if name == "email" else ""
    theirs = [hired(1, login=mail(1), email=address, phone="5"), hired(2, login=mail(2))]
    w = await both(world, people(1), theirs, reads={name: "login" if name == "userName" else "email"})
    assert {one["userName"] for one in w.directory.accounts.values()} == {mail(1), mail(2)}
    assert w.account(mail(1))["phone"] == "5", "what one source does not say, the other may"
    assert w.store.value("SELECT COUNT(*) FROM identity") == 2


async def test_the_default_external_id_never_makes_one_person_of_two(world: MakeWorld) -> None:
    """Both files number their people from one: 1 here and 1 there are two."""
    w = await both(world, [person(1)], [person(1, email="other@corp.example")])
    assert len(w.directory.accounts) == 2


@pytest.mark.parametrize("mapped", ["people", "hr"])
async def test_one_default_external_id_and_one_mapped_make_two(world: MakeWorld, mapped: str) -> None:
    """e1 is a number here, and there a badge of somebody else: joined only where both files say so."""
    badge = {"externalId": "login"}
    w = world(read=badge if mapped == "people" else {})
    w.extra = [source(w, "hr", read=badge if mapped == "hr" else {})]
    w.write([person(1, login="e2" if mapped == "people" else "")])
    write(w, "hr", [person(2, login="e1" if mapped == "hr" else "")])
    await w.run()
    w.write([person(1, login="e2" if mapped == "people" else ""), person(3, login="x")])
    await w.run()
    assert w.store.value("SELECT COUNT(*) FROM identity") == len(w.directory.accounts) == 3
    assert w.verify() == []


async def test_a_mapped_external_id_joins_whatever_the_other_says_by_precedence(world: MakeWorld) -> None:
    """The first source has none of its own, so that its number is shown; the other two say the same badge."""
    w = world()
    w.extra = [source(w, "hr", read={"externalId": "login"}), source(w, "lab", read={"externalId": "login"})]
    w.write([person(1)])
    write(w, "hr", [hired(1, login="b1")])
    write(w, "lab", [{"employeeNumber": "l1", "login": "B1"}])
    await w.run()
    assert w.store.value("SELECT COUNT(*) FROM identity") == 1
    assert w.account(mail(1))["meta"]["externalId"] == "e1"


async def test_a_number_that_stands_in_for_a_user_name_joins_nobody(world: MakeWorld) -> None:
    """Neither file has names or addresses: number 1 here and number 1 there are two people who cannot both have the account."""
    w = world()
    w.columns = ["employeeNumber", "title"]
    w.extra = [source(w, "hr")]
    w.write([{"employeeNumber": "1", "title": "Chef"}])
    write(w, "hr", [{"employeeNumber": "1", "title": "Cook"}])
    _, plan = await w.run()
    assert w.store.value("SELECT COUNT(*) FROM identity") == 2
    assert {hold for _, _, hold in planned(plan)} == {"collision"}


async def test_files_whose_ids_are_the_addresses_join_by_them(world: MakeWorld) -> None:
    """The id column is one of those that userName is read from first: nothing stands in for it."""
    w = world()
    w.extra = [by_address(w, "hr"), by_address(w, "lab")]
    w.write([])
    write(w, "hr", people(1))
    write(w, "lab", people(1))
    await w.run()
    assert w.store.value("SELECT COUNT(*) FROM identity") == 1


def by_address(w: World, name: str) -> tuple[Connection, FileConnector]:
    options = FileOptions(path=str(w.root / f"{name}.csv"), id="email")
    read = tuple(entry for entry in columns(options.capability().read_defaults) if entry.name != "email")
    one = Connection(name, "file", options.binding(), name, authoritative=True, read=read)
    return one, FileConnector(options, environment=w.clock, rate=Rate(), writable=False)


async def test_a_user_name_that_is_the_id_by_choice_joins(world: MakeWorld) -> None:
    w = world(read={"userName": "employeeNumber"})
    w.columns = ["employeeNumber", "title"]
    w.extra = [source(w, "hr", read={"userName": "employeeNumber"})]
    w.write([{"employeeNumber": "ann"}])
    write(w, "hr", [{"employeeNumber": "Ann"}])
    await w.run()
    assert w.store.value("SELECT COUNT(*) FROM identity") == 1


async def test_an_external_id_that_the_configuration_maps_does(world: MakeWorld) -> None:
    w = world(read={"externalId": "login"})
    w.extra = [source(w, "hr", read={"externalId": "login"})]
    w.write([person(1, login="p1")])
    write(w, "hr", [person(1, email="other@corp.example", login="P1")])
    await w.run()
    assert w.store.value("SELECT COUNT(*) FROM identity") == 1


async def test_keys_by_default_only_find_keys_by_configuration_join(world: MakeWorld) -> None:
    """Unmapped columns that merely bear a canonical name are an administrator's word too: every key of a file joins, but externalId."""
    w = await both(world, people(1), [hired(1)])
    assert (len(w.directory.accounts), w.store.value("SELECT COUNT(*) FROM identity")) == (1, 1)


async def test_whom_only_a_removed_source_knows_is_joined_by_nobody(world: MakeWorld) -> None:
    w = await both(world, people(1), [hired(2)])
    w.extra = [*w.extra, source(w, "lab")]
    write(w, "lab", [hired(5)])
    await w.run()
    w.extra = w.extra[:1]
    await w.run()
    write(w, "hr", [hired(2), hired(5)])
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(5), "taken")]
    assert w.verify() == []


async def test_precedence_is_the_order_of_the_sources_unless_an_attribute_names_its_own(world: MakeWorld) -> None:
    w = await both(world, [person(1, phone="5", title="x")], [hired(1, phone="6", title="y")])
    assert (w.account(mail(1))["phone"], w.account(mail(1))["title"]) == ("5", "x")
    w.precedence = {"phone": ("hr", "people")}
    report, _ = await w.run()
    assert (w.account(mail(1))["phone"], w.account(mail(1))["title"], report.converged) == ("6", "x", True)
    write(w, "hr", [hired(1, title="y")])
    await w.run()
    assert w.account(mail(1))["phone"] == "5", "no value is no opinion"
    assert not w.verify()


async def test_a_person_departs_only_when_gone_from_every_source(world: MakeWorld) -> None:
    w = await both(world, people(1, 2), [hired(1), hired(2)])
    w.write(people(2))
    _, plan = await w.run()
    assert all(kind == "update" for kind, _, _ in planned(plan)), "externalId is now the other source's"
    write(w, "hr", [hired(2)])
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]


async def test_nobody_leaves_while_one_of_the_sources_is_incomplete(world: MakeWorld) -> None:
    w = await both(world, people(1, 2), [hired(3)])
    w.write(people(2))
    (w.root / "hr.csv").unlink()
    report, plan = await w.run()
    assert (planned(plan), report.failed) == ([], True)
    write(w, "hr", [hired(3)])
    _, plan = await w.run()
    assert planned(plan) == [("delete", mail(1), "")]


async def test_dates_are_read_in_the_time_zone_of_the_source_that_says_them(world: MakeWorld) -> None:
    """people is in Tokyo and says when it begins, hr is in New York and says when it ends: 15:00 and 05:00 UTC."""
    w = world(target=target("disable"), timezone="Asia/Tokyo", precedence={"activeUntil": ("hr", "people")})
    w.extra = [source(w, "hr", timezone="America/New_York")]
    w.write([person(1, activeFrom="2026-02-01", activeUntil="2026-01-02"), person(2)])
    write(w, "hr", [hired(1, activeUntil="2026-02-27")])
    await w.run()
    for moment, active in [
        (datetime(2026, 1, 31, 14, 59, tzinfo=UTC), None),
        (datetime(2026, 1, 31, 15, 0, tzinfo=UTC), True),
        (datetime(2026, 2, 28, 4, 59, tzinfo=UTC), True),
        (datetime(2026, 2, 28, 5, 0, tzinfo=UTC), False),
    ]:
        w.clock.at = moment
        await w.run()
        found = [one["active"] for one in w.directory.accounts.values() if one["userName"] == mail(1)]
        assert found == ([] if active is None else [active]), moment


async def test_two_rows_of_one_source_are_never_one_person(world: MakeWorld) -> None:
    """Both rows of hr answer to the e-mail of a person in people: none joins, and the shared userName freezes all."""
    w = await both(world, people(1), [])
    before = copy.deepcopy(w.directory.accounts)
    write(w, "hr", [hired(1), {**hired(1), "employeeNumber": "h7"}])
    _, plan = await w.run()
    assert {hold for _, _, hold in planned(plan)} <= {"collision", "taken"}
    assert w.store.value("SELECT COUNT(*) FROM identity") == 3
    write(w, "hr", [hired(1)])
    w.clock.pass_time(timedelta(minutes=1))
    await w.run()
    assert w.directory.accounts == before


async def test_a_row_that_answers_to_a_person_with_a_row_of_that_source_is_another_person(world: MakeWorld) -> None:
    w = await both(world, people(1), [hired(1)])
    write(w, "hr", [hired(1), {**hired(1), "employeeNumber": "h7"}])
    _, plan = await w.run()
    assert planned(plan) == [("create", mail(1), "taken")]


async def test_a_row_that_answers_to_two_people_joins_neither(world: MakeWorld) -> None:
    w = await both(world, people(1, 2), [], reads={"userName": "login", "email": "email"})
    write(w, "hr", [hired(1, login=mail(2))])
    _, plan = await w.run()
    assert w.store.value("SELECT COUNT(*) FROM identity") == 3
    assert {hold for _, _, hold in planned(plan)} == {"taken"}


@pytest.mark.parametrize("second", [False, True], ids=["one source", "two sources"])
async def test_a_departed_person_is_rejoined_by_a_mapped_external_id(world: MakeWorld, second: bool) -> None:
    w = world(target=target("disable"), read={"externalId": "login"})
    if second:
        w.extra = [source(w, "hr")]
        write(w, "hr", [])
    w.write([person(1, login="x1"), person(2, login="x2")])
    await w.run()
    marker = w.account(mail(1))["meta"]["syncd"]
    w.write([person(2, login="x2")])
    await w.run()
    w.write([{**person(1, login="x1"), "employeeNumber": "e9"}, person(2, login="x2")])
    report, plan = await w.run()
    assert planned(plan) == [("update", mail(1), "")]
    assert (report.converged, w.account(mail(1))["meta"]["syncd"]) == (True, marker)


async def test_a_departed_person_is_not_rejoined_by_an_address_alone(world: MakeWorld) -> None:
    w = await both(world, people(1, 2), [])
    w.target = target("disable")
    await w.run()
    w.write(people(2))
    await w.run()
    w.release()
    await w.run()
    write(w, "hr", [hired(1)])
    _, plan = await w.run()
    assert planned(plan) == [("adopt", mail(1), "rehire")]


async def test_an_identity_answers_to_each_of_its_accounts_when_its_store_was_lost(world: MakeWorld) -> None:
    """Born from people before; born from hr after the loss, because people is read later: the marker still finds the account."""
    w = await both(world, [person(1, login="ann")], [], read={"userName": "login"}, reads={"userName": "login"})
    write(w, "hr", [hired(1, login="ann")])
    await w.run()
    before = copy.deepcopy(w.account("ann"))
    w.close()
    stores.lose(w.root)
    w.open()
    w.write([])
    await w.run(yes=False)
    w.write([person(1, login="ann")])
    _, plan = await w.run()
    assert planned(plan) == [("adopt", "ann", "")]
    assert next(iter(plan.changes())).reason.startswith("matches by")
    after = w.account("ann")
    assert {name: value for name, value in after.items() if name != "meta"} == {name: v for name, v in before.items() if name != "meta"}
