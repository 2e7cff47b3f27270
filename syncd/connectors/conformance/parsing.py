"""Checks of `parse`: what becomes of one record."""

from __future__ import annotations

from typing import Any

import orjson

from syncd.connectors.conformance.checks import broken, check, closed, expect, said
from syncd.connectors.conformance.stage import Stage, get, same
from syncd.errors import Quarantined, Rejected
from syncd.model import Account, Mutability

CANARY = "a-secret-that-must-not-be-kept"
SECRETS = {
    "password": CANARY, "hash": CANARY, "hashOptions": {"salt": CANARY}, "secret": CANARY, "apiKey": CANARY, "tokens": [CANARY],
}  # fmt: skip
NO_RECORDS = (b"", b"{", b"[]", b"null", b"7", b'"x"', b"{}", b"[" * 5_000, b'{"id":', b"\xff\xfe", b'{"a":"\\ud800"}')


@check("parse.declared", closed)
async def what_is_not_declared_is_dropped(stage: Stage) -> None:
    record = await _record(stage)
    declared = stage.capability.attributes
    written = {name: CANARY for name, spec in declared.items() if spec.mutability is Mutability.WRITE_ONLY}
    secrets = {name: value for name, value in SECRETS.items() if name not in declared}
    account = _parsed(stage, {**record, **secrets, **written})
    if not isinstance(account, Account):
        broken(f"a record with members that are not declared was answered by {said(account)}")
    expect(CANARY not in repr(account), f"the account kept what is not declared: {', '.join(sorted(_kept(account)))}")
    more = sorted({*account.attributes} - {*declared})
    expect(not more, f"the account has attributes that are not declared: {', '.join(more)}")


def _kept(account: Account) -> list[str]:
    return [name for name, value in account.attributes.items() if CANARY in repr(value)]


@check("parse.rejected")
async def what_is_no_record_is_refused(stage: Stage) -> None:
    for raw in NO_RECORDS:
        account = _answered(stage, raw)
        expect(not isinstance(account, Account), f"{raw[:20]!r} became an account")


@check("parse.rejected")
async def a_record_without_an_id_is_refused(stage: Stage) -> None:
    record = await _record(stage)
    name = _id(stage, record)
    wrong: tuple[Any, ...] = (None, "", [], {}, False)
    for value in wrong:
        account = _parsed(stage, {**record, name: value})
        expect(not isinstance(account, Account), f"a record whose {name} is {value!r} became an account")
    without = _parsed(stage, {member: value for member, value in record.items() if member != name})
    expect(not isinstance(without, Account), f"a record without {name} became an account")


@check("parse.null")
async def null_is_told_from_absent(stage: Stage) -> None:
    record = await _record(stage)
    fixed = {_id(stage, record), stage.capability.key}
    for name in stage.capability.attributes or record:
        if name not in record or name in fixed:
            continue
        _empty(stage, name, {**record, name: None})
        without = {member: value for member, value in record.items() if member != name}
        account = _parsed(stage, without)
        if stage.bench.omits:
            _empty(stage, name, without)
        elif isinstance(account, Account):
            expect(name not in account.attributes, f"{name} is not in the record, and {get(account.attributes, name)!r} in the account")


def _empty(stage: Stage, name: str, record: dict[str, Any]) -> None:
    """The account of this record is known to have no value there; a record may be refused for it."""
    account = _parsed(stage, record)
    if isinstance(account, Account):
        told = name in account.attributes and same(account.attributes[name], None)
        expect(told, f"the record says there is no {name}, and the account: {account.attributes.get(name, 'absent')!r}")


async def _record(stage: Stage) -> dict[str, Any]:
    """Somebody's record as a listing hands it out."""
    stage.bench.seed(1)
    records = stage.records(await stage.walk())
    record = orjson.loads(records[-1]) if records else None
    if not isinstance(record, dict):
        broken("a listing of somebody handed out no JSON object")
    return record


def _id(stage: Stage, record: dict[str, Any]) -> str:
    """The member that is the account's id."""
    id = stage.connector.parse(orjson.dumps(record)).id
    return next(name for name, value in record.items() if str(value) == id)


def _parsed(stage: Stage, record: dict[str, Any]) -> Account | Rejected | Quarantined:
    return _answered(stage, orjson.dumps(record))


def _answered(stage: Stage, raw: bytes) -> Account | Rejected | Quarantined:
    try:
        return stage.connector.parse(raw)
    except (Rejected, Quarantined) as error:
        return error
    except Exception as error:
        broken(f"{raw[:20]!r} was answered by {said(error)}")
