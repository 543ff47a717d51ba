"""Which program wrote what a person names, told by the names of its files and how they begin."""

import re
from typing import Literal

from skill_agent.errors import UsageError
from skill_agent.values import PastSource

from .readers import chatgpt
from .tree import Tree, beginning, below

Detected = PastSource | Literal["jsonl"]
_HINT = "say whose it is: --from chatgpt|claude|claude-code|mem0|letta|markdown|obsidian|jsonl"


def detect(tree: Tree, path: str) -> Detected:
    """A single file that nobody else writes is taken for JSON lines; raises UsageError for a folder
    or zip of which it cannot be told."""
    talks = [one for one in tree.names if chatgpt.FILES.fullmatch(below(one))]
    if talks and (found := _conversations(beginning(tree, talks[0]))):
        return found
    if len(tree.names) == 1 and (found := _single(tree, tree.names[0])):
        return found
    if not tree.packed:
        return "jsonl"
    if tree.vault:
        return "obsidian"
    if any(below(one) in ("memories.json", "projects.json") for one in tree.names):
        return "claude"
    rows = [one for one in tree.names if one.endswith(".jsonl")]
    if any(_is_session(beginning(tree, one)) for one in rows[:5]):
        return "claude-code"
    for ends, source in ((".md", "markdown"), (".af", "letta")):
        if any(one.lower().endswith(ends) for one in tree.names):
            return source  # type: ignore[return-value]
    raise UsageError(f"cannot tell which program {path} comes from", hint=_HINT)


def _single(tree: Tree, name: str) -> Detected | None:
    begins = beginning(tree, name)
    if name.endswith(".jsonl"):
        return "claude-code" if _is_session(begins) else "jsonl"
    if name.endswith(".af"):
        return "letta"
    if name.endswith((".md", ".markdown")):
        return "markdown"
    if found := _conversations(begins):
        return found
    if _has(begins, "conversations_memory"):
        return "claude"
    if _has(begins, "core_memory") or (_has(begins, "agents") and _has(begins, "llm_config")):
        return "letta"
    if re.match(rb"\s*(?:\{\s*\"(?:results|memories)\"\s*:\s*)?\[", begins):
        return "mem0" if _has(begins, "memory") else None
    return None


def _conversations(begins: bytes) -> PastSource | None:
    if _has(begins, "chat_messages"):
        return "claude"
    return "chatgpt" if _has(begins, "mapping") else None


def _is_session(begins: bytes) -> bool:
    return _has(begins, "sessionId") or _has(begins, "leafUuid") or _has(begins, "parentUuid")


def _has(begins: bytes, key: str) -> bool:
    return re.search(rb'"%s"\s*:' % key.encode(), begins) is not None
