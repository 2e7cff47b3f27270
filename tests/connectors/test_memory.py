"""The memory connector keeps every obligation of a connector, and its directory fails only where it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from syncd.connectors.memory import MemoryConnector, MemoryOptions
from syncd.connectors.memory_directory import MemoryDirectory
from syncd.environment import Environment
from syncd.errors import InDoubt, Quarantined, Rejected, Retryable
from syncd.model import Account, Change, Gone, Kind, Mutability, Rate, Ref, Step

pytestmark = pytest.mark.anyio

NOTHING = dict.fromkeys(MemoryOptions().capability().attributes)
"""What an account without values answers: every attribute, each null."""


@pytest.fixture
def directory() -> Iterator[MemoryDirectory]:
    yield MemoryDirectory.fresh("test")
    MemoryDirectory.fresh("test")


def connect(clock: Environment, writable: bool = True, **options: Any) -> MemoryConnector:
    return MemoryConnector(MemoryOptions(directory="test", **options), environment=clock, rate=Rate(), writable=writable)


def change(kind: Kind, account: str | None = None, **delta: Any) -> Change:
    """Dots in attribute paths are spelt with a double underscore."""
    named = {name.replace("__", "."): (None, value) for name, value in delta.items()}
    return Change("c1", "memory", kind, "identity-1", "who", account, named, "because")


async def carry_out(connector: MemoryConnector, one: Change) -> Account | None:
    answer = None
    for step in connector.steps(one):
        answer = await connector.perform(step)
    return answer


async def test_create_update_delete(directory: MemoryDirectory, clock: Environment) -> None:
    connector = connect(clock)
    made = await carry_out(
        connector, change(Kind.CREATE, userName="x", labels=["a"], meta__syncd="prod:1", meta__externalId="7", title=None)
    )
    assert made == Account("m1", NOTHING | {"id": "m1", "userName": "x", "labels": ["a"], "meta": {"syncd": "prod:1", "externalId": "7"}})
    directory.accounts["m1"]["meta"]["theirs"] = 1
    updated = await carry_out(connector, change(Kind.UPDATE, "m1", meta__externalId="8", active=False, labels=None))
    assert updated == Account(
        "m1", NOTHING | {"id": "m1", "userName": "x", "active": False, "meta": {"syncd": "prod:1", "externalId": "8", "theirs": 1}}
    )
    assert await connector.fetch(Ref("m1")) == updated
    assert await carry_out(connector, change(Kind.DELETE, "m1")) is None
    assert await carry_out(connector, change(Kind.DELETE, "m1")) is None, "a delete of what is gone succeeds"
    assert await connector.fetch(Ref("m1")) == Gone(clock.now())
    assert [step.method for step in directory.log] == ["create", "update", "delete", "delete"]
    assert connector.meter.requests == 6


async def test_the_last_member_taken_away_takes_its_object_with_it(directory: MemoryDirectory, clock: Environment) -> None:
    directory.add("a", userName="x", meta={"syncd": "prod:1"})
    updated = await carry_out(connect(clock), change(Kind.UPDATE, "a", meta__syncd=None))
    assert updated == Account("a", NOTHING | {"id": "a", "userName": "x"})


async def test_a_member_replaces_what_was_no_object(directory: MemoryDirectory, clock: Environment) -> None:
    directory.add("a", userName="x", meta="text")
    updated = await carry_out(connect(clock), change(Kind.UPDATE, "a", meta__syncd="1"))
    assert updated is not None and updated.attributes["meta"] == {"syncd": "1"}


@pytest.mark.parametrize(
    ("kind", "delta", "code"),
    [
        (Kind.CREATE, {"userName": "taken"}, "conflict"),
        (Kind.CREATE, {"email": "e"}, "required"),
        (Kind.CREATE, {"userName": "y", "shoe": 1}, "unknown"),
        (Kind.CREATE, {"userName": "y", "title__short": 1}, "unknown"),
        (Kind.CREATE, {"userName": "y", "id": "z"}, "immutable"),
        (Kind.CREATE, {"userName": "y" * 257}, "too_long"),
        (Kind.UPDATE, {"userName": "y"}, "immutable"),
        (Kind.UPDATE, {"meta__syncd": "1", "displayName": "y" * 257}, "too_long"),
    ],
)
async def test_what_is_refused_changes_nothing(
    kind: Kind, delta: dict[str, Any], code: str, directory: MemoryDirectory, clock: Environment
) -> None:
    directory.add("a", userName="taken", meta={"theirs": 1})
    with pytest.raises(Rejected) as raised:
        await carry_out(connect(clock), change(kind, "a", **delta))
    assert raised.value.code == code
    assert (directory.accounts, directory.log) == ({"a": {"userName": "taken", "meta": {"theirs": 1}}}, [])


async def test_an_update_of_nobody_is_refused(directory: MemoryDirectory, clock: Environment) -> None:
    with pytest.raises(Rejected) as raised:
        await carry_out(connect(clock), change(Kind.UPDATE, "a", title="x"))
    assert raised.value.code == "missing"


async def test_a_limit_is_kept_to_the_character(directory: MemoryDirectory, clock: Environment) -> None:
    assert await carry_out(connect(clock), change(Kind.CREATE, userName="é" * 256))


async def test_the_dry_run_door(directory: MemoryDirectory, clock: Environment) -> None:
    directory.add("a", userName="x")
    connector = connect(clock, writable=False)
    for one in (change(Kind.CREATE, userName="y"), change(Kind.UPDATE, "a", title="t"), change(Kind.DELETE, "a")):
        with pytest.raises(Rejected) as raised:
            await carry_out(connector, one)
        assert raised.value.code == "read_only"
    assert (directory.accounts, connector.meter.requests) == ({"a": {"userName": "x"}}, 0)
    assert (await connector.check()).permissions == {"read": True, "write": False}


async def test_client_made_ids(directory: MemoryDirectory, clock: Environment) -> None:
    connector = connect(clock, ids="client")
    own = await carry_out(connector, change(Kind.CREATE, userName="x"))
    mapped = await carry_out(connector, change(Kind.CREATE, userName="y", id="mine"))
    assert own is not None and mapped is not None
    assert (own.id, mapped.id) == ("identity-1", "mine")
    assert directory.accounts == {"identity-1": {"userName": "x"}, "mine": {"userName": "y"}}
    for again in (change(Kind.CREATE, userName="z", id="mine"), change(Kind.CREATE, userName="z")):
        with pytest.raises(Rejected) as raised:
            await carry_out(connector, again)
        assert raised.value.code == "conflict"
    with pytest.raises(Rejected, match="id is set at creation"):
        await carry_out(connector, change(Kind.UPDATE, "mine", id="other"))


async def test_server_made_ids_avoid_those_that_are_there(directory: MemoryDirectory, clock: Environment) -> None:
    directory.add("m1", userName="x")
    made = await carry_out(connect(clock), change(Kind.CREATE, userName="y"))
    assert made is not None and made.id == "m2"


@pytest.mark.parametrize("id", ["", ".", "..", "a\0", "a\nb"])
async def test_ids_that_could_leave_their_place_are_refused(id: str, directory: MemoryDirectory, clock: Environment) -> None:
    connector = connect(clock, ids="client")
    with pytest.raises(Rejected):
        await connector.fetch(Ref(id))
    with pytest.raises(Rejected):
        connector.steps(change(Kind.DELETE, id))
    with pytest.raises(Rejected):
        await carry_out(connector, change(Kind.CREATE, userName="x", id=id))


OPERATIONS = {
    "check": lambda one: one.check(),
    "list": lambda one: one.list(None),
    "fetch": lambda one: one.fetch(Ref("a")),
    "find": lambda one: one.find({"userName": "x"}),
    "create": lambda one: carry_out(one, change(Kind.CREATE, userName="new")),
    "update": lambda one: carry_out(one, change(Kind.UPDATE, "a", title="t")),
    "delete": lambda one: carry_out(one, change(Kind.DELETE, "a")),
}


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_faults_come_in_their_order_and_once_each(operation: str, directory: MemoryDirectory, clock: Environment) -> None:
    directory.add("a", userName="x")
    connector = connect(clock)
    directory.fail_next(operation, Retryable("busy", after=3))
    directory.fail_next(operation, Quarantined("401"))
    for error in (Retryable, Quarantined):
        with pytest.raises(error):
            await OPERATIONS[operation](connector)
    assert directory.accounts == {"a": {"userName": "x"}}
    await OPERATIONS[operation](connector)


async def test_a_lost_answer_leaves_the_account_made(directory: MemoryDirectory, clock: Environment) -> None:
    connector = connect(clock)
    directory.fail_next("create", InDoubt("no answer"), after=True)
    step = connector.steps(change(Kind.CREATE, userName="x", meta__syncd="prod:1"))[0]
    assert step.creates
    with pytest.raises(InDoubt):
        await connector.perform(step)
    assert [one.id for one in await connector.find({"meta.syncd": "prod:1"})] == ["m1"]
    assert await connector.find({"meta.syncd": "prod:2", "userName.x": "x"}) == []


def test_steps_are_one_request_or_none(directory: MemoryDirectory, clock: Environment) -> None:
    connector = connect(clock)
    assert connector.steps(change(Kind.ADOPT, "a")) == ()
    one = change(Kind.ADOPT, "a/b", meta__syncd="prod:1")
    expected = Step(one, 1, "update", "/accounts/a%2Fb", {"meta.syncd": "prod:1"}, summary="update meta.syncd")
    assert connector.steps(one) == (expected,)


@pytest.mark.parametrize("record", [b"[]", b"{}", b'{"id":7}', b'{"id":""}'])
def test_a_record_without_an_id_is_rejected(record: bytes, clock: Environment) -> None:
    with pytest.raises(Rejected):
        connect(clock).parse(record)


def test_what_is_not_declared_is_dropped(clock: Environment) -> None:
    assert connect(clock).parse(orjson.dumps({"id": "a", "password": "hash", "email": "e"})) == Account("a", {"id": "a", "email": "e"})


def test_what_it_says_of_itself() -> None:
    native, without = MemoryOptions().capability(), MemoryOptions(switch=False, ids="client").capability()
    assert (native.switch, native.key, native.marker) == (("active", True, False), "userName", "meta.syncd")
    assert (without.switch, "active" in without.write_defaults) == (None, False)
    assert native.read_defaults["externalId"] == "meta.externalId"
    assert {spec.name for spec in native.attributes.values() if spec.trusted} == {"id", "userName", "meta"}
    assert native.attributes["id"].mutability is Mutability.READ_ONLY
    assert without.attributes["id"].mutability is Mutability.IMMUTABLE
    assert MemoryOptions(directory="x").binding() == {"root": "memory:x"}
    with pytest.raises(ValidationError):
        MemoryOptions(page=0)
