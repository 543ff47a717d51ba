"""Claude Code's sessions, `~/.claude/projects/PROJECT/SESSION.jsonl`: one event a line.

What the person and Claude said to one another comes in; what tools gave, what agents beside the
session did and what the program itself put into the person's mouth does not.
"""

import re
from pathlib import PurePosixPath
from typing import Any

from skill_agent.errors import UsageError
from skill_agent.memory.row_lines import lines as lines_of

from ..decoding import blocks, decoded, listed, mapping, moment, text, zone
from ..found import Items, LeftOut, Line, Talk
from ..sections import sections
from ..tree import Tree, below

_PROGRAM = re.compile(
    r"\s*<(?:command|local-command|bash|system|task|user-prompt|ide|user-memory)[\w-]*>"
)
_NOT_SAID = ("isMeta", "isCompactSummary", "isVisibleInTranscriptOnly")
_TITLES = {"summary": "summary", "custom-title": "customTitle", "ai-title": "aiTitle"}
_BESIDE = "sessions and lines of agents beside"


def read(tree: Tree, left: LeftOut) -> Items:
    """Each file is a conversation; a line that cannot be read is told and left out."""
    seen = set[str]()
    for name in tree.names:
        if name.endswith(".md"):
            yield from _instructions(tree, name)
        elif not name.endswith(".jsonl") or below(name) == "history.jsonl":
            continue
        elif below(name).startswith("agent-") or "subagents" in PurePosixPath(name).parts:
            left.count(_BESIDE)
        elif talk := _session(tree, name, seen, left):
            yield talk


def _instructions(tree: Tree, name: str) -> Items:
    """CLAUDE.md, and what Claude Code noted for itself."""
    if below(name) != "CLAUDE.md" and "memory" not in PurePosixPath(name).parts[:-1]:
        return
    with tree.open(name) as stream:
        said = stream.read(1024**2).decode("utf-8", "replace")
    at, more = tree.changed_at(name), {"note": name}
    yield from sections(text(said), of=name, title=below(name), at=at, metadata=more)


def _session(tree: Tree, name: str, seen: set[str], left: LeftOut) -> Talk | None:
    """A session that goes on from another repeats its lines: each is taken where it is first."""
    said, titles = list[Line](), dict[str, str]()
    with tree.open(name) as stream:
        for number, raw in lines_of(stream):
            if not raw.strip():
                continue
            try:
                row = mapping(decoded(raw))
            except UsageError as error:
                left.problem("lines that cannot be read", f"{name}:{number}", error.message)
                continue
            kind = text(row.get("type"))
            if kind in _TITLES:
                titles[kind] = text(row.get(_TITLES[kind])) or titles.get(kind, "")
            elif kind in ("user", "assistant") and (line := _line(row, number, left)):
                if line.id in seen:
                    left.count("lines of a session that another one goes on from")
                    continue
                seen.add(line.id)
                said.append(line)
    if not said:
        return None
    title = titles.get("custom-title") or titles.get("ai-title") or titles.get("summary", "")
    return Talk(id=PurePosixPath(name).stem, title=title, lines=tuple(said), at=said[0].at)


def _line(row: dict[str, Any], number: int, left: LeftOut) -> Line | None:
    if row.get("isSidechain") is True:
        left.count(_BESIDE)
        return None
    if any(row.get(one) is True for one in _NOT_SAID):
        return None
    message = mapping(row.get("message"))
    content = message.get("content")
    kinds = [mapping(one).get("type") for one in listed(content)]
    left.count("calls of tools and their results", sum(str(one)[:5] == "tool_" for one in kinds))
    left.count("pictures and files", sum(one in ("image", "document") for one in kinds))
    said = blocks(content)
    if not said.strip() or (row["type"] == "user" and _PROGRAM.match(said)):
        return None
    at = row.get("timestamp")
    return Line(
        id=text(row.get("uuid")) or f"{number}:{said[:80]}",
        role="user" if row["type"] == "user" else "assistant",
        text=said,
        at=moment(at),
        zone=zone(at),
    )
