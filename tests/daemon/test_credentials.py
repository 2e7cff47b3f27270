"""Refused credentials are read anew: other secrets are taken over, other settings are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from syncd.cli.invocation import registry
from syncd.connectors.twilio import TwilioOptions
from syncd.daemon.credentials import renewed
from syncd.settings import Settings, load
from tests import stores

CONFIG = """\
connections:
  people: {connector: file, path: people.csv, id: nr, authoritative: true}
  chat: {connector: twilio, account_sid: AC00000000000000000000000000000000, auth_token: file:token, base_url: "https://HOST"}
"""


@pytest.fixture
def reading(tmp_path: Path) -> Callable[..., Settings]:
    """``reading(token, host)``: the configuration as it is on disk then."""

    def read(token: str = "the-first-token", host: str = "one.example") -> Settings:
        (tmp_path / "people.csv").touch()
        (tmp_path / "token").write_text(token)
        (tmp_path / "syncd.yaml").write_text(CONFIG.replace("HOST", host))
        return load(tmp_path / "syncd.yaml", registry(), stores.environ(tmp_path))

    return read


def test_the_same_are_not_tried_again(reading: Callable[..., Settings]) -> None:
    assert renewed(reading(), reading, "chat") is None


def test_others_are_taken_over_and_both_stay_hidden(reading: Callable[..., Settings]) -> None:
    made = renewed(reading(), lambda: reading("the-second-token"), "chat")
    assert made is not None and made.secrets == ("the-first-token", "the-second-token")
    options = made.options["chat"]
    assert isinstance(options, TwilioOptions) and options.auth_token is not None
    assert options.auth_token.get_secret_value() == "the-second-token"


def test_where_more_than_secrets_changed_a_reload_is_needed(reading: Callable[..., Settings]) -> None:
    assert renewed(reading(), lambda: reading("the-second-token", "two.example"), "chat") is None


def test_a_configuration_that_is_refused_changes_nothing(reading: Callable[..., Settings]) -> None:
    assert renewed(reading(), lambda: reading("the-second-token", "one.example/\n  nonsense: 1"), "chat") is None
    assert renewed(reading(), lambda: reading(""), "chat") is None
