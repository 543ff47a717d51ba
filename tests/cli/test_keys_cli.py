"""`ska keys`: made once, shown once, revoked for good."""

import json

import pytest
from command_line import Ska, Terminal

from skill_agent.access.keys import KeyRing, keys_file
from skill_agent.access.tokens import TokenMint, signing_file


def made(ska: Ska, *arguments: str) -> dict:
    done = ska("keys", "create", *arguments, "--json")
    assert done.code == 0, done.err
    return done.json


def test_a_new_key_stands_alone_on_stdout(ska: Ska) -> None:
    done = ska("keys", "create", "laptop")
    assert done.code == 0, done.err
    text = done.out.strip()
    assert done.out == f"{text}\n"
    assert text.startswith("ska_")
    assert text not in done.err
    assert "read, chat" in done.err
    ring = KeyRing(keys_file(ska.home.root), ska.clock)
    found = ring.matching(text)
    assert found is not None
    assert (found.name, found.scopes, found.expires_at) == ("laptop", ("read", "chat"), None)
    assert keys_file(ska.home.root).stat().st_mode & 0o777 == 0o600
    assert text not in ska("keys", "list").out + ska("keys", "list", "--json").out


def test_the_first_key_makes_the_home(ska: Ska) -> None:
    assert not ska.home.exists
    assert "Making a home" in ska("keys", "create", "laptop").err
    assert ska.home.exists


def test_the_help_says_what_each_scope_allows(ska: Ska) -> None:
    told = " ".join(ska("keys", "create", "--help").out.split())
    for words in (
        "read see everything",
        "chat talk, in conversations of its own",
        "leaves nothing in memory",
        "memory change what is remembered",
        'admin do everything, also store "always" rules',
    ):
        assert words in told


def test_scopes_and_end(ska: Ska) -> None:
    key = made(ska, "ci", "--scope", "admin", "--scope", "read", "--expires", "90d")
    assert key["scopes"] == ["read", "admin"]
    assert key["state"] == "active"
    assert key["key"].startswith("ska_")
    assert key["created_at"] < key["expires_at"]
    listed = ska("keys", "list", "--json").json
    assert [one["id"] for one in listed] == [key["id"]]
    assert "key" not in listed[0]
    assert "hash" not in json.dumps(listed)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x", "--scope", "raed"), 'did you mean "read"'),
        (("x", "--expires", "soon"), "90d"),
        (("x", "--expires", "0d"), "90d"),
        (("x", "--expires", "999999y"), "no calendar"),
        (("",), "1 to 80"),
        ((), "NAME"),
    ],
)
def test_wrong_usage(ska: Ska, arguments: tuple[str, ...], said: str) -> None:
    done = ska("keys", "create", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert not keys_file(ska.home.root).exists()


def test_listing_where_there_is_nothing(ska: Ska) -> None:
    done = ska("keys", "list")
    assert (done.code, done.out) == (0, "")
    assert "ska keys create" in done.err
    assert ska("keys", "list", "--json").json == []
    assert not ska.home.root.exists()


def test_listing(ska: Ska) -> None:
    key = made(ska, "a laptop")
    out = ska("keys", "list").out
    assert key["id"] in out
    assert "a laptop" in out
    assert "active" in out


def test_revoking(ska: Ska) -> None:
    key = made(ska, "laptop")
    done = ska("keys", "revoke", key["id"], "--yes")
    assert (done.code, done.out) == (0, "")
    assert "revoked" in done.err
    assert ska("keys", "list", "--json").json[0]["state"] == "revoked"
    again = ska("keys", "revoke", key["id"][:5])
    assert again.code == 0
    assert "revoked already" in again.err
    assert ska("keys", "revoke", key["id"], "--json").json["state"] == "revoked"


def test_revoking_is_asked_about(ska: Ska) -> None:
    key = made(ska, "laptop")
    alone = ska("keys", "revoke", key["id"])
    assert alone.code == 1
    assert "--yes" in alone.err
    person = Terminal(["n"])
    assert ska("keys", "revoke", key["id"], person=person).code == 1
    assert "laptop" in person.asked[0]
    assert ska("keys", "list", "--json").json[0]["state"] == "active"
    assert ska("keys", "revoke", key["id"], person=Terminal(["y"])).code == 0
    assert ska("keys", "list", "--json").json[0]["state"] == "revoked"


def test_revoking_what_is_not_there(ska: Ska) -> None:
    assert "ska keys list" in ska("keys", "revoke", "k00000000", "--yes").err
    key = made(ska, "laptop")
    near = ska("keys", "revoke", f"{key['id'][:-1]}x", "--yes")
    assert near.code == 2
    assert key["id"] in near.err
    assert key["id"] in ska("keys", "revoke", "laptop", "--yes").err


def test_rotating(ska: Ska) -> None:
    nowhere = ska("keys", "rotate")
    assert nowhere.code == 2
    assert "ska init" in nowhere.err
    made(ska, "laptop")
    first = ska("keys", "rotate", "--json").json
    second = ska("keys", "rotate", "--json").json
    assert (first["still_verifying"], second["still_verifying"]) == (0, 1)
    assert first["id"] != second["id"]
    file = signing_file(ska.home.root)
    assert file.stat().st_mode & 0o777 == 0o600
    secrets = [key.secret for key in TokenMint(file, ska.clock).read()]
    said = ska("keys", "rotate").err
    assert "new signing key" in said
    assert not any(secret in said for secret in secrets)


@pytest.mark.parametrize("command", [("list",), ("create", "b"), ("revoke", "k1", "--yes")])
def test_a_damaged_file_is_told(ska: Ska, command: tuple[str, ...]) -> None:
    made(ska, "laptop")
    keys_file(ska.home.root).write_text("{")
    done = ska("keys", *command)
    assert (done.code, done.out) == (1, "")
    assert str(keys_file(ska.home.root)) in done.err
    assert "hint" in done.err
    assert "Traceback" not in done.err
