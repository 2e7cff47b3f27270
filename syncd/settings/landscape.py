"""All connections together: names in use, precedence, who writes where, who brings identities into being."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from syncd.core import variables
from syncd.model import CANONICAL, Connection, Landscape, Rate, Target
from syncd.settings import sections
from syncd.settings.connections import Parsed
from syncd.settings.maps import MapReader, unusual
from syncd.settings.origins import Origins
from syncd.settings.precedence import PrecedenceReader
from syncd.settings.problems import Problems, did_you_mean
from syncd.settings.sources import text_of
from syncd.settings.target import EVENTS, events, target

FILE = "file:"
_KEPT = {"inactive": "inactive people", "out_of_scope": "people out of scope", "departed": "people who left"}


class Assembler:
    """Builds the landscape from what was parsed; what is wrong goes to ``problems``."""

    def __init__(self, root: sections.Root, parsed: list[Parsed], origins: Origins, problems: Problems) -> None:
        self.root, self.parsed, self.origins, self.problems = root, parsed, origins, problems
        self.warnings: list[str] = []
        self.notices: list[str] = []

    def landscape(self, complete: bool) -> Landscape:
        """``complete``: no connection is missing because of a problem already noted."""
        readers = {one.name: MapReader(one.at, one.section.connector, one.capability, self.origins, self.problems) for one in self.parsed}
        reads = {one.name: readers[one.name].read(one.section.read.attributes) for one in self.parsed}
        names = dict.fromkeys([*CANONICAL, *(entry.name for entries in reads.values() for entry in entries)])
        canonical = variables.canonical(names)
        self._unusual()
        self._correlate(canonical)
        connections = []
        for one in self.parsed:
            write = one.section.write
            made = target(one, write, readers[one.name], canonical, self.root.correlate) if write else None
            self._leavers(one, made)
            connections.append(
                Connection(
                    one.name, one.section.connector, one.binding, one.section.namespace or one.name, one.section.authoritative,
                    reads[one.name], self._explicit(one), one.section.read.timezone, made,
                    Rate(one.section.rate.per_second, one.section.rate.concurrency),
                )
            )  # fmt: skip
        if complete:
            self._together(connections)
            named = {one.name: one for one in connections}
            capabilities = {one.name: one.capability for one in self.parsed}
            connections = PrecedenceReader(named, capabilities, canonical, self.origins, self.problems).read(self.root.precedence)
        ignore = tuple(self._globs())
        return Landscape(self.root.instance, tuple(connections), self.root.precedence, ignore, self.root.store.lease)

    def _explicit(self, one: Parsed) -> frozenset[str]:
        return frozenset(name for name, spec in one.section.read.attributes.items() if spec is not None)

    def _unusual(self) -> None:
        for one in self.parsed:
            for name in self._explicit(one):
                warning = unusual(name)
                if warning:
                    self.warnings.append(f"{self.origins.key((*one.at, 'read', 'attributes', name))}: {warning}")

    def _correlate(self, canonical: Mapping[str, str]) -> None:
        for n, name in enumerate(self.root.correlate):
            if name not in canonical:
                self.problems.add(
                    self.origins.value(("correlate", n)), f'correlate: unknown attribute "{name}"', did_you_mean(name, canonical)
                )

    def _leavers(self, one: Parsed, made: Target | None) -> None:
        """Says where accounts of leavers stay because nobody said otherwise and they cannot be disabled."""
        if made is None or one.section.write is None:
            return
        said = events(one.section.write)
        kept = {event for event in EVENTS if getattr(said, event) is None and getattr(made.deprovision, event) == "keep"}
        if kept >= {"out_of_scope", "departed"}:
            self.notices.append(f"leavers of {one.name} are kept: no `disabled` overlay says how to disable an account there")
        elif kept:
            who = " and ".join(_KEPT[event] for event in EVENTS if event in kept)
            self.notices.append(f"{who} keep their accounts at {one.name}: no `disabled` overlay says how to disable one")

    def _together(self, connections: list[Connection]) -> None:
        if not any(one.authoritative for one in connections):
            place = self.origins.key(("connections",))
            self.problems.add(
                place, "no connection is authoritative: nobody would exist", "say `authoritative: true` on your source of people"
            )
        self._twins((one for one in connections if one.write), "binding", "both write to the same directory", "keep one of them")
        twins = (one for one in connections if one.authoritative)
        self._twins(twins, "namespace", "both bring identities into being under one namespace", "give each its own `namespace`")

    def _twins(self, connections: Iterable[Connection], what: str, message: str, cure: str) -> None:
        seen: list[Connection] = []
        for one in connections:
            twin = next((other for other in seen if _alike(other, one, what)), None)
            if twin is not None:
                self.problems.add(self.origins.key(("connections", one.name)), f"{twin.name} and {one.name} {message}", cure)
            seen.append(one)

    def _globs(self) -> Iterable[str]:
        """The ignore list, each ``file:PATH`` replaced by its lines; empty ones and those that begin with # are skipped."""
        for n, glob in enumerate(self.root.ignore):
            if not glob.startswith(FILE):
                yield glob
                continue
            path = self.origins.directory / glob.removeprefix(FILE)
            lines = (line.strip() for line in text_of(path, str(self.origins.value(("ignore", n)))).splitlines())
            yield from (line for line in lines if line and not line.startswith("#"))


def _alike(one: Connection, other: Connection, what: str) -> bool:
    """Whether two connections have the same namespace, or bindings that overlap."""
    if what != "binding":
        return one.namespace == other.namespace
    shared = one.binding.keys() == other.binding.keys() and all(_overlap(one.binding[name], other.binding[name]) for name in one.binding)
    return one.connector == other.connector and shared


def _overlap(one: str, other: str) -> bool:
    """Whether two values of a binding, each one or several lines, have a part in common; ``*`` has all parts."""
    ours, theirs = {*one.splitlines()}, {*other.splitlines()}
    return one == other or bool(ours & theirs) or "*" in ours | theirs
