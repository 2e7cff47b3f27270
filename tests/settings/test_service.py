"""schedule, server and notify: taken over with their defaults, refused with their place, their secrets hidden."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from configured import CHAT, PEOPLE, configured

from syncd.errors import Refused
from syncd.settings import show
from syncd.settings.service import TOPICS

BOTH = PEOPLE + CHAT
SCHEDULE = "    schedule: {every: 90s, full: '*/30 2-4 * * MON-FRI', jitter: 0s, timezone: Europe/Paris}\n"
SLACK = "https://hooks.example/services/T0/B0/very-secret"
MAIL = "smtp://who:pass-word@mail.example:587?from=a@x.example&to=b@x.example"
BAD = {
    "too often": (BOTH + "    schedule: {every: 0s}\n", "10:23", "must be at least 1s"),
    "no cron": (BOTH + "    schedule: {full: daily}\n", "10:22", "five fields"),
    "a day that never comes": (BOTH + "    schedule: {full: 0 0 31 2 *}\n", "10:22", "five fields"),
    "nowhere": (BOTH + "    schedule: {timezone: Europe/Pariss}\n", "10:26", "time zone"),
    "a typing error": (BOTH + "    schedule: {evry: 5m}\n", "10:16", 'unknown key "evry"'),
    "no port": ("server: {listen: localhost}\n" + BOTH, "1:18", "an address and a port"),
    "no such port": ("server: {listen: 'localhost:70000'}\n" + BOTH, "1:18", "an address and a port"),
    "nothing to listen on": ("server: {}\n" + BOTH, "1:1", "listen is missing"),
    "plain http": ("notify: [{url: 'http://hooks.example/x', format: json}]\n" + BOTH, "1:10", "https://"),
    "no format": (f"notify: [{{url: '{SLACK}'}}]\n" + BOTH, "1:1", "format is missing"),
    "no mail": ("notify: [{url: 'smtp://mail.example', format: smtp}]\n" + BOTH, "1:10", "?from=A&to=B"),
    "no such thing": (f"notify: [{{url: '{SLACK}', format: slack, on: [hold]}}]\n" + BOTH, "1:", "held"),
    "an empty address": ("notify: [{url: '', format: slack}]\n" + BOTH, "1:16", "is empty"),
}


def test_defaults(tmp_path: Path) -> None:
    made = configured(tmp_path, BOTH)
    assert made.server is None and made.notify == () and made.schedules.keys() == {"people", "chat"}
    usual = made.schedules["chat"]
    assert (usual.every, usual.full, usual.jitter, usual.timezone) == (timedelta(minutes=5), "0 3 * * *", timedelta(seconds=20), "UTC")


def test_what_is_said(tmp_path: Path) -> None:
    text = f"server: {{listen: '[::1]:9464'}}\nnotify: [{{url: '{SLACK}', format: slack, on: [held]}}, {{url: '{MAIL}', format: smtp}}]\n"
    made = configured(tmp_path, text + BOTH + SCHEDULE)
    assert made.schedules["chat"].every == timedelta(seconds=90) and made.schedules["people"].every == timedelta(minutes=5)
    assert made.server is not None and made.server.listen == "[::1]:9464"
    assert [(one.format, one.on) for one in made.notify] == [("slack", ("held",)), ("smtp", TOPICS)]
    shown = show.text(made)
    assert "*/30 2-4 * * MON-FRI" in shown and "[::1]:9464" in shown
    assert {SLACK, MAIL, "pass-word", "services/T0/B0/very-secret"} <= {*made.secrets}
    assert not any(secret in shown + repr(made) for secret in ("very-secret", "pass-word"))
    assert any("notify.0.url" in warning or "notify[0].url" in warning for warning in made.warnings), made.warnings


def test_when_it_is_read_changes_no_plan(tmp_path: Path) -> None:
    before = configured(tmp_path, BOTH).fingerprint()
    assert configured(tmp_path, "server: {listen: 127.0.0.1:1}\n" + BOTH + SCHEDULE).fingerprint() == before


@pytest.mark.parametrize("case", BAD)
def test_refusals(tmp_path: Path, case: str) -> None:
    text, place, words = BAD[case]
    with pytest.raises(Refused) as caught:
        configured(tmp_path, text)
    assert f"syncd.yaml:{place}" in str(caught.value) and words in str(caught.value), caught.value
    assert "very-secret" not in str(caught.value)
