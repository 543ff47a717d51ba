"""`ska webhooks` from the outside."""

import os
from pathlib import Path

import pytest
from command_line import Ska
from receiver import Receiver

from skill_agent.files.home import Home


@pytest.fixture
def ska(home: Home, capsys: pytest.CaptureFixture[str]) -> Ska:
    made = Ska(home, capsys)
    assert made("memory", "add", "A fact").code == 0
    home.config.write_text('[webhooks]\nallow_private = ["127.0.0.1"]\n', encoding="utf-8")
    return made


def test_from_adding_to_removing(ska: Ska, receiver: Receiver) -> None:
    assert ska("webhooks", "list", "--json").json == []
    done = ska("webhooks", "add", receiver.url, "--event", "job.failed")
    secret = done.out.strip()
    assert done.code == 0 and secret.startswith("whsec_")
    (hook,) = ska("webhooks", "list", "--json").json
    assert hook["events"] == ["job.failed"] and hook["state"] == "active" and "secret" not in hook
    assert hook["url"] == receiver.url
    key = hook["id"]
    told = ska("webhooks", "test", key)
    assert told.code == 0 and told.out == "" and "taken" in told.err
    assert receiver.got[0].is_signed(secret)
    receiver.answer = 404
    refused = ska("webhooks", "test", key)
    assert refused.code == 1 and "HTTP 404" in refused.err
    assert ska("webhooks", "test", key, "--json").code == 1
    lines = ska("webhooks", "log", key, "--json").json
    assert [one["state"] for one in lines] == ["failed", "failed", "delivered"]
    assert "webhook.test" in ska("webhooks", "log", key, "--limit", "1").out
    assert ska("webhooks", "resume", key).code == 0
    for command in ("list", "log"):
        shown = ska("webhooks", command, *([key] if command == "log" else []))
        assert secret not in shown.out + shown.err
    assert ska("webhooks", "remove", key, "--json").json["id"] == key
    gone = ska("webhooks", "remove", key)
    assert gone.code == 2 and key in gone.err


def test_what_was_mistyped_is_told(
    ska: Ska, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = ska("webhooks", "add", receiver.url, "--event", "job.fail")
    assert near.code == 2 and "job.failed" in near.err
    plain = ska("webhooks", "add", "http://example.org/hook")
    assert plain.code == 2 and "allow_private" in plain.err
    unset = ska("webhooks", "add", receiver.url, "--secret-env", "HOOK_SECRET")
    assert unset.code == 2 and "HOOK_SECRET is not set" in unset.err
    monkeypatch.setenv("HOOK_SECRET", "a secret of the environment")
    kept = ska("webhooks", "add", receiver.url, "--secret-env", "HOOK_SECRET", "--json")
    assert kept.json["secret"] == "" and kept.json["secret_env"] == "HOOK_SECRET"
    assert os.environ["HOOK_SECRET"] not in kept.out + kept.err


def test_a_backup_has_the_address_and_not_the_secret(
    ska: Ska, receiver: Receiver, home: Home, tmp_path: Path
) -> None:
    """In its own place a home that is restored goes on telling; a copy of it elsewhere does not."""
    assert ska("webhooks", "add", receiver.url).code == 0
    assert ska("backup", "create").code == 0
    copy = tmp_path / "copy"
    assert ska("backup", "restore", "--to", str(copy)).code == 0
    assert (copy / "webhooks.json").exists() and not (copy / "webhook-secrets.json").exists()
    assert ska("backup", "restore", "--yes").code == 0
    (here,) = ska("webhooks", "list", "--json").json
    assert here["state"] == "active"
    assert home.webhook_secrets.stat().st_mode & 0o777 == 0o600
    os.environ["SKILL_AGENT_HOME"] = str(copy)
    (there,) = ska("webhooks", "list", "--json").json
    assert (there["state"], there["problem"]) == ("paused", "its secret is not there")
