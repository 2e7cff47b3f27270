"""What happened, for good: entries in a chain, their payloads beside it: what a payload says can be erased, and the chain still holds.

::

    what       appended when                                                  body
    sent       a request was settled                                          the change, the request, its answer
    settled    a change ended without a request                               the change, why
    observed   somebody's account was read, and is not what it was            what moved: name -> [before, after]
    decided    a person said something (release, no, link, unlink, merge...)  the command's words
    erased     a person was forgotten                                         which entries lost their payloads

How many entries there are, and the last one's chain, stand in a setting of the store (`END`): what is cut off at the end is missed, too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson

from syncd.environment import stamp
from syncd.store.database import Store

SIZE = 16
"""Bytes of a digest and of a salt."""
END = "journal"
SENT, SETTLED, OBSERVED, DECIDED, ERASED = "sent", "settled", "observed", "decided", "erased"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``identity``: the person it is about, None where it is about none. ``body``: JSON members."""

    what: str
    connection: str
    body: Mapping[str, Any]
    identity: str | None = None
    run: int = 0


def append(store: Store, events: Sequence[Event], now: datetime) -> None:
    """In the caller's transaction, so that nothing happens without its entry."""
    if not events:
        return
    with store.transaction():
        seq, chain = end(store)
        entries, payloads = [], []
        for event in events:
            seq, salt = seq + 1, secrets.token_bytes(SIZE)
            body = orjson.dumps(dict(event.body), option=orjson.OPT_SORT_KEYS).decode()
            entry: dict[str, Any] = {"seq": seq, "at": stamp(now), "run": event.run, "connection": event.connection, "what": event.what}
            entry["digest"] = _digest(salt, event.identity, body)
            chain = entry["chain"] = _linked(chain, entry)
            entries.append(entry)
            payloads.append({"entry": seq, "identity": event.identity, "salt": salt, "body": body})
        store.many(
            "INSERT INTO entry (seq, at, run, connection, what, digest, chain)"
            " VALUES (:seq, :at, :run, :connection, :what, :digest, :chain)",
            entries,
        )
        store.many("INSERT INTO payload (entry, identity, salt, body) VALUES (:entry, :identity, :salt, :body)", payloads)
        store.run(
            "INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name=END, value=f"{seq} {chain.hex()}",
        )  # fmt: skip


def end(store: Store) -> tuple[int, bytes]:
    """How many entries were written, and the chain of the last one."""
    written: str | None = store.value("SELECT value FROM setting WHERE name = :name", name=END)
    if written is None:
        return 0, b""
    count, _, chain = written.partition(" ")
    return int(count), bytes.fromhex(chain)


def broken(store: Store, passed: Callable[[int], None] = lambda entries: None) -> Iterator[str]:
    """What of the chain does not hold, in words: an entry that was altered or taken out, also at the end, a payload that was altered, or is
    missing though no erasure names it. Streams the whole journal; ``passed`` is told how many entries were looked at more."""
    erased = _erased(store)
    after, chain = 0, b""
    while rows := store.rows(
        "SELECT e.*, p.salt, p.identity, p.body FROM entry AS e LEFT JOIN payload AS p ON p.entry = e.seq"
        " WHERE e.seq > :after ORDER BY e.seq LIMIT 1000",
        after=after,
    ):
        for row in rows:
            if row.seq != after + 1:
                yield f"journal entry {after + 1} is missing"
            after = row.seq
            linked = _linked(chain, row._asdict())
            if linked != bytes(row.chain):
                yield f"journal entry {row.seq} does not follow from the one before"
            chain = bytes(row.chain)
            if row.salt is None and row.seq not in erased:
                yield f"journal entry {row.seq} lost its payload, and nobody erased it"
            elif row.salt is not None and _digest(bytes(row.salt), row.identity, row.body) != bytes(row.digest):
                yield f"the payload of journal entry {row.seq} was altered"
        passed(len(rows))
    written, last = end(store)
    if (after, chain) != (written, last):
        yield f"the journal ends with entry {after}, and is not the one that ended with entry {written}"


def erase(store: Store, identities: Sequence[str], connection: str, now: datetime, also: Iterable[int] = ()) -> int:
    """Forget what every entry says of a person, under each of these ids, and what the entries ``also`` say; how many did. The chain holds,
    and an entry names those that say nothing any more."""
    own = store.rows("SELECT entry FROM payload WHERE identity IN :identities", identities=list(identities))
    gone = sorted({*(row.entry for row in own), *also})
    store.run("DELETE FROM payload WHERE entry IN :gone", gone=gone)
    append(store, [Event(ERASED, connection, {"entries": gone})], now)
    return len(gone)


def _erased(store: Store) -> set[int]:
    rows = store.rows("SELECT p.body FROM entry AS e JOIN payload AS p ON p.entry = e.seq WHERE e.what = :what", what=ERASED)
    return {seq for row in rows for seq in orjson.loads(row.body)["entries"]}


def _digest(salt: bytes, identity: str | None, body: str) -> bytes:
    return blake2b(orjson.dumps([identity, body]), digest_size=SIZE, key=salt).digest()


def _linked(before: bytes, entry: Mapping[str, Any]) -> bytes:
    said = [entry["seq"], entry["at"], entry["run"], entry["connection"], entry["what"], bytes(entry["digest"]).hex()]
    return blake2b(before + orjson.dumps(said), digest_size=SIZE).digest()
