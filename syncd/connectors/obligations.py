"""What every connector owes the engine, clause by clause: `syncd connector test` quotes the one that was broken."""

from __future__ import annotations

from collections.abc import Mapping

OBLIGATIONS: Mapping[str, str] = {
    "declared": "What `capability` declares holds together: key, marker, switch and default maps name declared attributes.",
    "list.loop": (
        "`list`, asked again with each cursor it gave, hands out every account exactly once and ends. "
        "`first` counts the records before a page; the last page, and no other, says complete."
    ),
    "list.proof": (
        "A listing says complete only when its end is proven: a page that is broken, refused, repeated or on another host "
        "ends it with a defect or an error of syncd.errors, never with fewer accounts."
    ),
    "list.cursor": (
        "A cursor holds in another process, and when the accounts before it were deleted; one of another making raises Incomplete."
    ),
    "list.delta": (
        "Where changes can be read by themselves, a complete listing leaves a watermark, and one since it hands out at least everybody "
        "who changed after it; elsewhere there is no watermark."
    ),
    "list.records": "A record that cannot be kept never becomes an account, and costs no other record of its page.",
    "list.carried": (
        "What is declared as carried stands in every listing with the value that `fetch` says; what is not carried is in none."
    ),
    "parse.declared": "`parse` drops what is not declared (secrets, password hashes) and what can only be written.",
    "parse.rejected": "`parse` raises Rejected for one bad record, Quarantined where the provider's format has changed, nothing else.",
    "parse.null": (
        "A value that a record says is null is there and empty; one that it does not carry is absent, and stays as known "
        "(unless the provider leaves out what is empty: then that is told as null)."
    ),
    "fetch.gone": (
        "`fetch` answers the account, whatever listings leave out, or Gone with its instant for a 404-like answer about that very account; "
        "where the connector cannot prove absence, it says Unknown."
    ),
    "fetch.refused": "401 and 403 raise Quarantined; another error, no answer, or one that is no account is never Gone.",
    "find.exact": (
        "`find` answers every account whose marker or natural key is the one asked for, to the letter, and nobody else: "
        "it is what ends the doubt about a create."
    ),
    "check.honest": "`check` writes nothing, says ok only of a provider that answers, and else what is wrong.",
    "steps.pure": (
        "`steps` asks and changes nothing, numbers from 1, marks the one step that creates, shows no value in a summary, and is empty "
        "where nothing is to be written. What the provider has no place for is Rejected."
    ),
    "perform.answer": "`perform` returns what the provider answered, or None: never an echo of what was asked for or known before.",
    "perform.refused": (
        "A refused write raises Rejected, refused credentials raise Quarantined, and what was never processed (429) is sent again or "
        "Retryable; in none of these was anything written."
    ),
    "perform.doubt": (
        "A create whose answer was lost or cannot be read raises InDoubt and is not sent again; "
        "`find`, also in another process, then finds the one account, or nobody."
    ),
    "perform.repeat": "Updates and deletes end as one however often they are sent; a delete of what is gone succeeds.",
    "perform.merge": "Where the provider replaces an object whole, members that the change does not name stay as they are now.",
    "perform.permit": "``permit``, which the engine sets, is asked before each attempt of each unsafe request, after all waiting.",
    "perform.door": "A connector that is not writable sends nothing unsafe: `perform` raises Rejected.",
    "attributes.kept": (
        "A value reads back as one of the same normal form, after a create as after an update, and a cleared one as no value; "
        "the normal form of a normal form is itself."
    ),
    "attributes.mutable": "Mutability is told truly: immutable is set by create alone, read-only never; both are Rejected, not ignored.",
    "attributes.limit": "A value longer than its declared limit is Rejected, never cut; one just as long is kept.",
    "switch": "The switch disables and enables: both its values can be written and read back.",
    "ids": (
        "An id is data: where it stands in a path it is percent-encoded and leads to no other place; there an empty one, ``.``, ``..`` "
        "and control characters are refused before anything is sent."
    ),
}


def number(name: str) -> int:
    """The clause's place in the list, from 1."""
    return [*OBLIGATIONS].index(name) + 1


def quoted(name: str) -> str:
    """``9. `parse` raises ...``."""
    return f"{number(name)}. {OBLIGATIONS[name]}"
