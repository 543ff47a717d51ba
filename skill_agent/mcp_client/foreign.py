"""Servers as other programs' settings name them: the widely used `mcpServers`, and its relatives.

No value of a variable is taken over: what looks like a secret is not even repeated.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skill_agent.errors import UsageError
from skill_agent.settings.schema import McpServer
from skill_agent.text.printing import printable
from skill_agent.text.redaction import masked
from skill_agent.text.secrets.credentials import secrets_in
from skill_agent.text.shaping import one_line

ROOTS = ("mcpServers", "servers", "context_servers")
"""Claude, Cursor, Gemini and others; VS Code; Zed."""
_VARIABLE = re.compile(r"\$(?:\{(?:env:)?([A-Za-z_]\w*)(?::-[^}]*)?\}|([A-Za-z_]\w*))")
_NAME = re.compile(r"[A-Za-z_]\w*")
_NO_SECRET = re.compile(
    r"(?i)true|false|yes|no|on|off|\d{1,6}|debug|info|warn(ing)?|error|https?://\S+|/\S*"
)
_HARMLESS = re.compile(r"[\w .:/-]*")
"""What a shell takes within quotes as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A server somebody else's file names."""

    name: str
    server: McpServer | None = None
    refused: str = ""
    """Why it cannot be taken over; empty where it can."""
    exports: tuple[str, ...] = ()
    """What is to be set where the host runs, as a shell takes it."""


def servers_in(document: Any, file: str) -> list[Foreign]:
    """Those of a document; raises UsageError where it names none."""
    found: Any = document if isinstance(document, dict) else {}
    for root in ROOTS:
        if isinstance(table := found.get(root), dict):
            return [_taken(str(name), entry) for name, entry in table.items()]
    raise UsageError(
        f"{file} names no servers", hint=f"expected an object under one of: {', '.join(ROOTS)}"
    )


def plain_name(name: str) -> str:
    """A name as config.toml takes it; may be empty."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:32]


def _taken(said: str, entry: Any) -> Foreign:
    name = plain_name(said)
    shown = name or one_line(printable(said[:100]), 40)
    if not name:
        return Foreign(name=shown, refused="its name has no letter or digit")
    if not isinstance(entry, Mapping):
        return Foreign(name=shown, refused="expected an object")
    try:
        return _read(name, dict(entry))
    except ValueError as problem:
        return Foreign(name=shown, refused=one_line(masked(printable(str(problem)[:600])), 200))


def _read(name: str, entry: dict[str, Any]) -> Foreign:
    if entry.get("type") == "sse" or entry.get("transport") == "sse":
        raise ValueError("it speaks SSE, the way before streamable HTTP, which is not supported")
    exports: dict[str, str] = {}
    url = entry.get("httpUrl") or entry.get("url") or entry.get("serverUrl") or ""
    if url:
        held = _texts(entry.get("headers"), "headers")
        headers = {key: _header(name, key, text, exports) for key, text in held.items()}
        server = McpServer(url=_open(url, "url"), headers=headers)
    else:
        command = entry.get("command", "")
        words = list(command) if isinstance(command, list) else [command]
        words += entry.get("args") or []
        words = [_open(word, "args") for word in words if word != ""]
        if not words:
            raise ValueError("it names neither command nor url")
        held = _texts(entry.get("env"), "env")
        env = tuple(_variable(key, text, exports) for key, text in held.items())
        cwd = _open(entry.get("cwd") or "", "cwd")
        server = McpServer(command=words[0], args=tuple(words[1:]), env=env, cwd=cwd)
    told = tuple(f"export {key}={value}" for key, value in exports.items())
    return Foreign(name=name, server=server, exports=told)


def _texts(table: Any, key: str) -> dict[str, str]:
    if table is None:
        return {}
    if not isinstance(table, Mapping):
        raise ValueError(f"{key}: expected an object")
    return {str(name): str(value) for name, value in table.items()}


def _open(text: Any, key: str) -> str:
    """A text that stands in the file as it is: raises ValueError where it holds a secret, or a
    variable, which nothing fills in."""
    if not isinstance(text, str):
        raise ValueError(f"{key}: expected text")
    if any(True for _ in secrets_in(text)):
        raise ValueError(f"{key} holds what looks like a secret; give it as a variable in env")
    if _VARIABLE.search(text):
        raise ValueError(f"{key} holds a variable, which is not filled in here")
    return text


def _variable(name: str, value: str, exports: dict[str, str]) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"env: {name!r} is no name of a variable")
    if not (value == "" or _stands_for(value, name)):
        exports[name] = _shown(name, value)
    return name


def _header(server: str, header: str, value: str, exports: dict[str, str]) -> str:
    """The variable that holds the whole value."""
    if (found := _VARIABLE.fullmatch(value)) is not None:
        return found[1] or found[2]
    variable = re.sub(r"\W", "_", f"{server}_{header}".upper())
    variable = variable if variable[:1].isalpha() else f"MCP_{variable}"
    exports[variable] = _shown(variable, value, header=True)
    return variable


def _stands_for(value: str, name: str) -> bool:
    found = _VARIABLE.fullmatch(value)
    return found is not None and name in (found[1], found[2])


def _shown(name: str, value: str, *, header: bool = False) -> str:
    """The value for a shell where it is plainly no secret; a variable of another name is passed on
    as such."""
    if _VARIABLE.search(value) and "input:" not in value:
        rest = _VARIABLE.sub("", value)
        if _HARMLESS.fullmatch(rest) and not any(True for _ in secrets_in(f"{name}={rest}")):
            return '"' + _VARIABLE.sub(lambda one: f"${{{one[1] or one[2]}}}", value) + '"'
    plain = _NO_SECRET.fullmatch(value) and not any(True for _ in secrets_in(f"{name}={value}"))
    return shlex.quote(value) if plain and not header else "…  # its value was not taken over"
