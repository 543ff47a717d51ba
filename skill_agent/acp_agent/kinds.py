"""What an editor draws beside a tool call: the protocol's kinds, by what a tool is called."""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from acp.schema import ToolKind

from skill_agent.text.shaping import one_line

from .texts import shown

_OURS: Mapping[str, ToolKind] = MappingProxyType(
    {
        "http_get": "fetch",
        "search_memory": "search",
        "remember": "edit",
        "activate_skill": "read",
        "read_skill_file": "read",
        "check_task_status": "read",
        "get_agent_inbox": "read",
        "find_tool": "search",
    }
)
_WORDS: tuple[tuple[ToolKind, frozenset[str]], ...] = (
    ("delete", frozenset({"delete", "remove", "unlink", "rm"})),
    ("move", frozenset({"move", "rename", "mv"})),
    ("edit", frozenset({"edit", "write", "patch", "create", "update", "apply"})),
    ("execute", frozenset({"execute", "exec", "run", "bash", "shell", "terminal", "command"})),
    ("search", frozenset({"search", "find", "grep", "glob", "query"})),
    ("fetch", frozenset({"fetch", "download", "http", "web", "browse"})),
    ("read", frozenset({"read", "get", "list", "show", "view", "cat"})),
)
_LONGEST_TITLE = 120


def kind_of(tool: str) -> ToolKind:
    """Ours by name, others' by the words in theirs."""
    if tool in _OURS:
        return _OURS[tool]
    words = set(re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", tool).lower()))
    for kind, known in _WORDS:
        if words & known:
            return kind
    return "other"


def title_of(tool: str, arguments: Mapping[str, Any]) -> str:
    """One line: the tool, and what it is given."""
    values = [
        one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, default=str)
        for one in arguments.values()
    ]
    return one_line(
        shown(" ".join([tool, *(one[:_LONGEST_TITLE] for one in values)])), _LONGEST_TITLE
    )
