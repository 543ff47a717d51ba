"""Servers in config.toml as text in, text out; comments and layout stay as the person left them.

Nothing is validated here but that nothing else changed: whoever writes the text reads it first.
"""

import re
import tomllib
from typing import Any

from skill_agent.errors import UsageError
from skill_agent.settings.schema import McpServer
from skill_agent.settings.template import toml_value

_HEADER = re.compile(r"\s*\[")


def block(name: str, server: McpServer) -> str:
    """The table of one server, without what is as it is by itself."""
    said = server.model_dump(exclude_defaults=True)
    lines = [f"{key} = {toml_value(value)}" for key, value in said.items()]
    return "\n".join((f"[mcp.servers.{name}]", *lines)) + "\n"


def with_server(text: str, name: str, server: McpServer) -> str:
    """The text with the server's table at its end, in the place of one it has by that name."""
    before = without_server(text, name) if _servers(_read(text)).get(name) is not None else text
    after = f"{before.rstrip()}\n\n{block(name, server)}".lstrip()
    wanted = _servers(_read(before)) | {name: server.model_dump(mode="json", exclude_defaults=True)}
    return _checked(before, after, wanted)


def without_server(text: str, name: str) -> str:
    """The text without the server's tables, and nothing else changed."""
    header = re.compile(
        rf"""\s*\[\s*mcp\s*\.\s*servers\s*\.\s*["']?{re.escape(name)}["']?\s*[.\]]"""
    )
    kept: list[str] = []
    held: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        if _HEADER.match(line):
            inside = bool(header.match(line))
            # What stands right above the next table is said of that one.
            kept += [] if inside else held
            held = []
        if not inside:
            kept.append(line)
        elif line.strip().startswith("#"):
            held.append(line)
        else:
            held = []
    after = re.sub(r"\n{3,}", "\n\n", "".join(kept)).rstrip() + "\n"
    wanted = {key: value for key, value in _servers(_read(text)).items() if key != name}
    return _checked(text, after, wanted)


def _checked(before: str, after: str, wanted: dict[str, Any]) -> str:
    try:
        there, now = _read(before), _read(after)
        if _servers(now) == wanted and _rest(there) == _rest(now):
            return after
    except tomllib.TOMLDecodeError:
        pass
    raise UsageError(
        "config.toml is laid out in a way that cannot be edited by command",
        hint="edit [mcp.servers.NAME] in the file itself: ska config path",
    )


def _read(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _servers(document: dict[str, Any]) -> dict[str, Any]:
    return document.get("mcp", {}).get("servers", {})


def _rest(document: dict[str, Any]) -> dict[str, Any]:
    mcp = {key: value for key, value in document.get("mcp", {}).items() if key != "servers"}
    others = {key: value for key, value in document.items() if key != "mcp"}
    return {**others, "mcp": mcp}
