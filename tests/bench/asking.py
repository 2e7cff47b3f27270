"""`syncd explain` and `syncd eval` on a store of 1,000,000 identities: seconds and peak memory of the whole command."""

from __future__ import annotations

import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path

from syncd.environment import Environment, stamp
from syncd.store import Store
from tests.bench.load import PEOPLE, configured, write_people
from tests.bench.process import cost
from tests.bench.table import Figure, show

SIZES = (10_000, 1_000_000)
CHAT = {
    "connector": "twilio", "base_url": "http://127.0.0.1:9", "account_sid": "AC" + "0" * 32, "auth_token": "env:CHAT_TOKEN",
    "write": {"scope": 'department == "Support"', "disabled": {"attributes.active": False}},
}  # fmt: skip
ASKED = {
    "explain": ("explain", "p77@corp.example"),
    "explain, everything": ("explain", "p77@corp.example", "-v"),
    "eval, one attribute": ("eval", 'department == "Sales"', "-c", "chat"),
    "eval, two attributes": ("eval", 'department == "Support" && title in ["T1", "T2"]', "-c", "chat"),
    "eval, everybody differs": ("eval", 'email.endsWith("9@corp.example")', "-c", "chat"),
}
_ID = "printf('%08x-0000-5000-8000-%012x', :n * 2654435761 % 4294967296, :n)"  # scattered, as identity ids are
_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {count})"
_DEPARTMENTS = ("Support", "Sales", "Engineering", "Finance", "Legal", "HR", "Operations", "Field", "Laboratory", "Board")
_PERSON = (
    "json_object('department', json_extract('{departments}', '$[' || (n % 10) || ']'), 'displayName', 'Person ' || n,"
    " 'email', 'p' || n || '@corp.example', 'externalId', 'e' || n, 'title', 'T' || (n % 50), 'userName', 'p' || n || '@corp.example')"
)
_USER = (
    "json_object('identity', 'p' || n || '@corp.example', 'friendly_name', 'Person ' || n, 'sid', printf('US%032x', n),"
    " 'attributes', json_object('externalId', 'e' || n, 'syncd', 'default:' || {id}))"
)


def main(repeat: int = 5) -> None:
    times: list[Figure] = []
    peaks: list[Figure] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as root:
            print(f"filling {size:,} identities ...")
            with get_context("spawn").Pool(1) as apart:  # what this process holds would count as the peak of those it starts
                config = apart.apply(filled, (Path(root), size))
            for name, arguments in ASKED.items():
                wall, peak = Figure(f"{name}, {size:,}"), Figure(f"{name}, {size:,}", "MB")
                for _ in range(repeat):
                    ended = cost([sys.executable, "-m", "syncd", "--config", str(config), *arguments], config.parent)
                    assert ended.code == 0, (arguments, ended)
                    wall.values.append(ended.wall)
                    peak.values.append(ended.peak)
                times.append(wall)
                peaks.append(peak)
    count = len(ASKED)
    flat = [(f"peak of {many.name}", many.median / few.median, "<= 1.3") for few, many in zip(peaks[:count], peaks[count:], strict=True)]
    show("explain and eval: the whole command, start-up included (target: 1.0 s)", times)
    show("explain and eval: peak memory", peaks, flat)


def filled(root: Path, count: int) -> Path:
    """A store of ``count`` people, read from a file, a tenth of them with an account each; the path of its configuration."""
    store = Store(f"sqlite:///{root}/syncd.db")
    now = stamp(Environment().now())
    with store.transaction():
        for name, source in (("people", True), ("chat", False)):
            store.run(
                "INSERT INTO connection (name, connector, binding, learned, namespace, authoritative, target, listing, complete, defect,"
                " accounts, pages, settled, error, sealed_at, last_full, last_delta) VALUES (:name, '', '', '{}', :name, :source,"
                " NOT :source, 1, TRUE, '', 0, 0, 1, '', :now, :now, :now)",
                name=name, source=source, now=now,
            )  # fmt: skip
        store.run("INSERT INTO run (id, mode, started, finished, report) VALUES (1, 'full', :now, :now, 'converged')", now=now)
        for statement in _statements():
            text = statement.replace("{id}", _ID.replace(":n", "n")).replace("{departments}", _json(_DEPARTMENTS))
            store.run(_NUMBERS.format(count=count) + text)
    store.close()
    write_people(root, 0)
    return configured(root, {"people": PEOPLE, "chat": CHAT})


def _statements() -> tuple[str, ...]:
    some = "FROM numbers WHERE n % 10 = 0"
    return (
        f" INSERT INTO identity (id, attributes, live, ignored, forgotten) SELECT {{id}}, {_PERSON}, 'live', FALSE, FALSE FROM numbers",
        " INSERT INTO account (id, connection, object, account, ordinal, identity, ignored, reading, missing_times, run, page)"
        f" SELECT 2 * n + 1, 'people', 'user', 'e' || n, n, {{id}}, FALSE, {_PERSON}, 0, 1, 1 FROM numbers",
        " INSERT INTO account (id, connection, object, account, ordinal, ignored, document, missing_times, run, page)"
        f" SELECT 2 * n + 2, 'chat', 'user', printf('US%032x', n), n, FALSE, {_USER}, 0, 1, n / 500 + 1 {some}",
        " INSERT INTO link (connection, identity, account_id, desired, actual, owned, generation, state, reason, counted, hold, failures)"
        f" SELECT 'chat', {{id}}, 2 * n + 2, x'00', x'00', TRUE, 1, 'live', '', FALSE, '', 0 {some}",
        *(
            f" INSERT INTO identity_key (identity, attribute, key) SELECT {{id}}, '{name}', {key} FROM numbers"
            for name, key in (("userName", "'p' || n || '@corp.example'"), ("email", "'p' || n || '@corp.example'"), ("@id", "{id}"))
        ),
    )


def _json(values: tuple[str, ...]) -> str:
    return "[" + ",".join(f'"{value}"' for value in values) + "]"
