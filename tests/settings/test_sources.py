"""Flags over environment over secrets directory over YAML; where the file is looked for; what references stand for."""

from __future__ import annotations

from pathlib import Path

import pytest
from configured import CHAT, PEOPLE, REGISTRY, TOKEN, ChatOptions, configured
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.errors import Refused
from syncd.settings import find, load

BOTH = PEOPLE + CHAT
SOURCES = ("flags", "environment", "secrets", "credentials", "file")


def token(options: object) -> str:
    assert isinstance(options, ChatOptions)
    return options.auth_token.get_secret_value()


@given(st.sets(st.sampled_from(SOURCES), min_size=1))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_strongest_source_wins(tmp_path: Path, present: set[str]) -> None:
    environ, flags = {}, {}
    if "flags" in present:
        flags["connections.chat.region"] = "us"
    for name, variable in (("secrets", "SYNCD_SECRETS_DIR"), ("credentials", "CREDENTIALS_DIRECTORY")):
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        value = "us" if name in present and not present & set(SOURCES[: SOURCES.index(name)]) else "eu"
        (directory / "connections.chat.region").write_text(value)
        if name in present:
            environ[variable] = str(directory)
    if "environment" in present:
        environ["SYNCD_CONNECTIONS__CHAT__REGION"] = "eu" if "flags" in present else "us"
    text = BOTH + f"    region: {'us' if present == {'file'} else 'eu'}\n" if "file" in present else BOTH
    (tmp_path / "people.csv").touch()
    path = tmp_path / "syncd.yaml"
    path.write_text(text)
    loaded = load(path, REGISTRY, {"TOKEN": TOKEN, **environ}, flags=flags).options["chat"]
    assert isinstance(loaded, ChatOptions) and loaded.region == "us"


def test_environment_values_become_the_type_of_their_key(tmp_path: Path) -> None:
    environ = {
        "SYNCD_INSTANCE": "prod",
        "SYNCD_CONNECTIONS__PEOPLE__AUTHORITATIVE": "yes",
        "SYNCD_CONNECTIONS__CHAT__PAGE_SIZE": "7",
        "SYNCD_CONNECTIONS__CHAT__WRITE__CORRELATE": "email, userName",
        "SYNCD_CONNECTIONS__CHAT__LIMITS__CREATE__PERCENT": "12.5",
        "SYNCD_STORE__LEASE": "500ms",
        "SYNCD_LOG__LEVEL": "debug",
        "SYNCD_CONNECTIONS__PEOPLE__READ__ATTRIBUTES__userName": "mail",
    }
    loaded = configured(tmp_path, BOTH + "    write: {}\n", environ)
    chat = loaded.landscape.connection("chat")
    assert loaded.landscape.instance == "prod" and loaded.log.level == "debug"
    assert loaded.landscape.lease.total_seconds() == loaded.store.lease.total_seconds() == 0.5
    assert loaded.options["chat"].model_dump()["page_size"] == 7
    assert chat.write and chat.write.correlate == ("email", "userName") and chat.write.limits["create"].percent == 12.5
    assert next(entry.text for entry in loaded.landscape.connection("people").read if entry.name == "userName") == "mail"


def test_what_others_put_into_the_environment_is_ignored(tmp_path: Path) -> None:
    foreign = {
        "SYNCD_PORT": "tcp://10.0.0.1:80",
        "SYNCD_SERVICE_HOST": "10.0.0.1",
        "SYNCD_LOG": "x",
        "SYNCD__X_PORT": "1",
        "SYNCD_STORE__URL": "",
    }
    assert configured(tmp_path, BOTH, foreign).fingerprint() == configured(tmp_path, BOTH).fingerprint()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SYNCD_STOER__URL", "x", ['unknown key "stoer"', 'did you mean "store"?']),
        ("SYNCD_STORE__ULR", "x", ['unknown key "ulr" in store']),
        ("SYNCD_LOG__LEVEL", "loud", ["log.level must be debug"]),
        ("SYNCD_CONNECTIONS__CHAT__PAGE_SIZE", "many", ["page_size must be a whole number"]),
        ("SYNCD_CONNECTIONS__CHTA__AUTH_TOKEN", "x", ["connections.chta.connector is missing"]),
        ("SYNCD_CONNECTIONS__CHAT__AUTH_TOKEN", "env:NONE", ["NONE is not set"]),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(tmp_path: Path, name: str, value: str, words: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        configured(tmp_path, BOTH, {name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert not [word for word in words if word not in str(caught.value)], str(caught.value)


def test_two_names_for_one_value_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"SYNCD_STORE__URL__X: another name already sets url"):
        configured(tmp_path, BOTH, {"SYNCD_STORE__URL": "sqlite:///a", "SYNCD_STORE__URL__X": "b"})
    for name in ("store.url", "STORE__URL"):
        (tmp_path / name).write_text("sqlite:///a")
    with pytest.raises(Refused, match=r"store\.url is set twice, also by .*STORE__URL"):
        configured(tmp_path, BOTH, {"SYNCD_SECRETS_DIR": str(tmp_path)})


def test_an_override_makes_a_missing_reference_harmless(tmp_path: Path) -> None:
    text = BOTH.replace("env:TOKEN", "env:NONE")
    assert token(configured(tmp_path, text, {"SYNCD_CONNECTIONS__CHAT__AUTH_TOKEN": "other"}).options["chat"]) == "other"


def test_secret_files_are_literal_and_lose_one_newline(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "SYNCD_CONNECTIONS__CHAT__AUTH_TOKEN").write_text("env:not a reference\n")
    (secrets / "..data").mkdir()
    (secrets / ".hidden__key").write_text("x")
    (secrets / "tls.crt").write_text("of somebody else")
    (secrets / "README").write_text("of somebody else")
    loaded = configured(tmp_path, BOTH, {"SYNCD_SECRETS_DIR": str(secrets)})
    assert token(loaded.options["chat"]) == "env:not a reference"
    assert loaded.secrets == ("env:not a reference",) and not loaded.warnings


def test_an_unreadable_secrets_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"SYNCD_SECRETS_DIR: .*nowhere cannot be read"):
        configured(tmp_path, BOTH, {"SYNCD_SECRETS_DIR": str(tmp_path / "nowhere")})
    (tmp_path / "connections.chat.auth_token").write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match="is not UTF-8 text"):
        configured(tmp_path, BOTH, {"SYNCD_SECRETS_DIR": str(tmp_path)})
    (tmp_path / "connections.chat.auth_token").write_bytes(b"x" * (1 << 20) + b"x")
    with pytest.raises(Refused, match="longer than 1,048,576 bytes"):
        configured(tmp_path, BOTH, {"SYNCD_SECRETS_DIR": str(tmp_path)})


def test_file_references_are_relative_to_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    (tmp_path / "token").write_text("from a file\r\n")
    loaded = configured(tmp_path, BOTH.replace("env:TOKEN", "file:token"))
    assert token(loaded.options["chat"]) == "from a file" and not loaded.warnings
    assert loaded.store.url == f"sqlite:///{tmp_path}/syncd.db"
    assert loaded.landscape.connection("people").binding == {"root": str(tmp_path / "people.csv")}
    assert configured(tmp_path, BOTH + "store: {url: 'sqlite:////var/x.db'}\n").store.url == "sqlite:////var/x.db"


def test_any_scalar_may_be_a_reference(tmp_path: Path) -> None:
    text = (
        BOTH + "    page_size: env:SIZE\n    write: {scope: 'env:SCOPE', attributes: {role_sid: 'env:ROLE'}}\nlog: {level: 'env:LEVEL'}\n"
    )
    environ = {"SIZE": "9", "SCOPE": 'title == "x"', "ROLE": "title", "LEVEL": "error"}
    loaded = configured(tmp_path, text, environ)
    assert loaded.options["chat"].model_dump()["page_size"] == 9 and loaded.log.level == "error"
    write = loaded.landscape.connection("chat").write
    assert write and write.scope == 'title == "x"' and write.attributes[-1].text == "title"
    with pytest.raises(Refused, match=r"syncd\.yaml:11:20: connections\.chat\.write\.scope: unknown name 'nope'"):
        configured(tmp_path, text, environ | {"SCOPE": "nope == 1"})


def test_a_literal_secret_is_accepted_with_a_warning(tmp_path: Path) -> None:
    loaded = configured(tmp_path, BOTH.replace("env:TOKEN", "literal-token"))
    assert loaded.warnings == (
        f"{tmp_path}/syncd.yaml:9:17: connections.chat.auth_token is a secret written in the file; use env:NAME or file:PATH",
    )
    assert loaded.secrets == ("literal-token",) and "literal-token" not in repr(loaded)


def test_several_literal_secrets_are_one_warning(tmp_path: Path) -> None:
    more = CHAT.replace("  chat:", "  talk:").replace("env:TOKEN", "another-token")
    loaded = configured(tmp_path, BOTH.replace("env:TOKEN", "literal-token") + more)
    (warning,) = loaded.warnings
    assert ":9:17: connections.chat.auth_token and 1 more are secrets written in the file; use env:NAME or file:PATH" in warning


def test_the_first_file_found_is_used(tmp_path: Path) -> None:
    home = tmp_path / "home"
    places = [tmp_path / "syncd.yaml", tmp_path / "config/syncd.yaml", home / "syncd/config.yaml"]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    named = tmp_path / "named.yaml"
    named.touch()
    environ = {"SYNCD_CONFIG": str(named), "XDG_CONFIG_HOME": str(home)}
    assert find(Path("config/syncd.yaml"), environ, tmp_path) == places[1]
    assert find(None, environ, tmp_path) == named
    del environ["SYNCD_CONFIG"]
    for place in places:
        assert find(None, environ, tmp_path) == place
        place.unlink()
    places[2].touch()
    places[2].parent.parent.rename(tmp_path / ".config")
    assert find(None, {"HOME": str(tmp_path)}, tmp_path) == tmp_path / ".config/syncd/config.yaml"


def test_a_missing_file_names_the_places(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        find(None, {"HOME": "/nobody"}, tmp_path)
    for place in (f"{tmp_path}/syncd.yaml", f"{tmp_path}/config/syncd.yaml", "/nobody/.config/syncd/config.yaml", "/etc/syncd/config.yaml"):
        assert place in str(caught.value)
    assert "syncd config schema" in str(caught.value) and caught.value.exit_code == 78
    with pytest.raises(Refused, match=r"^gone\.yaml: there is no such configuration file\n.*--config"):
        find(Path("gone.yaml"), {}, tmp_path)
    with pytest.raises(Refused, match=r"^gone\.yaml: .*\n.*\$SYNCD_CONFIG"):
        find(None, {"SYNCD_CONFIG": "gone.yaml"}, tmp_path)
