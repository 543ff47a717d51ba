"""A skill's `allowed-tools`: which calls run unasked while the skill is open.

The names are those of our tools, each alone or with a pattern of what it reaches, as the Agent
Skills standard writes it: `http_get(*.example.org) search_memory`. A list takes away and never
gives: what it names still asks wherever it would ask without the skill.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

RESTRICTED = ("http_get", "remember", "search_memory")
"""The tools a list can restrict. To open skills and to read their files asks by itself wherever
a skill was not approved."""
OF_TEAM = (
    "delegate_task", "request_report", "start_collaboration", "send_agent_message", "propose_job",
)  # fmt: skip
"""The same of the team's: those that have colleagues do something, or have it done later."""
UNRESTRICTED = ("activate_skill", "read_skill_file", "ask_person")
TEAM_READS = ("check_task_status", "get_agent_inbox")
OF_SERVERS = "mcp"
"""Stands for tools of other programs; a list that names none of them leaves all out."""

_MOST_NAMES = 200


def allowed_tools(value: Any) -> tuple[str, ...]:
    """Names from a list, or from text split at blanks and commas outside brackets."""
    parts = value if isinstance(value, list) else [value]
    found = (name for part in parts if isinstance(part, str) for name in _names(part))
    return tuple(dict.fromkeys(found))[:_MOST_NAMES]


def _names(text: str) -> Iterator[str]:
    """One pass over the text: what it holds must not decide how long it takes."""
    begun, within = 0, False
    last = text.rfind(")")
    for index, char in enumerate(text):
        if char == "(" and not within and index < last:
            within = True
        elif char == ")":
            within = False
        elif not within and (char.isspace() or char in ",("):
            if index > begun:
                yield text[begun:index]
            begun = index + 1
    if text[begun:]:
        yield text[begun:]


def permits(allowed: Sequence[str], rule: str) -> bool:
    """Whether such a list lets a call with this rule (`tool:what it reaches`) run unasked."""
    tool, _, reached = rule.partition(":")
    if tool == OF_SERVERS:
        return any(_means(name, reached.partition(" ")[0]) for name in allowed)
    return tool not in (*RESTRICTED, *OF_TEAM) or any(
        _matches(name, tool, reached) for name in allowed
    )


def _matches(name: str, tool: str, reached: str) -> bool:
    known, bracket, pattern = name.partition("(")
    if known != tool:
        return False
    wanted = pattern.removesuffix(")").strip().removesuffix(":*").lower()
    return not bracket or fnmatchcase(reached.lower(), wanted)


def _means(name: str, reached: str) -> bool:
    """Whether a name stands for a server's tool (`SERVER/TOOL`): as agents are offered it, as it is
    written elsewhere (`mcp__SERVER__TOOL`, `mcp__SERVER`), or `mcp(SERVER/TOOL)`; with `*`."""
    server, _, tool = reached.partition("/")
    if _matches(name, OF_SERVERS, reached):
        return True
    ways = (f"{server}_{tool}", f"mcp__{server}__{tool}", f"mcp__{server}")
    return any(fnmatchcase(re.sub(r"[^A-Za-z0-9_-]", "_", one), name) for one in ways)


def unknown_tools(allowed: Iterable[str]) -> list[str]:
    """The names in a list that are no tools here."""
    known = {*RESTRICTED, *OF_TEAM, *UNRESTRICTED, *TEAM_READS, OF_SERVERS}
    return [
        name
        for name in allowed
        if name.partition("(")[0] not in known and not name.startswith(f"{OF_SERVERS}__")
    ]
