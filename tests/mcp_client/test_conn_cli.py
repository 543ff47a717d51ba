"""`ska mcp list|test|tools|logs|add|remove` from the outside."""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from command_line import Ska, Terminal
from server_pool import HOSTILE
from skill_agent.cli.opening.home_files import init_home

from skill_agent.files.home import Home

PROGRAM = [sys.executable, str(HOSTILE), "fine"]
TOKEN = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"
FROM = {
    "mcpServers": {
        "github": {
            "command": "npx",
            "args": ["-y", "server-github"],
            "env": {"GITHUB_TOKEN": TOKEN, "LOG_LEVEL": "debug", "HOME_DIR": "${env:MY_DIR}"},
        },
        "web": {
            "type": "http",
            "url": "https://x.example/mcp",
            "headers": {"Authorization": "Bearer ${WEB_TOKEN}", "X-Key": "${X_KEY}"},
        },
        "old": {"type": "sse", "url": "https://x.example/sse"},
        "leaks": {"command": "x", "args": ["--key", TOKEN]},
        "shells": {"command": "y", "env": {"A": "${B}$(touch pwned)"}},
    }
}


@pytest.fixture
def ska(home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ska:
    for name in ("GITHUB_TOKEN", "LOG_LEVEL", "HOME_DIR", "X_KEY"):
        monkeypatch.delenv(name, raising=False)
    init_home(home)
    return Ska(home, capsys)


def servers(home: Home) -> dict[str, Any]:
    return tomllib.loads(home.config.read_text())["mcp"].get("servers", {})


def test_a_server_is_added_tried_looked_into_and_removed(ska: Ska, home: Home) -> None:
    before = home.config.read_text()
    done = ska("mcp", "add", "mine", "--for", "kyra", "--yes", "--", *PROGRAM)
    assert done.code == 0 and "[mcp.servers.mine]" in done.err
    assert "kyra may use mine" in done.err and "try it: ska mcp test mine" in done.err
    assert servers(home) == {"mine": {"command": PROGRAM[0], "args": PROGRAM[1:]}}
    assert home.config.read_text().startswith(before.rstrip())
    (listed,) = ska("mcp", "list", "--json").json
    assert (listed["id"], listed["state"], listed["used_by"]) == ("mine", "stopped", ["kyra"])
    assert "mine" in ska("mcp", "list").out
    tested = ska("mcp", "test", "mine")
    assert (tested.code, tested.out) == (
        0,
        "",
    ) and "answers: tools 1, protocol 2025-11-25" in tested.err
    (tool,) = ska("mcp", "tools", "mine", "--json").json
    assert (tool["id"], tool["description"], tool["hints"]) == ("work", "Works.", [])
    assert "Works." in ska("mcp", "tools", "mine").out
    assert "written nothing yet" in ska("mcp", "logs", "mine").err
    removed = ska("mcp", "remove", "mine", "--yes")
    assert removed.code == 0 and "kyra" in removed.err
    assert home.config.read_text() == before


def test_one_that_does_not_answer_has_exit_code_1(ska: Ska) -> None:
    ska("mcp", "add", "bad", "--yes", "--", sys.executable, str(HOSTILE), "exits")
    done = ska("mcp", "test", "bad")
    assert done.code == 1 and "no licence" in done.err and "hint: ska mcp logs bad" in done.err
    assert ska("mcp", "test", "bad", "--json").json["state"] == "failed"
    assert "cannot start: no licence" in ska("mcp", "logs", "bad", "-n", "1").out
    assert ska("mcp", "tools", "bad").code == 1
    assert ska("mcp", "test", "bat").code == 2


def test_servers_of_another_program_without_their_secrets(
    ska: Ska, home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps(FROM))
    done = ska("mcp", "add", "--from", str(file), "--yes")
    assert done.code == 0
    assert TOKEN not in done.err + done.out + home.config.read_text()
    assert {*servers(home)} == {"github", "web", "shells"}
    assert servers(home)["github"]["env"] == ["GITHUB_TOKEN", "LOG_LEVEL", "HOME_DIR"]
    assert servers(home)["web"]["headers"] == {
        "Authorization": "WEB_AUTHORIZATION", "X-Key": "X_KEY",
    }  # fmt: skip
    for line in (
        "export GITHUB_TOKEN=…", "export LOG_LEVEL=debug", 'export HOME_DIR="${MY_DIR}"',
        'export WEB_AUTHORIZATION="Bearer ${WEB_TOKEN}"', "export X_KEY=…",
        "not taken over: old: it speaks SSE", "not taken over: leaks: args holds",
        'mcp = ["github"] under [agents.SLUG]',
    ):  # fmt: skip
        assert line in done.err
    assert "touch pwned" not in done.err
    again = ska("mcp", "add", "--from", str(file), "github", "--yes", "--json")
    (one,) = again.json
    assert (one["id"], one["written"], one["problem"]) == ("github", True, "")
    assert home.config.read_text().count("[mcp.servers.github]") == 1


def test_the_doctor_finds_what_a_server_lacks(ska: Ska, home: Home) -> None:
    ska("mcp", "add", "lost", "--for", "kyra", "--yes", "--", "no-such-program-anywhere")
    ska("mcp", "add", "mine", "--env", "GITHUB_TOKEN", "--yes", "--", sys.executable, "x")
    found = {one["id"]: one for one in ska("doctor", "--json").json}
    assert found["mcp.lost"]["level"] == "error" and "install it" in found["mcp.lost"]["fix"]
    assert found["mcp.mine"]["level"] == "warning" and "GITHUB_TOKEN" in found["mcp.mine"]["detail"]
    ska("mcp", "remove", "lost", "--yes")
    found = {one["id"]: one for one in ska("doctor", "--json").json}
    assert "a server 'lost'" in found["agents.kyra.mcp"]["detail"] and "mcp.lost" not in found


def test_what_is_declined_is_not_written(ska: Ska, home: Home) -> None:
    before = home.config.read_text()
    person = Terminal(["n"])
    done = ska("mcp", "add", "x", "--", "cat", person=person)
    assert done.code == 1 and 'command = "cat"' in done.err and "Write that to" in person.asked[0]
    assert home.config.read_text() == before


MEANT: dict[tuple[str, ...], str] = {
    ("a b", "--", "x"): "for instance a-b",
    ("x",): "either a command or --url",
    ("x", "--url", "https://x", "--", "y"): "either a command or --url",
    ("x", "--env", "A=secret-value", "--", "y"): "never its value: A",
    ("x", "--url", "ftp://x"): "is no address",
    ("x", "--url", "https://x", "--header", "A"): "NAME=VAR",
    ("x", "--for", "kira", "--", "y"): "kyra",
    ("--from", "/nowhere.json"): "cannot be read",
    (): "which server?",
}


def test_what_cannot_be_meant_says_what_can(ska: Ska, home: Home) -> None:
    before = home.config.read_text(), home.agents.read_text()
    for words, said in MEANT.items():
        done = ska("mcp", "add", *words)
        assert done.code == 2 and said in done.err and "secret-value" not in done.err
    assert (home.config.read_text(), home.agents.read_text()) == before


def test_comments_stay_and_a_layout_that_cannot_be_edited_is_left(ska: Ska, home: Home) -> None:
    text = (
        '# mine\n[mcp.servers.a]\ncommand = "a"  # why\n\n[mcp.servers.a.headers]\nX = "Y"\n'
        '# of b\n[mcp.servers.b]\ncommand = "b"\n'
    ).replace('command = "a"  # why', 'url = "http://a"  # why')
    home.config.write_text(text)
    assert ska("mcp", "remove", "a", "--yes").code == 0
    assert home.config.read_text() == '# mine\n# of b\n[mcp.servers.b]\ncommand = "b"\n'
    inline = 'mcp = { servers = { b = { command = "b" } } }\n'
    home.config.write_text(inline)
    done = ska("mcp", "remove", "b", "--yes")
    assert done.code == 2 and "cannot be edited by command" in done.err
    assert home.config.read_text() == inline
    home.config.write_text("")
    home.agents.write_text("[agents.kyra]\nstatus = 3\n[agents.luke]\n")
    assert ska("mcp", "add", "x", "--yes", "--for", "luke", "--", "y").code == 2
    assert home.config.read_text() == ""
    home.config.write_text("[mcp\n")
    assert ska("mcp", "add", "x", "--yes", "--", "y").code == 2
