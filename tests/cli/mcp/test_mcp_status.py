"""`ska mcp status`: what stands in the clients' files is started for real, and greeted."""

import json
import sys
from pathlib import Path

import pytest
from command_line import Done, Ska
from ska_processes import gone, until
from skill_agent.cli.mcp.clients.known import CLIENTS, Scope, words_of
from skill_agent.cli.mcp.clients.places import Machine, file_of
from skill_agent.cli.opening.home_files import init_home

GREETS = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    assert asked["method"] == "initialize" and asked["params"]["clientInfo"]["name"], asked
    print(json.dumps({"jsonrpc": "2.0", "method": "notifications/message", "params": {}}))
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": {
        "protocolVersion": asked["params"]["protocolVersion"], "capabilities": {},
        "serverInfo": {"name": "skill-agent", "version": "9.1"}}}), flush=True)
"""
SAYS_ITS_ARGUMENTS = """
import os, sys
open(os.path.join(os.path.dirname(sys.argv[0]), "started"), "a").write(repr(sys.argv[1:]) + "\\n")
"""
HANGS = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(os.path.join(os.path.dirname(sys.argv[0]), "pids"), "w").write(f"{os.getpid()} {child.pid}")
time.sleep(600)
"""
WAYS = {
    "ends": ('import sys; print("error: no home here", file=sys.stderr); sys.exit(4)',
             "it ended with exit code 4: error: no home here"),
    "is killed": ("import os; os.kill(os.getpid(), 9)", "ended by signal 9"),
    "garbage": ('print("\\x1b[31mWelcome to skill-agent!", flush=True); input()',
                "something else than messages: ‹U+001B›[31mWelcome"),
    "a list": ("print([1], flush=True); input()", "something else than messages"),
    "refuses": ('print(\'{"id": 1, "error": {"code": 1, "message": "too old"}}\'); input()',
                "it refused: too old"),
    "no result": ('print(\'{"id": 1, "result": 3}\', flush=True); input()', "does not say what"),
    "endless line": ('import sys\nwhile True: sys.stdout.write("x" * 9999)', "a line of more than"),
    "floods": ('import sys\nfor _ in range(99): sys.stderr.write("x" * 9999)\nsys.exit(1)',
               "exit code 1: xxx"),
}  # fmt: skip
"""Programs that do not answer, and what is said of them."""


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """A program called `ska`, of which each test says what it does."""
    made = tmp_path / "other" / "ska"
    made.parent.mkdir()
    return made


def does(program: Path, code: str) -> Path:
    program.write_text(f"#!{sys.executable} -S\n{code}")
    program.chmod(0o755)
    return program


def file(client: str, scope: Scope = "user") -> Path:
    return file_of(CLIENTS[client], scope, Machine.here())


def installed(ska: Ska, client: str, program: Path, *more: str, scope: Scope = "user") -> None:
    """Sets the client up, and has its file name the stand-in."""
    done = ska("mcp", "install", client, "--scope", scope, "--yes", *more)
    assert done.code == 0, done.err
    path = file(client, scope)
    entry = json.loads(path.read_text())
    for name in CLIENTS[client].container:
        entry = entry[name]
    real = words_of(entry["ska"])[0]
    path.write_text(path.read_text().replace(json.dumps(real), json.dumps(str(program))))


def of(done: Done, client: str) -> dict[str, object]:
    return next(one for one in done.json if one["client"] == client)


def test_nothing_is_installed(ska: Ska) -> None:
    done = ska("mcp", "status")
    assert done.code == 0, done.err
    assert [line.split()[:3] for line in done.out.splitlines()[1:]] == [
        [client, "user", "no"] for client in CLIENTS
    ]


def test_who_answers_is_told_with_version_and_as_whom(ska: Ska, stand_in: Path) -> None:
    does(stand_in, SAYS_ITS_ARGUMENTS + GREETS)
    installed(ska, "zed", stand_in, "--as", "kyra", "--read-only")
    installed(ska, "opencode", stand_in)
    installed(ska, "gemini", stand_in)
    done = ska("mcp", "status", "--json", "--timeout", "60")
    assert done.code == 0, done.out
    found = of(done, "zed")
    assert {name: found[name] for name in ("id", "answers", "version", "as", "read_only")} == {
        "id": "zed:user:ska", "answers": True, "version": "skill-agent 9.1", "as": "kyra",
        "read_only": True,
    }  # fmt: skip
    assert of(done, "opencode")["answers"] is of(done, "gemini")["answers"] is True
    started = (stand_in.parent / "started").read_text().splitlines()
    home = str(ska.home.root)
    assert sorted(started) == sorted(
        repr(["--home", home, "mcp", "serve", *more])
        for more in ((), ("--as", "kyra", "--read-only"))
    ), "with the arguments that stand there, and the same command once"
    table = ska("mcp", "status", "--timeout", "60").out
    assert "kyra (reads only)  yes, skill-agent 9.1" in table
    assert "home:" not in table
    other = ska("--home", "elsewhere", "mcp", "status", "--timeout", "60").out
    assert f"kyra (reads only), home: {home}" in other


def test_who_answers_may_close_its_home(ska: Ska, stand_in: Path) -> None:
    closing = "import time; time.sleep(0.3)\n" + SAYS_ITS_ARGUMENTS
    does(stand_in, GREETS + closing)
    installed(ska, "zed", stand_in)
    assert ska("mcp", "status", "--timeout", "60").code == 0
    assert (stand_in.parent / "started").exists(), "it was ended before it had closed"


@pytest.mark.parametrize("way", WAYS)
def test_who_does_not_answer_is_told_with_the_reason(ska: Ska, stand_in: Path, way: str) -> None:
    code, expected = WAYS[way]
    does(stand_in, code)
    installed(ska, "cursor", stand_in)
    done = ska("mcp", "status", "--json", "--timeout", "60")
    assert done.code == 1
    assert expected in str(of(done, "cursor")["problem"])
    assert of(done, "cursor")["answers"] is False


def test_who_hangs_is_given_up_and_nothing_of_it_runs_on(ska: Ska, stand_in: Path) -> None:
    does(stand_in, HANGS)
    installed(ska, "cursor", stand_in)
    pids = stand_in.parent / "pids"
    done = ska("mcp", "status", "--timeout", "1")
    while not (pids.exists() and pids.read_text()):  # on a slow machine it had not begun
        done = ska("mcp", "status", "--timeout", "4")
    assert done.code == 1
    assert "no answer within" in done.err
    assert "--timeout SECONDS" in done.err
    for pid in map(int, pids.read_text().split()):
        until(lambda pid=pid: gone(pid))


def test_a_command_that_is_gone(ska: Ska, stand_in: Path) -> None:
    installed(ska, "zed", stand_in)
    done = ska("mcp", "status")
    assert done.code == 1
    assert f"{stand_in} is not there" in done.err
    stand_in.write_text("no program")
    assert ska("mcp", "status").code == 1


def test_one_that_is_switched_off_is_not_started(ska: Ska, stand_in: Path) -> None:
    does(stand_in, SAYS_ITS_ARGUMENTS)
    installed(ska, "opencode", stand_in)
    path = file("opencode")
    path.write_text(path.read_text().replace('"type"', '"enabled": false, "type"'))
    done = ska("mcp", "status", "--json")
    assert done.code == 0
    assert of(done, "opencode")["remark"] == "switched off there"
    assert not (stand_in.parent / "started").exists()


@pytest.mark.parametrize("how", ["another program", "another environment"])
def test_a_projects_file_starts_nothing_that_we_would_not_have_written(
    ska: Ska, stand_in: Path, how: str
) -> None:
    does(stand_in, SAYS_ITS_ARGUMENTS)
    if how == "another program":
        installed(ska, "vscode", stand_in, scope="project")
    else:
        ska("mcp", "install", "vscode", "--scope", "project", "--yes")
        path = file("vscode", "project")
        added = '"env": {"PYTHONPATH": "/evil"}, "type"'
        path.write_text(path.read_text().replace('"type"', added))
    done = ska("mcp", "status", "--json")
    assert done.code == 0
    found = of(done, "vscode")
    assert (found["answers"], found["scope"]) == (None, "project")
    assert "not started" in str(found["remark"])
    assert not (stand_in.parent / "started").exists()


def test_a_file_that_cannot_be_read_is_told(ska: Ska) -> None:
    file("zed").parent.mkdir(parents=True)
    file("zed").write_text("{ nonsense")
    done = ska("mcp", "status", "--json")
    assert done.code == 1
    assert "not valid JSON" in str(of(done, "zed")["problem"])


def test_a_strangers_server_of_our_name_is_none_of_ours(ska: Ska) -> None:
    file("cursor").parent.mkdir(parents=True)
    file("cursor").write_text('{"mcpServers": {"ska": {"command": "claude", "args": ["mcp"]}}}')
    done = ska("mcp", "status", "--json")
    assert (done.code, of(done, "cursor")["installed"]) == (0, False)


@pytest.mark.deep
def test_the_real_server_answers(ska: Ska) -> None:
    if "serve" not in ska("mcp", "--help").out:
        pytest.skip("ska mcp serve is not there yet")
    init_home(ska.home)
    assert ska("mcp", "install", "claude-code", "--yes").code == 0
    done = ska("mcp", "status", "--json", "--timeout", "60")
    assert done.code == 0, done.out
    assert str(of(done, "claude-code")["version"]).startswith("skill-agent ")
