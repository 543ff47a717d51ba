"""A server's tools as agents may be offered them, and which of them an agent may use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from skill_agent.mcp_client.calls import FoundTool

from .borrowed import Sound, made_sound
from .naming import LONGEST_RAW, offered_as


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A server's tools as they were found, made sound."""

    found: list[FoundTool]
    tools: tuple[Sound, ...]


def may_use(allowed: Sequence[str], server: str, tool: str) -> bool:
    """Whether an agent's settings let it use a tool: `github`, `files:read_*`."""
    for one in allowed:
        name, colon, pattern = one.partition(":")
        if name.strip() == server and (not colon or fnmatchcase(tool, pattern.strip())):
            return True
    return False


def all_sound(found: Sequence[FoundTool], before: Mapping[str, Sound]) -> tuple[Sound, ...]:
    """A server's tools in its order, each with a name of its own; blocking."""
    taken: set[str] = set()
    raw: set[str] = set()
    tools: list[Sound] = []
    for one in found:
        name = offered_as(one.server, one.name, taken)
        same = before.get(one.digest)
        tool = same if same and same.name == name else made_sound(one, name)
        if problem := _unnamed(one, raw, taken, name):
            tool = Sound(found=one, name=name, problem=problem)
        taken.add(name)
        raw.add(one.name)
        tools.append(tool)
    return tuple(tools)


def _unnamed(one: FoundTool, raw: set[str], taken: set[str], name: str) -> str:
    """Why a tool's name keeps it from being offered."""
    if not one.name.strip():
        return "it has no name"
    if len(one.name) > LONGEST_RAW:
        return f"its name is longer than {LONGEST_RAW} characters"
    if one.name in raw or name in taken:
        return "another tool of the server has its name"
    return ""
