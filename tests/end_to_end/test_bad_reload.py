"""A daemon that is given something bad while it works: it keeps what it has, says so once, in its answers too, and takes the mended."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
from collections.abc import Callable

import pytest

from tests import stores
from tests.end_to_end.confined import powerless, said
from tests.end_to_end.service import MakeService, Service, answer

REFUSED = "reload refused: the configuration before stays in use"


def changed(old: str, new: str) -> Callable[[Service], object]:
    return lambda one: (one.root / "syncd.yaml").write_text((one.root / "syncd.yaml").read_text().replace(old, new))


def added(text: str) -> Callable[[Service], object]:
    return lambda one: (one.root / "syncd.yaml").write_text((one.root / "syncd.yaml").read_text() + text)


def other_people(one: Service) -> None:
    (one.root / "others.csv").write_text("employeeNumber,email,displayName\nE9,p9@corp.example,Nine\n")
    changed("people.csv", "others.csv")(one)


BAD: dict[str, tuple[Callable[[Service], object], str]] = {
    "broken YAML": (added("\nfoo: [\n"), "YAML: "),
    "an unknown key": (added("\nnonsense: true"), "unknown key"),
    "nothing in it": (lambda one: (one.root / "syncd.yaml").write_text(""), "the file is empty"),
    "gone": (lambda one: (one.root / "syncd.yaml").unlink(), "no file found"),
    "another store": (added("\nstore: {url: sqlite:///other.db}"), "restart it"),
    "another instance": (added("\ninstance: other"), "restart it"),
    "another directory": (other_people, "connection people was bound to"),
    "another name": (changed("  chat:", "  chatter:"), "connection chatter points to the directory that the store knows as chat"),
    "no secret": (lambda one: (one.root / "token").unlink(), "token cannot be read: No such file"),
    "an empty secret": (lambda one: (one.root / "token").write_text("\n"), "connections.chat.auth_token is empty"),
    "a secret of two lines": (lambda one: (one.root / "token").write_text("a\nb\n"), "holds a line break"),
    "a pipe for a secret": (lambda one: ((one.root / "token").unlink(), os.mkfifo(one.root / "token")), "it is a named pipe"),
    "a host that is none": (changed("listen: 127.0.0.1", "listen: no.such.host.invalid"), "server.listen no.such.host.invalid"),
}


def test_whatever_is_bad_the_one_before_stays_in_use(make: MakeService, port: int) -> None:
    one = make(f"server: {{listen: 127.0.0.1:{port}}}")
    one.settle(1)
    good, token = (one.root / "syncd.yaml").read_text(), (one.root / "token").read_text()
    bad = {what: told for what, told in BAD.items() if what != "another store" or not stores.places.postgresql}  # there, not in the file
    for number, (what, (spoil, words)) in enumerate(bad.items(), start=1):
        spoil(one)
        one.silent()
        one.send(signal.SIGHUP)
        one.hears("RELOADING=1")
        assert "a configuration was refused" in one.hears("READY=1")["STATUS"], what
        refused = one.events(REFUSED)
        assert len(refused) == number and words in refused[-1]["error"], (what, refused[-1])
        assert answer(port, "/readyz") == (503, "config: refused at the last reload; the one before is in use\n"), what
        assert "\nsyncd_config_refused 1.0\n" in answer(port, "/metrics")[1], what
        (one.root / "syncd.yaml").write_text(good)
        (one.root / "token").unlink(missing_ok=True)
        (one.root / "token").write_text(token)
    one.hire(1, 2)
    one.until(lambda: len(one.users) == 2)
    told = "refused its configuration when it was last reloaded"
    one.until(lambda: told in one.run("status").stdout)
    one.send(signal.SIGHUP)
    one.until(lambda: one.events("reloaded"))
    assert answer(port, "/readyz") == (200, "ok\n")
    assert "\nsyncd_config_refused 0.0\n" in answer(port, "/metrics")[1]
    one.until(lambda: told not in one.run("status").stdout)
    assert one.ends() == 0


def test_a_connection_that_is_taken_out_is_frozen_and_comes_back_as_it_was(make: MakeService, port: int) -> None:
    one = make(f"server: {{listen: 127.0.0.1:{port}}}")
    one.settle(1, 2)
    whole = (one.root / "syncd.yaml").read_text()
    head, _, rest = whole.partition("  chat:")
    (one.root / "syncd.yaml").write_text(head + rest[rest.index("server:") :])
    one.send(signal.SIGHUP)
    one.until(lambda: one.events("reloaded"))
    one.hire(1, 2, 3)
    one.until(lambda: 'syncd_accounts{connection="people"} 3' in answer(port, "/metrics")[1])
    assert len(one.users) == 2 and 'connection="chat"' not in answer(port, "/metrics")[1].partition("syncd_changes")[0]
    (one.root / "syncd.yaml").write_text(whole)
    one.send(signal.SIGHUP)
    one.until(lambda: len(one.users) == 3)


def test_where_it_begins_with_it_the_code_is_78(make: MakeService) -> None:
    one = make()
    one.hire(1)
    assert one.run("sync", "--yes").returncode == 0
    other_people(one)
    refused = one.run("run")
    assert refused.returncode == 78 and "connection people was bound to" in refused.stderr
    (one.root / "token").chmod(0)
    refused = said(powerless(), "run", at=one.root)
    assert refused.returncode == 78 and "token cannot be read: Permission denied\n  see that it is a file that" in refused.stderr


ADDRESSES = {
    "192.0.2.1:9464": (
        1,
        "Cannot assign requested address\n  this machine has no such address: choose one of its own, for example 127.0.0.1\n",
    ),
    "no.such.host.invalid:9464": (1, "\n  choose another address\n"),
    "127.0.0.1:80": (1, "Permission denied\n  choose a port of 1024 or above: lower ones are for those with CAP_NET_BIND_SERVICE\n"),
    "127.0.0.1:99999": (78, "server.listen must be an address and a port, for example 127.0.0.1:9464\n"),
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_will_not_do(make: MakeService, address: str) -> None:
    code, words = ADDRESSES[address]
    with socket.socket() as free:
        try:
            free.bind(("127.0.0.1", 80))
        except OSError as error:
            if address.endswith(":80") and "in use" in str(error):
                pytest.skip("something listens on port 80 here")
    one = make(f'server: {{listen: "{address}"}}')
    found = said(powerless(), "run", at=one.root)
    assert (found.returncode, found.stdout) == (code, "") and found.stderr.endswith(words)


@pytest.mark.sqlite("a file that is deleted")
def test_a_store_that_is_deleted_under_it_and_restored(make: MakeService, port: int) -> None:
    one = make(f"server: {{listen: 127.0.0.1:{port}}}")
    changed("every: 1h", "every: 2s")(one)
    one.settle(1, 2)
    assert one.run("store", "backup", "monday.db").returncode == 0
    one.hire(1, 2, 3)
    one.until(lambda: len(one.users) == 3)
    made = dict(one.sandbox.twilio.service().users)
    (one.root / "syncd.db").unlink()
    one.until(lambda: one.events("at rest"))
    status, text = answer(port, "/readyz")
    assert status == 503 and text.startswith("store: its file is gone\n") and answer(port, "/livez") == (200, "ok\n")
    one.hire(1, 2, 3, 4)
    restored = one.run("store", "restore", "monday.db", "--yes")
    assert restored.returncode == 0, restored
    one.until(lambda: one.events("at work again"))
    one.until(lambda: len(one.users) == 4)
    assert made.items() <= one.sandbox.twilio.service().users.items() and answer(port, "/readyz") == (200, "ok\n")
    with sqlite3.connect(one.root / "syncd.db") as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert one.ends() == 0
