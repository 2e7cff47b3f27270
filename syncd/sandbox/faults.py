"""Which faults an emulated provider shows, when and how often: the plan, and the text in which a command line writes it.

::

    SPEC   = FAULT *("," FAULT)
    FAULT  = KIND ["@" OPERATION] [":" AMOUNT] *(";" NAME "=" VALUE)
    AMOUNT = a whole number (times; default 1) | a decimal between 0 and 1 (chance of each request, without end) | "*" (always)
    NAME   = "after" (matching requests let through first), "times", or a parameter of the kind; VALUE is percent-decoded

    timeout@create:1                      the first create is never answered
    500@list:0.1,429@*:3;retry_after=2    a tenth of the listings fail; the next three requests are told to wait
    reset@update:1;when=after;after=4     the fifth update is done, then its connection is reset

Operations: list, page (a list request that continues a listing), fetch, create, update, delete, * (all). Kinds and parameters: `KINDS`.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import unquote

READS = frozenset({"list", "page", "fetch"})
WRITES = frozenset({"create", "update", "delete"})
EVERY = READS | WRITES
LISTINGS = frozenset({"list", "page"})
RECORDS = frozenset({"list", "page", "fetch", "create", "update"})
ALWAYS = 1 << 62


@dataclass(frozen=True, slots=True)
class Kind:
    """``operations`` it can befall; ``params`` it takes; ``replaces``: nothing is done unless ``when=after`` (timeout: or late)."""

    operations: frozenset[str]
    params: tuple[str, ...] = ()
    replaces: bool = False


_STATUSES = (400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504)
_LITERAL = Kind(RECORDS, ("field", "record"))
KINDS: Mapping[str, Kind] = MappingProxyType(
    {str(status): Kind(EVERY, ("when", "retry_after"), True) for status in _STATUSES}
    | {
        "timeout": Kind(EVERY, ("when",), True),  # no answer; late: done once the client has given up
        "reset": Kind(EVERY, ("when",), True),  # TCP reset instead of an answer
        "close": Kind(EVERY, ("when",), True),  # orderly end of the connection instead of an answer
        "html": Kind(EVERY, ("when", "status"), True),  # a page for people, with 200
        "error_body": Kind(EVERY, ("when",), True),  # 200, and an error in the body
        "empty": Kind(EVERY, ("when",), True),  # 200 without a body
        "redirect": Kind(EVERY, ("when", "status", "url"), True),  # 302 to url + the path asked for
        "truncated": Kind(EVERY, ("bytes",)),  # the connection closes before Content-Length is met
        "cut": Kind(RECORDS, ("bytes",)),  # well framed, but the JSON ends early
        "content_type": Kind(RECORDS, ("value",)),
        "drip": Kind(RECORDS, ("interval",)),  # a byte every 0.05 s
        "bomb": Kind(RECORDS, ("bytes",)),  # gzip: so many bytes of blanks before the JSON
        "duplicate": Kind(LISTINGS),  # the page's last record comes again in the next page, or twice in a last page
        "missed": Kind(LISTINGS),  # the page leaves out its last record; no other page has it
        "short": Kind(LISTINGS),  # the listing ends here as though it were complete
        "shrink": Kind(LISTINGS),  # the page leaves out its second half
        "loop": Kind(LISTINGS),  # the next page is this page
        "endless": Kind(LISTINGS),  # there is always a next page, empty from the end on
        "foreign": Kind(LISTINGS, ("url",)),  # the next page is on another host
        "error_line": Kind(LISTINGS),  # of a stream of lines: it breaks off with one that says so
        "cursor": Kind(frozenset({"page"})),  # 400: the page token is refused
        "nan": _LITERAL,
        "deep": _LITERAL,
        "huge": _LITERAL,
        "surrogate": _LITERAL,
        "nul": _LITERAL,
        "drift": _LITERAL,  # the field becomes a number
        "literal": Kind(RECORDS, ("field", "record", "value")),  # the field becomes this JSON text
        "missing": _LITERAL,  # the field is absent
    }
)


_NUMBERS = {
    "bytes": re.compile("[0-9]{1,9}"),
    "interval": re.compile(r"[0-9]+(\.[0-9]+)?"),
    "record": re.compile("-?[0-9]{1,9}"),
    "status": re.compile("[2-5][0-9][0-9]"),
}
"""What the parameters that are numbers must look like."""


class Fault:
    """One fault. ``times``: how often it strikes; default 1, or `ALWAYS` where ``probability`` is given. ``after``: matching requests let
    through first. ``params`` of the kind. Raises ValueError for what `KINDS` does not know."""

    def __init__(
        self,
        kind: str,
        operation: str = "*",
        *,
        times: int | None = None,
        probability: float | None = None,
        after: int = 0,
        **params: object,
    ) -> None:
        self.kind, self.operation, self.after = kind, operation, after
        self.probability = 1.0 if probability is None else probability
        self.times = times if times is not None else 1 if probability is None else ALWAYS
        self.params = {name: str(value) for name, value in params.items()}
        self._check()

    def _check(self) -> None:
        rule = KINDS.get(self.kind)
        if rule is None:
            raise ValueError(f"no fault is called {self.kind!r}; there are {', '.join(KINDS)}")
        if self.operation != "*" and self.operation not in rule.operations:
            raise ValueError(f"{self.kind} cannot befall {self.operation!r}, only {', '.join(sorted(rule.operations))} or *")
        unknown = sorted(set(self.params) - set(rule.params))
        if unknown:
            raise ValueError(f"{self.kind} takes no {', '.join(unknown)}; it takes {', '.join(rule.params) or 'no parameter'}")
        if self.when not in ("before", "after") and (self.kind, self.when) != ("timeout", "late"):
            raise ValueError(f"when={self.when} is not known; say before or after (timeout: or late)")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"a chance is between 0 and 1, not {self.probability}")
        if self.kind == "literal" and "value" not in self.params:
            raise ValueError("literal needs a value, the JSON text to put in")
        for name, text in self.params.items():
            if name in _NUMBERS and not _NUMBERS[name].fullmatch(text):
                raise ValueError(f"{name}={text} is no number that {self.kind} can use")

    def __repr__(self) -> str:
        return f"Fault({self.kind!r}, {self.operation!r}, times={self.times}, probability={self.probability}, {self.params})"

    @property
    def when(self) -> str:
        return self.params.get("when", "before")

    @property
    def commits(self) -> bool:
        """Whether the request is carried out all the same, before its answer is spoilt."""
        return not KINDS[self.kind].replaces or self.when == "after"

    def befalls(self, operations: frozenset[str]) -> bool:
        wanted = operations if self.operation == "*" else operations & {self.operation}
        return bool(wanted & KINDS[self.kind].operations)


@dataclass(slots=True)
class _Armed:
    fault: Fault
    seen: int = 0
    struck: int = 0

    def strikes(self, rng: random.Random) -> bool:
        """Whether the fault strikes this matching request."""
        self.seen += 1
        if self.seen <= self.fault.after or self.struck >= self.fault.times:
            return False
        if rng.random() >= self.fault.probability:
            return False
        self.struck += 1
        return True


class FaultPlan:
    """The faults in force, the first that matches strikes. ``struck`` lists (kind, operation) of those that did. Thread-safe."""

    def __init__(self, faults: str | Iterable[Fault] = (), seed: int = 0) -> None:
        self._lock, self._rng = threading.Lock(), random.Random(seed)
        self._armed: list[_Armed] = []
        self.struck: list[tuple[str, str]] = []
        self.set(faults)

    def set(self, faults: str | Iterable[Fault]) -> None:
        """Exactly these faults from now on, each counted from zero."""
        armed = [_Armed(one) for one in (parse(faults) if isinstance(faults, str) else faults)]
        with self._lock:
            self._armed = armed

    def add(self, fault: str | Fault) -> None:
        added = [_Armed(one) for one in (parse(fault) if isinstance(fault, str) else [fault])]
        with self._lock:
            self._armed += added

    def clear(self) -> None:
        self.set(())

    def __iter__(self) -> Iterator[Fault]:
        return iter([one.fault for one in self._armed])

    def take(self, operation: str, continues: bool = False) -> Fault | None:
        """The fault that strikes a request of ``operation``, which is then used up once; ``continues``: it asks for a further page."""
        if not self._armed:
            return None
        operations = frozenset({operation, "page"} if continues else {operation})
        with self._lock:
            for one in self._armed:
                if one.fault.befalls(operations) and one.strikes(self._rng):
                    self.struck.append((one.fault.kind, operation))
                    return one.fault
        return None


_FAULT = re.compile(r"(?P<kind>\w+)(@(?P<operation>\w+|\*))?(:(?P<amount>\*|\d+(\.\d+)?))?(?P<params>(;\w+=[^;]*)*)")


def parse(spec: str) -> list[Fault]:
    """The faults of a SPEC (see the module's docstring); ValueError says what is wrong with which."""
    return [_one(part.strip()) for part in spec.split(",") if part.strip()]


def _one(text: str) -> Fault:
    match = _FAULT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no fault: KIND@OPERATION:AMOUNT;NAME=VALUE, e.g. timeout@create:1 or 500@list:0.1")
    pairs = dict(part.split("=", 1) for part in match["params"].split(";") if part)
    params = {name: unquote(value) for name, value in pairs.items()}
    amount = match["amount"] or "1"
    probability = float(amount) if "." in amount else None
    times = ALWAYS if amount == "*" else None if probability is not None else int(amount)
    limit, after = params.pop("times", None), int(params.pop("after", "0"))
    times = times if limit is None else int(limit)
    return Fault(match["kind"], match["operation"] or "*", times=times, probability=probability, after=after, **params)
