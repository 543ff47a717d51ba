"""The command that clients are told to start, and how it is known again."""

import sys
from pathlib import Path

import pytest
from skill_agent.cli.mcp.clients.command import Served, command, program, refuse_replaced, served
from skill_agent.cli.mcp.clients.known import CLIENTS

from skill_agent.errors import UsageError


def script(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    path.chmod(0o755)
    return path


def test_it_is_the_one_that_was_called_by_its_whole_path(project: Path) -> None:
    real = script(project / "venv" / "bin" / "ska")
    link = project / "ska"
    link.symlink_to(real)
    assert program("venv/bin/ska") == [str(real)]
    assert program(str(link)) == [str(link)], "a link stays: updates move what it leads to"


def test_otherwise_it_lies_with_this_python_or_is_this_python(project: Path) -> None:
    script(project / "pytest")
    found = program(str(project / "pytest"))
    assert found[0].startswith(("/", sys.prefix))
    assert Path(found[0]).name == "ska" or found == [sys.executable, "-P", "-m", "skill_agent.cli"]
    (project / "ska").write_text("not to be run")
    assert program(str(project / "ska")) == found


def test_the_home_is_named_unless_everybody_finds_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = str(script(project / "ska"))
    monkeypatch.setenv("SKILL_AGENT_HOME", "h")
    assert command(home=None, called=called) == [
        called, "--home", str(project / "h"), "mcp", "serve",
    ]  # fmt: skip
    monkeypatch.delenv("SKILL_AGENT_HOME")
    assert command(home=None, called=called) == [called, "mcp", "serve"]
    monkeypatch.setenv("XDG_DATA_HOME", str(project / "d"))
    assert str(project / "d") in command(home=None, called=called)[2]
    words = command(home=Path("x"), agent="kyra", read_only=True, called=called)
    assert words[1:3] == ["--home", str(project / "x")]
    assert words[-3:] == ["--as", "kyra", "--read-only"]
    assert served(words) == Served(agent="kyra", read_only=True, home=str(project / "x"))


@pytest.mark.parametrize(
    ("line", "agent"),
    [
        ("/a/ska mcp serve", ""), ("ska mcp serve --as=kyra", "kyra"), ("uvx ska mcp serve", ""),
        ("/py -P -m skill_agent.cli --home /h mcp serve --read-only --as luke", "luke"),
        ("C:\\x\\ska.exe mcp serve", ""), ("skill-agent --home=/mcp mcp serve", ""),
        ("uvx --from skill-agent ska mcp serve", ""), ("ska --home mcp mcp serve", ""),
    ],
)  # fmt: skip
def test_ours_is_known(line: str, agent: str) -> None:
    found = served(line.split(" "))
    assert found is not None
    assert found.agent == agent


@pytest.mark.parametrize(
    "line",
    [
        "claude mcp serve", "ska mcp list", "ska", "", "mcp serve", "ska mcp serve --evil",
        "ska mcp serve; rm", "ska mcp serve x", "/x/ska.sh mcp serve", "ska chat mcp serve",
    ],
)  # fmt: skip
def test_anything_else_is_not(line: str) -> None:
    assert served(line.split(" ")) is None


@pytest.mark.parametrize(
    ("client", "path"),
    [("gemini", "/a$b/ska"), ("claude-code", "/${X}/ska"), ("opencode", "/{env:X}/ska"),
     ("zed", "/a\nb/ska"), ("codex", "/a\ud800/ska")],
)  # fmt: skip
def test_a_path_that_the_client_would_not_take_as_it_is(client: str, path: str) -> None:
    with pytest.raises(UsageError):
        refuse_replaced([path, "mcp", "serve"], CLIENTS[client])
    refuse_replaced(["/a b/ü/ska", "mcp", "serve"], CLIENTS[client])
