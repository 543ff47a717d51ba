"""Under which names tools of servers are offered, and what stands for them in rules."""

import re
from collections.abc import Collection
from hashlib import sha256
from urllib.parse import quote

from skill_agent.skills.allowed import OF_TEAM, RESTRICTED, TEAM_READS, UNRESTRICTED

FIND = "find_tool"
LONGEST = 64
"""Characters of a tool's name that every provider takes."""
LONGEST_RAW = 128
"""Of a name as the server has it."""
_OURS = frozenset({*RESTRICTED, *OF_TEAM, *UNRESTRICTED, *TEAM_READS, FIND, "send_secret"})
_SKILL = "skill_"
_MARK = 8


def offered_as(server: str, tool: str, taken: Collection[str] = ()) -> str:
    """`SERVER_TOOL` in letters that any provider takes; with a mark of its own where that is too
    long or means another tool already. The same tool always gets the same mark."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", f"{server}_{tool}")
    if plain in _OURS or plain.startswith(_SKILL):
        plain = f"mcp_{plain}"
    if len(plain) <= LONGEST and plain not in taken:
        return plain
    mark = sha256(f"{server}\0{tool}".encode("utf-8", "replace")).hexdigest()[:_MARK]
    return f"{plain[: LONGEST - _MARK - 1]}_{mark}"


def key_of(server: str, tool: str) -> str:
    """`SERVER/TOOL` as rules and notes have it: printable, without blanks, and another one for each
    tool, whatever it is called."""
    return f"{server}/{quote(tool, safe='._-~', errors='replace')}"


def words_of(name: str) -> str:
    """The words a name is made of: `createIssue`, `create_issue` → `create issue`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(re.sub(r"[^\w]|_", " ", parted).split()).lower()
