"""What a connector declares of its provider: its attributes, and what can be done there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from syncd.model.words import Attributes, Mutability


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """One provider attribute, as its table declares it.

    ``kind``: string | boolean | number | set (unordered list) | object (members reached as ``name.member``).
    ``normalize`` maps a value to the form in which the provider stores it, so that asked and kept compare equal.
    ``limit``: longest value, in characters, or ``in_bytes`` of UTF-8, as that of an object's JSON always is. ``trusted``: only an
    administrator can write it. ``trusted_if``: the boolean attribute of the same account that must be true for its value to be trusted.
    ``carried``: present in list answers (False: only in fetch, and never compared). ``within``: the attribute that gives it its meaning
    (a tenant lies in its organization): while that one cannot become what is wanted, neither can this. ``volatile``: any update that
    lacks it erases it. Where it is mapped, each update carries it; where it is not, the first update of an adopted account waits for a
    person.
    """

    name: str
    kind: str = "string"
    mutability: Mutability = Mutability.READ_WRITE
    normalize: Callable[[Any], Any] | None = None
    limit: int | None = None
    in_bytes: bool = False
    trusted: bool = False
    trusted_if: str | None = None
    carried: bool = True
    within: str | None = None
    volatile: bool = False

    def length(self, text: str) -> tuple[int, str]:
        """How long the provider takes ``text`` to be, and in which unit. Raises UnicodeEncodeError for what UTF-8 cannot carry."""
        size = len(text.encode())
        return (size, "bytes") if self.in_bytes else (len(text), "characters")


@dataclass(frozen=True, slots=True)
class Fading:
    """Absence that no single answer can prove: missing from ``listings`` complete listings, the first at least ``over`` before the last."""

    listings: int = 3
    over: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Container:
    """One kind of object that accounts live in: what can be done with it, and what the configuration says of it.

    ``named_by``: the attribute, of accounts and of containers inside it, that holds its id. ``within``: the kind that it lies in itself.
    ``named``: id -> the attributes that the configuration gives it. ``open``: one that is not ``named`` may be created too.
    """

    capability: Capability
    named_by: str
    within: str | None = None
    named: Mapping[str, Attributes] = field(default_factory=dict)
    open: bool = True


@dataclass(frozen=True, slots=True)
class Capability:
    """What one connector can do; planner and `syncd check` read it, so nothing is planned that the wire cannot do.

    ``key``: the provider attribute that must be unique and is set only by create. ``marker``: the path that carries ``instance:id``;
    its trust is that of its attribute, and its form that attribute's normal one. ``marked_late``: a create cannot carry it, a later step
    does. ``own_ids``: ``key`` is the account's id, chosen by us: the identity's where the map says nothing. ``switch``: (attribute,
    live value, disabled value) of a native disable. ``gone``: a fetch may prove absence; ``fading``: only time may, a fetch proves presence
    alone. ``delta``: a listing can begin at a watermark; ``newcomers``: it then shows who is new, not who changed. ``resumes``: for how
    long a whole listing that was cut off may go on at its place; None = it begins anew. ``revokes``: what an
    account can be robbed of (sessions, tokens), in one word; empty = nothing. ``directory``: member of the binding <- the attribute by
    which every account tells it. ``containers``: by kind (`Account.object`), the outermost first. ``write_defaults``: provider path <-
    canonical name; ``constants``: provider path <- literal; ``required``: paths that the whole map must fill, or no account can be
    created. ``read_defaults``: canonical name <- provider path; a tuple names alternatives, first present wins.
    """

    attributes: Mapping[str, AttributeSpec]
    writes: bool = True
    deletes: bool = True
    delta: bool = False
    newcomers: bool = False
    resumes: timedelta | None = None
    gone: bool = True
    key: str | None = None
    marker: str | None = None
    marked_late: bool = False
    own_ids: bool = False
    revokes: str = ""
    switch: tuple[str, Any, Any] | None = None
    directory: Mapping[str, str] = field(default_factory=dict)
    fading: Fading | None = None
    containers: Mapping[str, Container] = field(default_factory=dict)
    write_defaults: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    read_defaults: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    @property
    def answers(self) -> bool:
        """An account can be asked for by itself; otherwise only a listing tells anything, as with files."""
        return self.gone or self.fading is not None

    @property
    def carried(self) -> frozenset[str]:
        """The attributes that every answer holds, null where they have no value; one that is absent says nothing of its value."""
        return frozenset(
            name for name, one in self.attributes.items() if one.carried and one.mutability is not Mutability.WRITE_ONLY
        )  # fmt: skip

    def spec(self, path: str) -> AttributeSpec | None:
        """The declaration that governs ``path``: its own, or that of the object it is a member of; None = no such attribute."""
        own = self.attributes.get(path)
        if own is not None:
            return own
        head, dot, _ = path.partition(".")
        parent = self.attributes.get(head)
        return parent if dot and parent is not None and parent.kind == "object" else None
