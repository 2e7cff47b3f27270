"""Raw records to accounts: declared attributes only, their declared types checked, everything else left behind unread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.connectors import strict
from syncd.connectors.answer import Answer
from syncd.connectors.pages import recovered_id
from syncd.connectors.retry import Malformed
from syncd.connectors.tables import Table
from syncd.errors import Quarantined, Rejected
from syncd.model import Account

_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "boolean": (bool,), "number": (int, float), "set": (list,), "object": (dict,)}
_ABSENT: Any = ...  # of a type that no JSON value has


class Reader:
    """Compiled once from a table. An attribute a record does not carry stays absent; one it carries as null is None."""

    def __init__(self, table: Table) -> None:
        self._id, self._version = table.id, table.version
        self._key, self._json_text = table.capability.key, table.json_text
        self._kinds = {name: spec.kind for name, spec in table.capability.attributes.items() if spec.carried}
        self._usual = {name: object if name in table.json_text else _TYPES[kind][0] for name, kind in self._kinds.items()}

    def parse(self, record: bytes) -> Account:
        """Raises Rejected for one bad record, with its account's id where that can be read; Quarantined when id or key changed type."""
        try:
            document = strict.loads(record)
        except ValueError as error:
            raise Rejected(f"the record cannot be kept: {error}", account=recovered_id(record, self._id)) from None
        return self.account(document)

    def answered(self, answer: Answer) -> Account:
        """The account that is a whole answer; raises Malformed when the answer is something else (cut short, an error body)."""
        try:
            document = strict.loads(answer.body)
        except ValueError as error:
            id = recovered_id(answer.body.strip(), self._id)
            if id is None:
                raise Malformed(f"the answer is no JSON: {error}") from None
            raise Rejected(f"the record cannot be kept: {error}", account=id) from None
        if not isinstance(document, dict) or self._id not in document:
            raise Malformed(f"the answer is no account: it has no {self._id!r}")
        return self.account(document)

    def named(self, answer: Answer) -> str:
        """The id that an answer gives instead of the account; raises Malformed when it does not."""
        try:
            document = strict.loads(answer.body)
        except ValueError as error:
            raise Malformed(f"the answer is no JSON: {error}") from None
        id = document.get(self._id) if isinstance(document, dict) else None
        if not isinstance(id, str) or not id:
            raise Malformed(f"the answer names no account: it has no {self._id!r}")
        return id

    def account(self, document: Any) -> Account:
        id = document.get(self._id) if isinstance(document, dict) else None
        if not isinstance(id, str) or not id:
            raise Quarantined(f"a record's {self._id!r} is {_type_name(id)}, not a text: the provider's format has changed")
        if self._key is not None and document.get(self._key) is None:
            raise Rejected(f"account {id} has no {self._key!r}", account=id)
        attributes = {}
        for name, usual in self._usual.items():
            value = document.get(name, _ABSENT)
            if type(value) is usual or value is None:  # the quick way for nearly every value
                attributes[name] = value
            elif value is not _ABSENT:
                attributes[name] = self._checked(id, name, value)
        version = document.get(self._version) if self._version else None
        return Account(id, attributes, version=version if isinstance(version, str) else None)

    def _checked(self, id: str, name: str, value: Any) -> Any:
        kind = self._kinds[name]
        if name in self._json_text:
            value = _from_text(id, name, value)
        if isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool)):
            return value
        if name == self._key:
            raise Quarantined(f"account {id}: {name!r} is {_type_name(value)}, not a {kind}: the provider's format has changed")
        raise Rejected(f"account {id}: {name!r} is {_type_name(value)}, not a {kind}", account=id)


def _from_text(id: str, name: str, value: Any) -> Any:
    """The object in a JSON text; empty text holds none."""
    if not isinstance(value, str):
        raise Rejected(f"account {id}: {name!r} is {_type_name(value)}, not JSON text", account=id)
    if not value:
        return {}
    try:
        parsed = strict.loads(value.encode())
    except ValueError as error:
        raise Rejected(f"account {id}: the JSON in {name!r} cannot be kept: {error}", account=id) from None
    if not isinstance(parsed, dict):
        raise Rejected(f"account {id}: {name!r} holds {_type_name(parsed)}, not a JSON object", account=id)
    return parsed


def _type_name(value: Any) -> str:
    names: Mapping[type, str] = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
