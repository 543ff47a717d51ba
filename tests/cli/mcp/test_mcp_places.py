"""Where each client's files lie, by its own rules, on each platform."""

from pathlib import Path

import pytest
from skill_agent.cli.mcp.clients.known import CLIENTS, Scope
from skill_agent.cli.mcp.clients.places import Machine, file_of, is_here

HOME = {"HOME": "/h", "USERPROFILE": "/h"}


def of(client: str, platform: str = "linux", scope: Scope = "user", **environment: str) -> str:
    machine = Machine(
        environment={**HOME, **environment}, platform=platform, folder=Path("/p/roject")
    )
    return file_of(CLIENTS[client], scope, machine).as_posix()


@pytest.mark.parametrize(
    ("client", "platform", "expected"),
    [
        ("claude-code", "linux", "/h/.claude.json"),
        ("claude-code", "win32", "/h/.claude.json"),
        ("codex", "linux", "/h/.codex/config.toml"),
        ("opencode", "linux", "/h/.config/opencode/opencode.json"),
        ("opencode", "darwin", "/h/.config/opencode/opencode.json"),
        ("gemini", "linux", "/h/.gemini/settings.json"),
        ("cursor", "darwin", "/h/.cursor/mcp.json"),
        ("vscode", "linux", "/h/.config/Code/User/mcp.json"),
        ("vscode", "darwin", "/h/Library/Application Support/Code/User/mcp.json"),
        ("vscode", "win32", "/h/AppData/Roaming/Code/User/mcp.json"),
        ("zed", "linux", "/h/.config/zed/settings.json"),
        ("zed", "darwin", "/h/.config/zed/settings.json"),
        ("zed", "win32", "/h/AppData/Roaming/Zed/settings.json"),
    ],
)
def test_a_persons_file(client: str, platform: str, expected: str) -> None:
    assert of(client, platform) == expected


def test_a_projects_file() -> None:
    assert {name: of(name, scope="project") for name in CLIENTS} == {
        "claude-code": "/p/roject/.mcp.json",
        "codex": "/p/roject/.codex/config.toml",
        "opencode": "/p/roject/opencode.json",
        "gemini": "/p/roject/.gemini/settings.json",
        "cursor": "/p/roject/.cursor/mcp.json",
        "vscode": "/p/roject/.vscode/mcp.json",
        "zed": "/p/roject/.zed/settings.json",
    }


@pytest.mark.parametrize(
    ("client", "variable", "expected"),
    [
        ("claude-code", "CLAUDE_CONFIG_DIR", "/x/.claude.json"),
        ("codex", "CODEX_HOME", "/x/config.toml"),
        ("gemini", "GEMINI_CLI_HOME", "/x/.gemini/settings.json"),
        ("opencode", "XDG_CONFIG_HOME", "/x/opencode/opencode.json"),
        ("vscode", "XDG_CONFIG_HOME", "/x/Code/User/mcp.json"),
        ("zed", "XDG_CONFIG_HOME", "/x/zed/settings.json"),
    ],
)
def test_a_variable_that_the_client_heeds_moves_it(
    client: str, variable: str, expected: str
) -> None:
    assert of(client, "linux", "user", **{variable: "/x"}) == expected
    assert of(client, "linux", "user", **{variable: " "}) == of(client)


def test_variables_are_heeded_only_where_the_client_does() -> None:
    assert of("zed", "darwin", XDG_CONFIG_HOME="/x") == "/h/.config/zed/settings.json"
    assert of("vscode", "win32", APPDATA="/r") == "/r/Code/User/mcp.json"
    assert of("zed", "linux", XDG_CONFIG_HOME="not/absolute") == "/h/.config/zed/settings.json"


def test_of_several_files_the_one_that_is_there(person: Path, project: Path) -> None:
    machine = Machine(environment={"HOME": str(person)}, platform="linux", folder=project)
    (project / ".opencode").mkdir()
    inner = project / ".opencode" / "opencode.jsonc"
    inner.touch()
    assert file_of(CLIENTS["opencode"], "project", machine) == inner
    (project / "opencode.jsonc").touch()
    assert file_of(CLIENTS["opencode"], "project", machine) == project / "opencode.jsonc"


def test_a_client_is_here_by_its_program_or_its_files(person: Path, project: Path) -> None:
    there = person / "bin"
    there.mkdir()
    machine = Machine(
        environment={"HOME": str(person), "PATH": str(there)}, platform="linux", folder=project
    )
    assert not any(is_here(one, machine) for one in CLIENTS.values())
    for name in ("codex", "zeditor"):
        (there / name).write_text("")
        (there / name).chmod(0o755)
    (person / ".cursor").mkdir()
    (person / ".claude.json").touch()
    found = {one.name for one in CLIENTS.values() if is_here(one, machine)}
    assert found == {"codex", "zed", "cursor", "claude-code"}
