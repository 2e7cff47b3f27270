"""JSON Schemas of the documents, written from the contract: every field, no other."""

from __future__ import annotations

from typing import Any

import jsonschema  # type: ignore[import-untyped]

TEXT, NUMBER, COUNT, FLAG = {"type": "string"}, {"type": "number", "minimum": 0}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
MAYBE, SOME, PERHAPS = {"type": ["string", "null"]}, {"type": ["integer", "null"]}, {"type": ["boolean", "null"]}
INSTANT = {"type": ["string", "null"], "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}


def closed(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def several(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of}


def document(kind: str, **members: Any) -> dict[str, Any]:
    return closed(version={"const": 1}, kind={"const": kind}, **members)


KINDS = closed(create=COUNT, adopt=COUNT, update=COUNT, disable=COUNT, delete=COUNT)
ACCOUNTS = closed(linked=COUNT, adoptable=COUNT, ambiguous=COUNT, unmanaged=COUNT, ignored=COUNT, rejected=COUNT)
KEPT = {"enum": ["ok", "failed", "not applicable"]}
LINKED = closed(connection=TEXT, account=TEXT, identity=TEXT, who=TEXT)
THERE = closed(connection=TEXT, account=TEXT)
SEEN = closed(
    connection=TEXT, account=TEXT, run={"type": ["integer", "null"]}, page={"type": ["integer", "null"]}, at=INSTANT, gone_at=INSTANT,
    ignored=FLAG, refused={"type": ["string", "null"]},
)  # fmt: skip
CAUSE = closed(step=TEXT, text=TEXT)
HAPPENED = {"type": "object", "required": ["at", "run", "connection", "what"]}
SCHEMAS = {
    "plan": document(
        "plan", id=COUNT, digest=TEXT, config=TEXT, created=INSTANT,
        connections=several(
            closed(
                name=TEXT, counts=KINDS, verdict={"enum": ["passed", "held"]}, reason=MAYBE, accounts=ACCOUNTS,
                listing=closed(complete=FLAG, accounts=COUNT, pages=COUNT), requests=COUNT, eta_seconds=NUMBER,
            )
        ),
        changes=several(
            closed(
                id=TEXT, connection=TEXT, object={"enum": ["user", "tenant", "organization"]}, kind={"enum": list(KINDS["properties"])},
                identity=TEXT, account=MAYBE, who=TEXT,
                attributes={"type": "object", "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2}},
                reason=TEXT, held=MAYBE, replaces=MAYBE,
            )
        ),
    ),
    "report": document(
        "report", run=COUNT, mode={"enum": ["delta", "full", "apply"]}, converged=FLAG,
        connections=several(
            closed(
                name=TEXT, listing=closed(complete=FLAG, accounts=COUNT, changed=COUNT, pages=COUNT), applied=KINDS, held=COUNT,
                in_doubt=COUNT, quarantined=COUNT, rejected=COUNT, skipped=COUNT, kept=COUNT, requests=COUNT, throttled=COUNT,
                seconds=NUMBER, error=MAYBE,
            )
        ),
    ),
    "status": document(
        "status", summary=TEXT, identities=COUNT,
        connections=several(
            closed(
                name=TEXT, last_delta=INSTANT, last_full=INSTANT, accounts=COUNT, links=COUNT, held=COUNT, in_doubt=COUNT,
                quarantined=COUNT, rejected=COUNT, paused=FLAG, suspended=FLAG, next_run=INSTANT,
            )
        ),
    ),
    "pending": document(
        "pending",
        items=several(
            closed(
                id=COUNT, run=COUNT, connection=TEXT, state={"enum": ["held", "in_doubt", "quarantined", "rejected"]}, change=TEXT,
                who=TEXT, reason=TEXT, since=INSTANT, command=TEXT,
            )
        ),
    ),
    "check": document(
        "check",
        connections=several(
            closed(
                name=TEXT, ok=FLAG, capabilities=several(TEXT), permissions={"type": "object", "additionalProperties": FLAG},
                problems=several(TEXT),
            )
        ),
    ),
    "identities": document(
        "identities",
        identities=several(
            closed(
                id=TEXT, live={"enum": ["live", "departed", "frozen"]}, attributes={"type": "object"},
                accounts=several(closed(connection=TEXT, account=TEXT, state=TEXT)),
            )
        ),
    ),
    "forget": document(
        "forget", entries=COUNT, accounts=COUNT, known_as=MAYBE, stays=several(closed(connection=TEXT, account=TEXT))
    ),
    "revert": document(
        "revert", reverts=COUNT, run=SOME, applied=SOME, error=MAYBE,
        undone=several(closed(connection=TEXT, kind=TEXT, who=TEXT, state=TEXT, error=MAYBE)),
        changes=several(
            closed(
                connection=TEXT, kind={"enum": ["update", "disable"]}, identity=TEXT, account=TEXT, who=TEXT, reason=TEXT,
                attributes={"type": "object"},
            )
        ),
        stays=several(
            closed(connection=TEXT, kind={"enum": list(KINDS["properties"])}, who=TEXT, account=MAYBE, attribute=MAYBE, reason=TEXT)
        ),
    ),
    "history": document(
        "history",
        entries=several(
            closed(
                entry=COUNT, at=INSTANT, run=SOME, connection=MAYBE, what={"enum": ["sent", "settled", "observed", "decided", "erased"]},
                identity=MAYBE, who=MAYBE, account=MAYBE, object=MAYBE, kind=MAYBE, change=MAYBE, reason=MAYBE, request=MAYBE, n=SOME,
                of=SOME, outcome=MAYBE, error=MAYBE, released=PERHAPS, command=MAYBE, page=SOME, source=PERHAPS, gone=PERHAPS,
                back=PERHAPS, changes=SOME, attributes={"type": "object"}, erased=FLAG, more={"type": "object"},
            )
        ),
    ),
    "verify": document("verify", identities=COUNT, differences=several(TEXT), journal=closed(entries=COUNT, chain=TEXT)),
    "release": document(
        "release", run=COUNT, released=COUNT, held=several(closed(id=COUNT, connection=TEXT, change=TEXT, who=TEXT, reason=TEXT))
    ),
    "link": document("link", linked=several(LINKED)),
    "unlink": document("unlink", unlinked=LINKED),
    "merge": document("merge", identity=TEXT, merged=TEXT, who=TEXT, moved=several(THERE), unlinked=several(THERE)),
    "resolve": document("resolve", id=COUNT, connection=TEXT, change=TEXT, who=TEXT, account=MAYBE),
    "quarantine": document(
        "quarantine", command={"enum": ["retry", "drop"]}, items=several(closed(id=COUNT, connection=TEXT, change=TEXT, who=TEXT))
    ),
    "init": document(
        "init", path=TEXT, id=MAYBE, guesses=several({"type": "object", "required": ["attribute", "from", "why", "written"]})
    ),
    "backup": document("backup", file=TEXT, bytes=COUNT, identities=COUNT, accounts=COUNT, last_run=INSTANT),
    "restore": document(
        "restore", file=TEXT, bytes=COUNT, identities=COUNT, accounts=COUNT, last_run=INSTANT, kept=MAYBE, epoch=COUNT,
        forgotten={"anyOf": [several(INSTANT), {"type": "null"}]},
    ),
    "pause": document("pause", paused=several(closed(connection=MAYBE, reason=TEXT, since=INSTANT, until=INSTANT))),
    "resume": document("resume", resumed=several(MAYBE)),
    "reject": document("reject", run=COUNT, rejected=COUNT),
    "connectors": document("connectors", connectors=several(closed(name=TEXT, summary=TEXT))),
    "conformance": document(
        "conformance", connector=TEXT, ok=FLAG,
        obligations=several(
            closed(number=COUNT, name=TEXT, clause=TEXT, state=KEPT, checks=several(closed(name=TEXT, state=KEPT, found=MAYBE)))
        ),
    ),
    "eval": document(
        "eval", expression=TEXT, identities=COUNT, matching=COUNT, undecided=several(closed(reason=TEXT, identities=COUNT)),
        connections=several(
            closed(name=TEXT, scope=MAYBE, joining=COUNT, leaving=COUNT, newcomers=several(TEXT), leavers=several(TEXT))
        ),
    ),
    "explain": document(
        "explain", identity=TEXT, who=TEXT, live={"enum": ["live", "departed", "frozen"]}, at=INSTANT, accounts=several(SEEN),
        attributes={
            "type": "object",
            "additionalProperties": closed(value={}, claims=several(closed(connection=TEXT, value={}, wins=FLAG, echo=FLAG))),
        },
        connections=several(
            closed(
                name=TEXT, account=MAYBE, state=TEXT, verdict=TEXT, account_seen={"anyOf": [SEEN, {"type": "null"}]},
                scope=closed(expression=MAYBE, values={"type": "object"}, answer={"type": ["boolean", "null"]}), causes=several(CAUSE),
                would_change=several(TEXT),
            )
        ),
    ),
    "explain_past": document(
        "explain", identity=TEXT, who=TEXT, live={"enum": ["live", "departed", "frozen"]}, at=INSTANT, note=TEXT,
        attributes={"type": "object"}, before=several(HAPPENED), after=several(HAPPENED),
        connections=several(
            closed(
                name=TEXT, account=MAYBE, verdict=TEXT, document={"type": ["object", "null"]}, causes=several(CAUSE),
                before=several(HAPPENED), after=several(HAPPENED),
            )
        ),
    ),
    "explain_account": document(
        "explain", identity={"type": "null"}, who=TEXT, verdict=TEXT, run={"type": ["integer", "null"]},
        page={"type": ["integer", "null"]}, at=INSTANT, ignored=FLAG,
        keys=several(closed(attribute=TEXT, value=TEXT, trusted=FLAG, people=several(TEXT))), causes=several(CAUSE),
        would_change=several(TEXT),
    ),
}  # fmt: skip


def valid(made: dict[str, Any], kind: str) -> dict[str, Any]:
    """``made`` itself, once it is known to be a document of this kind to the letter."""
    jsonschema.Draft202012Validator(SCHEMAS[kind]).validate(made)
    return made
