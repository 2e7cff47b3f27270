"""What a check does with a bench: walk listings, make accounts, carry changes out, as an engine would, without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from syncd.connectors.base import Connector
from syncd.connectors.conformance.bench import Bench, Broken, Inapplicable
from syncd.errors import Rejected
from syncd.model import USER, Account, AttributeSpec, Change, Cursor, Gone, Kind, Mutability, Page, Ref, Unknown, Watermark

MOST = 500
"""Pages after which a listing of a bench is taken for endless."""
_USUAL: Mapping[str, tuple[Any, Any]] = {
    "string": ("Confidential one", "Confidential two"),
    "boolean": (False, True),
    "number": (1, 2),
    "set": (["one"], ["three", "two"]),
    "object": ({"ours": "Confidential one", "theirs": "Confidential one"}, {"ours": "Confidential two", "theirs": "Confidential two"}),
}


class Stage:
    """One bench and the connectors made on it, which `aclose` closes. ``fault``: the one that a check looks at."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._open: list[Connector] = []
        self._people = 0
        self.fault = ""
        self.connector = self.connect()
        self.capability = self.connector.capability

    def connect(self, *, writable: bool = True) -> Connector:
        """A connector of another process."""
        self._open.append(self.bench.connector(writable=writable))
        return self._open[-1]

    async def aclose(self) -> None:
        for one in self._open:
            await one.aclose()

    def faults(self, specs: Iterable[str]) -> Iterator[str]:
        """Each of these that the bench can show, in force until the next one; raises Inapplicable where it can show none."""
        shown = 0
        for spec in specs:
            try:
                self.bench.fault(spec)
            except Inapplicable:
                continue
            self.fault, shown = spec, shown + 1
            yield spec
        self.bench.fault("")
        self.fault = ""
        if not shown:
            raise Inapplicable("its bench shows none of these faults")

    # ---- reading -----------------------------------------------------------------------------------------------------

    async def begun(self) -> Page:
        """The first page of a listing that shows somebody and has another page behind it."""
        cursor = None
        while True:
            page = await self.connector.list(cursor)
            if page.next is None:
                raise Inapplicable("its listings show everybody in one page")
            if self.records([page]):
                return page
            cursor = page.next

    async def walk(
        self, connector: Connector | None = None, cursor: Cursor | None = None, since: Watermark | None = None
    ) -> list[Page]:  # fmt: skip
        """Every page, as the engine asks for them."""
        pages: list[Page] = []
        while not pages or cursor is not None:
            pages.append(await (connector or self.connector).list(cursor, since))
            cursor = pages[-1].next
            if len(pages) == MOST:
                raise Broken(f"the listing does not end after {MOST} pages")
        return pages

    def records(self, pages: Sequence[Page]) -> list[bytes]:
        return [record for page in pages if page.object == USER for record in page.records]

    def accounts(self, pages: Sequence[Page]) -> list[Account]:
        """Those whose records are accepted."""
        found = []
        for record in self.records(pages):
            try:
                found.append(self.connector.parse(record))
            except Rejected:
                continue
        return found

    def ids(self, pages: Sequence[Page]) -> list[str]:
        return [account.id for account in self.accounts(pages)]

    async def listed(self, id: str) -> Account | None:
        """The account as a listing shows it."""
        return next((one for one in self.accounts(await self.walk()) if one.id == id), None)

    async def read(self, id: str) -> Account | Gone | Unknown:
        return await self.connector.fetch(Ref(id))

    async def value(self, id: str, path: str) -> Any:
        """What the provider says of one attribute now; where `fetch` does not carry it, the listing may."""
        account = await self.read(id)
        if isinstance(account, Account) and head(account, path) not in account.attributes:
            account = await self.listed(id) or account
        return get(account.attributes, path) if isinstance(account, Account) else None

    # ---- writing -----------------------------------------------------------------------------------------------------

    def newcomer(self, more: Mapping[str, Any] | None = None) -> Change:
        """The create of somebody new: basics, key and, where a create can carry it, the marker."""
        self._people += 1
        identity, capability = f"00000000-0000-4000-8000-{self._people:012}", self.capability
        delta = {**self.bench.basics, **(more or {})}
        if capability.key is not None:
            delta.setdefault(capability.key, identity if capability.own_ids else f"conformance-{self._people}")
        if capability.marker is not None:
            delta[capability.marker] = f"conformance:{identity}"
        return self.change(Kind.CREATE, None, delta, identity=identity)

    def change(
        self, kind: Kind, account: Account | None, after: Mapping[str, Any], *, identity: str = "00000000-0000-4000-8000-000000000000"
    ) -> Change:
        before = account.attributes if account is not None else {}
        delta = {path: (get(before, path), value) for path, value in after.items()}
        document = None if account is None else before
        return Change(
            "c1", "conformance", kind, identity, "conformance", account.id if account else None, delta, "conformance", document
        )  # fmt: skip

    async def do(self, change: Change, connector: Connector | None = None) -> Account | None:
        """Every step of a change; the last account that was answered, of a deletion what its last step answered."""
        answer: Account | None = None
        for step in (connector or self.connector).steps(change):
            last = await (connector or self.connector).perform(step)
            answer = last if change.kind is Kind.DELETE else last or answer
        return answer

    async def make(self, more: Mapping[str, Any] | None = None) -> Account:
        """Somebody new, as the provider has them then."""
        before = {*self.bench.holds()}
        await self.do(self.newcomer(more))
        made = {*self.bench.holds()} - before
        if len(made) != 1:
            raise Broken(f"one create made {len(made)} accounts")
        return await self.now(Account(made.pop(), {}))

    async def now(self, account: Account) -> Account:
        """As the provider has it now."""
        found = await self.read(account.id)
        if not isinstance(found, Account):
            raise Broken(f"`fetch` does not know account {account.id}, which is there")
        return found

    async def update(self, account: Account, after: Mapping[str, Any], connector: Connector | None = None) -> Account | None:
        return await self.do(self.change(Kind.UPDATE, account, after), connector)

    # ---- attributes --------------------------------------------------------------------------------------------------

    def samples(self, *mutability: Mutability) -> dict[str, tuple[Any, Any]]:
        """Path -> two values to write there, of every attribute of such mutability but the key; an object by a member."""
        found: dict[str, tuple[Any, Any]] = {}
        for name, spec in self.capability.attributes.items():
            if spec.mutability in mutability and name not in (self.capability.key, self.capability.marker):
                one, two = self.sample(name)
                if spec.kind == "object":
                    found |= {f"{name}.{member}": (one[member], two[member]) for member in one}
                else:
                    found[name] = (one, two)
        return found

    def sample(self, name: str) -> tuple[Any, Any]:
        """Two values of one attribute, objects whole."""
        return self.bench.samples.get(name, _USUAL[self.spec(name).kind])

    def objects(self) -> list[str]:
        """Those of which single members can be rewritten; raises Inapplicable."""
        specs = self.capability.attributes.values()
        found = [
            one.name
            for one in specs
            if one.kind == "object" and one.mutability is Mutability.READ_WRITE and len(self.sample(one.name)[0]) > 1
        ]
        if not found:
            raise Inapplicable("it has no objects that can be rewritten")
        return found

    def plain(self) -> list[tuple[str, tuple[Any, Any]]]:
        """The samples of texts that can be rewritten and that every answer carries."""
        found = self.samples(Mutability.READ_WRITE).items()
        texts = [(path, values) for path, values in found if (spec := self.spec(path)).kind == "string" and spec.carried]
        if not texts:
            raise Inapplicable("it has no text that can be rewritten and read back")
        return texts

    def spec(self, path: str) -> AttributeSpec:
        found = self.capability.spec(path)
        assert found is not None
        return found

    def normal(self, path: str, value: Any) -> Any:
        """The form in which the provider keeps it."""
        spec = self.spec(path)
        return spec.normalize(value) if spec.normalize is not None and path == spec.name else value


def head(account: Account, path: str) -> str:
    """The attribute that ``path`` is, or is a member of."""
    return path if path in account.attributes else path.partition(".")[0]


def get(attributes: Any, path: str) -> Any:
    """The value at a path, None where there is none."""
    if isinstance(attributes, Mapping) and path in attributes:
        return attributes[path]
    for name in path.split("."):
        attributes = attributes.get(name) if isinstance(attributes, Mapping) else None
    return attributes


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same: no value is one thing, a list a set."""
    if isinstance(one, list) and isinstance(other, list):
        return sorted(map(str, one)) == sorted(map(str, other))
    return bool(one == other) or (one in _NOTHING and other in _NOTHING)


_NOTHING: Sequence[Any] = (None, "", [], {})
