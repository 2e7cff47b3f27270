"""People files and configurations of any size for the benchmarks."""

from __future__ import annotations

from pathlib import Path

from tests.bench.served import Served

CONFIG = """
version: 1
connections:
  people: {{connector: file, path: people.csv, id: id, authoritative: true}}
  chat:
    connector: twilio
    base_url: {url}
    account_sid: {account}
    auth_token: {token}
    rate: {{concurrency: 16}}
    write: {{}}
    limits: {{create: {{max: 10000000, percent: 100000}}}}
"""


def prepared(root: Path, sandbox: Served, people: int) -> Path:
    """A people file of ``people`` rows and a configuration that brings them into the sandbox; its path."""
    with (root / "people.csv").open("w", encoding="utf-8") as file:
        file.write("id,userName,displayName\n")
        file.writelines(f"{number},p{number}@corp.example,Person {number}\n" for number in range(people))
    config = root / "syncd.yaml"
    config.write_text(CONFIG.format(url=sandbox.url, account=sandbox.account_sid, token=sandbox.auth_token))
    return config
