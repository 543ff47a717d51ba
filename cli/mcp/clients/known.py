"""The clients that are known: what each calls its servers, and how it writes one.

From each one's own documentation; where its files lie is `places`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from skill_agent.errors import NotFound
from skill_agent.text.nearest import did_you_mean

Scope = Literal["user", "project"]
SCOPES: tuple[Scope, ...] = ("user", "project")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program that starts MCP servers."""

    name: str
    title: str
    container: tuple[str, ...]
    """Under which keys its file names the servers."""
    form: Literal["json", "toml"] = "json"
    one_list: bool = False
    """The program and its arguments are one list, instead of two members."""
    first: Mapping[str, Any] = field(default_factory=dict)
    """Members of an entry before the command."""
    last: Mapping[str, Any] = field(default_factory=dict)
    """Members behind it."""
    programs: tuple[str, ...]
    """What it is called on PATH."""
    replaces: tuple[str, ...] = ()
    """Beginnings of what it replaces in a command: a variable, a file."""
    then: str
    """What the person does next."""
    project: str
    """What else it takes before it reads a project's file."""

    def entry(self, words: Sequence[str]) -> dict[str, Any]:
        """A server that is started with these words."""
        command: dict[str, Any] = (
            {"command": list(words)}
            if self.one_list
            else {"command": words[0], "args": list(words[1:])}
        )
        return {**self.first, **command, **self.last}

    def container_in(self, document: Any) -> tuple[str, ...]:
        """Where the servers stand in a document: OpenCode 2 has them one level deeper, and reads
        the older form as well, which alone both versions read."""
        if self.name != "opencode" or not isinstance(document, dict):
            return self.container
        section = document.get("mcp")
        servers = section.get("servers") if isinstance(section, dict) else None
        nested = isinstance(servers, dict) and not isinstance(servers.get("type"), str)
        return ("mcp", "servers") if nested else self.container


def words_of(entry: Any) -> tuple[str, ...]:
    """The command of an entry of any client; empty where there is none."""
    if not isinstance(entry, dict):
        return ()
    command, arguments = entry.get("command"), entry.get("args", [])
    if not isinstance(arguments, list):
        return ()
    words = [*(command if isinstance(command, list) else [command]), *arguments]
    texts = tuple(word for word in words if isinstance(word, str))
    return texts if len(texts) == len(words) and texts[:1] != ("",) else ()


def switched_off(entry: Any) -> bool:
    """Whether the client is told not to start it."""
    if not isinstance(entry, dict):
        return False
    return entry.get("enabled") is False or entry.get("disabled") is True


def client_named(name: str) -> Client:
    """The client of this name; raises NotFound with the nearest."""
    if name in CLIENTS:
        return CLIENTS[name]
    near = did_you_mean(name, CLIENTS)
    raise NotFound(
        f"there is no client {name!r} that could be set up from here",
        hint=near or f"one of {', '.join(CLIENTS)}",
    )


CLIENTS: Mapping[str, Client] = MappingProxyType(
    {
        one.name: one
        for one in (
            Client(
                name="claude-code",
                title="Claude Code",
                container=("mcpServers",),
                first={"type": "stdio"},
                programs=("claude",),
                replaces=("${",),
                then="start a new session of Claude Code; /mcp shows the server",
                project="Claude Code asks once whether this project's servers may be used",
            ),
            Client(
                name="codex",
                title="Codex",
                container=("mcp_servers",),
                form="toml",
                programs=("codex",),
                then="start Codex anew; /mcp shows the server",
                project="Codex reads this file only in a project that it trusts",
            ),
            Client(
                name="opencode",
                title="OpenCode",
                container=("mcp",),
                one_list=True,
                first={"type": "local"},
                programs=("opencode",),
                replaces=("{env:", "{file:"),
                then="start OpenCode anew; `opencode mcp list` shows the server",
                project="OpenCode reads it when it is started in this folder or below",
            ),
            Client(
                name="gemini",
                title="Gemini CLI",
                container=("mcpServers",),
                programs=("gemini",),
                replaces=("$",),
                then="start Gemini CLI anew in a folder it trusts; /mcp shows the server",
                project="Gemini CLI reads it only in a folder that it trusts",
            ),
            Client(
                name="cursor",
                title="Cursor",
                container=("mcpServers",),
                first={"type": "stdio"},
                programs=("cursor", "cursor-agent"),
                replaces=("${",),
                then="see that the server is switched on in Cursor's settings, under MCP",
                project="Cursor may ask whether this project's servers may be used",
            ),
            Client(
                name="vscode",
                title="VS Code",
                container=("servers",),
                first={"type": "stdio"},
                programs=("code",),
                replaces=("${",),
                then="run `MCP: List Servers` in VS Code; it asks whether you trust the server",
                project="VS Code starts it only in a trusted workspace opened at this folder",
            ),
            Client(
                name="zed",
                title="Zed",
                container=("context_servers",),
                last={"env": {}},
                programs=("zed", "zeditor", "zedit"),
                then="Zed starts it at once; its agent settings show the server",
                project="Zed starts it only once this folder is trusted",
            ),
        )
    }
)
