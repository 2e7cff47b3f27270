"""The query language of the emulated Appwrite's listings: JSON texts, checked, then run over users."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import orjson

from syncd.sandbox.appwrite_forms import Refused
from syncd.sandbox.appwrite_users import User

LIMIT = 25
MOST_QUERIES, LONGEST_QUERY, MOST_VALUES = 100, 4096, 500
_PARAMETER = re.compile(r"queries(\[\d*\])?")
_DATES = frozenset({"$createdAt", "$updatedAt", "registration", "passwordUpdate", "accessedAt"})
_READ: dict[str, Callable[[User], Any]] = {
    "$id": lambda user: user.id,
    "$sequence": lambda user: user.sequence,
    "$createdAt": lambda user: user.created,
    "$updatedAt": lambda user: user.updated,
    "name": lambda user: user.name,
    "email": lambda user: user.email,
    "phone": lambda user: user.phone,
    "status": lambda user: user.status,
    "passwordUpdate": lambda user: user.passwordUpdate,
    "registration": lambda user: user.created,
    "emailVerification": lambda user: user.emailVerification,
    "phoneVerification": lambda user: user.phoneVerification,
    "labels": lambda user: user.labels,
    "accessedAt": lambda user: user.accessed,
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "lessThan": lambda mine, value: mine < value,
    "lessThanEqual": lambda mine, value: mine <= value,
    "greaterThan": lambda mine, value: mine > value,
    "greaterThanEqual": lambda mine, value: mine >= value,
}
_TEXTS: dict[str, Callable[[str, str], bool]] = {"startsWith": str.startswith, "endsWith": str.endswith}
_ORDERS = {"orderAsc": False, "orderDesc": True}
_CURSORS = ("cursorAfter", "cursorBefore")


class _Query(msgspec.Struct):
    method: str
    attribute: str = ""
    values: list[Any] = []


@dataclass(slots=True)
class Asked:
    """One listing's queries. ``after`` and ``before``: user ids. ``orders``: (attribute, descending)."""

    limit: int = LIMIT
    offset: int = 0
    after: str | None = None
    before: str | None = None
    orders: list[tuple[str, bool]] = field(default_factory=list)
    filters: list[tuple[str, Callable[[User], bool]]] = field(default_factory=list)
    least: str = ""
    """No user changed before this instant is asked for."""

    @property
    def plain(self) -> bool:
        """Whether it is the default order over everyone."""
        return not (self.filters or self.orders or self.offset or self.before)


def parse(query_text: str) -> Asked:
    """Raises Refused like the server."""
    texts = [value for name, value in parse_qsl(query_text, keep_blank_values=True) if _PARAMETER.fullmatch(name)]
    if len(texts) > MOST_QUERIES or any(len(text) > LONGEST_QUERY for text in texts):
        raise _invalid(f"Value must a valid array no longer than {MOST_QUERIES} items and {LONGEST_QUERY} chars")
    asked = Asked()
    for text in texts:
        try:
            one = msgspec.json.decode(text, type=_Query)
            orjson.loads(text)
        except (ValueError, RecursionError):
            raise _invalid("Invalid query: Syntax error") from None
        _take(asked, one)
    return asked


def cursor_of(query_text: str) -> bool:
    """Whether the request goes on from a user."""
    return any(f'"{method}"' in value for _, value in parse_qsl(query_text) for method in _CURSORS)


def _invalid(reason: str) -> Refused:
    return Refused("general_argument_invalid", f"Invalid `queries` param: {reason}")


def _take(asked: Asked, one: _Query) -> None:
    if len(one.values) > MOST_VALUES:
        raise _invalid(f"Invalid query: Query on attribute has greater than {MOST_VALUES} values: {one.attribute}")
    if one.method in ("limit", "offset"):
        setattr(asked, one.method, _whole(one))
    elif one.method in _CURSORS:
        setattr(asked, one.method.removeprefix("cursor").lower(), _cursor(one))
    elif one.attribute not in _READ:
        raise _invalid(f"Invalid query: Attribute not found in schema: {one.attribute}")
    elif one.method in _ORDERS:
        asked.orders.append((one.attribute, _ORDERS[one.method]))
    else:
        asked.filters.append((one.attribute, _filter(one)))
        if one.attribute == "$updatedAt" and one.method in ("equal", "greaterThan", "greaterThanEqual"):
            asked.least = max(asked.least, min(_date(value) for value in one.values))


def _whole(one: _Query) -> int:
    """The greatest value counts as any number above it (PHP_INT_MAX is the server's own bound)."""
    value = one.values[0] if len(one.values) == 1 else None
    least = 1 if one.method == "limit" else 0
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 1 << 63:
        raise _invalid(f"Invalid query: Invalid {one.method}: Value must be a valid range between {least} and 9,223,372,036,854,775,807")
    return value


def _cursor(one: _Query) -> str:
    value = one.values[0] if len(one.values) == 1 else None
    if not isinstance(value, str) or not value or len(value) > 255:
        raise _invalid("Invalid query: Invalid cursor: Value must be a valid string")
    return value


def _filter(one: _Query) -> Callable[[User], bool]:
    read, method = _READ[one.attribute], one.method
    values = [_date(value) for value in one.values] if one.attribute in _DATES else one.values
    if method in ("isNull", "isNotNull"):
        return lambda user: (read(user) is None) == (method == "isNull")
    if not values:
        raise _invalid(f"Invalid query: {method} queries require at least one value.")
    if method == "equal":
        return lambda user: any(_same(read(user), value) for value in values)
    if method == "notEqual":
        return lambda user: not any(_same(read(user), value) for value in values)
    if method == "contains":
        return lambda user: any(value in (read(user) or ()) for value in values if isinstance(value, str))
    if method in _TEXTS and isinstance(values[0], str):
        return lambda user: _TEXTS[method](str(read(user) or ""), values[0])
    if method in _COMPARE:
        return lambda user: type(read(user)) is type(values[0]) and _COMPARE[method](read(user), values[0])
    raise _invalid(f"Invalid query: Invalid query method: {method}")


def _same(mine: Any, value: Any) -> bool:
    """Texts are compared without regard to case, as utf8mb4's default collation does."""
    if isinstance(mine, str) and isinstance(value, str):
        return mine.casefold() == value.casefold()
    return type(mine) is type(value) and bool(mine == value)


def _date(value: Any) -> str:
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _invalid("Invalid query: Query value is invalid for a datetime attribute") from None
    return stamp(when if when.tzinfo else when.replace(tzinfo=UTC))


def stamp(when: datetime) -> str:
    """As the API writes an instant, e.g. ``2020-10-15T06:38:00.000+00:00``: of fixed width, so text order is time order."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds")


def run(asked: Asked, users: Iterable[User], cursor: User | None) -> tuple[Sequence[User], int]:
    """The page, and how many users match in all. ``cursor``: the user of ``after`` or ``before`` as it is NOW: its values count."""
    found = [user for user in users if all(holds(user) for _, holds in asked.filters)]
    total = len(found)
    orders = [*asked.orders, ("$sequence", False)]
    for attribute, descending in reversed(orders):
        found.sort(key=lambda user: _sortable(_READ[attribute](user)), reverse=descending)
    if cursor is not None:
        found = _beyond(found, cursor, orders, back=asked.before is not None)
    start = asked.offset
    if asked.before is not None:
        end = max(0, len(found) - start)
        return found[max(0, end - asked.limit) : end], total
    return found[start : start + asked.limit], total


def _sortable(value: Any) -> tuple[bool, Any]:
    return value is not None, value


def _beyond(found: Sequence[User], cursor: User, orders: Sequence[tuple[str, bool]], *, back: bool) -> list[User]:
    for attribute, _ in orders:
        if _READ[attribute](cursor) is None:
            raise Refused("database_query_order_null", f"The order attribute '{attribute}' had a null value.")
    return [user for user in found if _compare(user, cursor, orders) * (-1 if back else 1) > 0]


def _compare(user: User, cursor: User, orders: Sequence[tuple[str, bool]]) -> int:
    for attribute, descending in orders:
        mine, theirs = _sortable(_READ[attribute](user)), _sortable(_READ[attribute](cursor))
        if mine != theirs:
            return (1 if mine > theirs else -1) * (-1 if descending else 1)
    return 0
