"""Every record that crosses a boundary: frozen, standard library only, in the field's standard terms."""

from syncd.model.answered import Account, Flaw, Gone, Health, Meter, Page, Ref, Unknown
from syncd.model.configured import Connection, Deprovision, Landscape, Limit, MapEntry, Rate, Target
from syncd.model.decided import Change, Step
from syncd.model.declared import AttributeSpec, Capability, Container, Fading
from syncd.model.watched import Effort, Work
from syncd.model.words import CANONICAL, FINAL, LEAVING, SETS, USER, Attributes, Cursor, Hold, Kind, Mutability, Watermark

__all__ = [
    "CANONICAL",
    "FINAL",
    "LEAVING",
    "SETS",
    "USER",
    "Account",
    "AttributeSpec",
    "Attributes",
    "Capability",
    "Change",
    "Connection",
    "Container",
    "Cursor",
    "Deprovision",
    "Effort",
    "Fading",
    "Flaw",
    "Gone",
    "Health",
    "Hold",
    "Kind",
    "Landscape",
    "Limit",
    "MapEntry",
    "Meter",
    "Mutability",
    "Page",
    "Rate",
    "Ref",
    "Step",
    "Target",
    "Unknown",
    "Watermark",
    "Work",
]
