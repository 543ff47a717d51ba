"""ChatGPT's export: `conversations.json`, in large ones `conversations-000.json` and so on.

Each conversation is a tree of messages (`mapping`), for a person may edit what they said and have
replies made again; the branch that was last shown ends in `current_node`. What they saved as
memories or wrote about themselves stands in messages that are not shown.
"""

import re
from collections.abc import Iterator
from typing import Any

from skill_agent.errors import UsageError

from ..decoding import decoded, listed, mapping, moment, rows_of, text
from ..found import Fact, Items, LeftOut, Line, Talk
from ..tree import Tree, below

FILES = re.compile(r"conversations(?:[-_]\d+)?\.json")
_HIDDEN = "is_visually_hidden_from_conversation"
_FENCED = re.compile(r"```(.*?)```", re.DOTALL)
_SAVED = re.compile(r"^\s*\d+\.\s*\[(\d{4}-\d\d-\d\d)\]\.?\s*(\S.*)$")
_UNREAD = "conversations that cannot be read"


def read(tree: Tree, left: LeftOut) -> Items:
    """Raises UsageError where a file of conversations is not whole."""
    told = set[str]()
    names = [one for one in tree.names if FILES.fullmatch(below(one))] or [
        one for one in tree.names if one.endswith(".json")
    ]
    for name in names:
        with tree.open(name) as stream:
            for number, raw in rows_of(stream, name):
                try:
                    yield from _conversation(mapping(decoded(raw)), told, left)
                except UsageError as error:
                    left.problem(_UNREAD, f"{name}, conversation {number}", error.message)


def _conversation(row: dict[str, Any], told: set[str], left: LeftOut) -> Items:
    name = text(row.get("conversation_id")) or text(row.get("id"))
    nodes = row.get("mapping")
    if not isinstance(nodes, dict):
        raise UsageError("it has no mapping of messages")
    lines = list[Line]()
    for key, message in _branch(row, nodes):
        for fact in _facts(message):
            if fact.text not in told:
                told.add(fact.text)
                yield fact
        if line := _line(key, message, left):
            lines.append(line)
    if not lines:
        left.count("conversations nobody said anything in")
        return
    at = moment(row.get("create_time"))
    yield Talk(
        id=name or f"{row.get('title')}:{row.get('create_time')}",
        title=text(row.get("title")),
        lines=tuple(lines),
        at=at,
    )


def _branch(row: dict[str, Any], nodes: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The messages from the beginning to the node last shown; where that is not told, to the
    newest one."""
    key = row.get("current_node")
    if not isinstance(key, str) or key not in nodes:
        key = max(nodes, key=lambda one: _time(nodes[one]), default=None)
    found, seen = list[tuple[str, dict[str, Any]]](), set[str]()
    while isinstance(key, str) and key in nodes and key not in seen:
        seen.add(key)
        node = mapping(nodes[key])
        if isinstance(message := node.get("message"), dict):
            found.append((key, message))
        key = node.get("parent")
    return found[::-1]


def _time(node: object) -> float:
    at = moment(mapping(mapping(node).get("message")).get("create_time"))
    return at.timestamp() if at else 0.0


def _line(key: str, message: dict[str, Any], left: LeftOut) -> Line | None:
    """What was shown of a message; None for what was not said by either side."""
    role = mapping(message.get("author")).get("role")
    content = mapping(message.get("content"))
    kind = content.get("content_type")
    if role not in ("user", "assistant"):
        if role != "system":
            left.count("messages of tools" if role == "tool" else "messages of an unknown role")
        return None
    if mapping(message.get("metadata")).get(_HIDDEN) is True or kind in (
        "user_editable_context", "model_editable_context",
    ):  # fmt: skip
        return None
    if message.get("recipient") not in (None, "all") or kind not in ("text", "multimodal_text"):
        left.count("thoughts and calls of tools")
        return None
    said = "\n\n".join(filter(str.strip, _parts(content, left)))
    if not said.strip():
        return None
    return Line(
        id=text(message.get("id")) or key,
        role="user" if role == "user" else "assistant",
        text=said,
        at=moment(message.get("create_time")),
    )


def _parts(content: dict[str, Any], left: LeftOut) -> Iterator[str]:
    for part in listed(content.get("parts")):
        if isinstance(part, str):
            yield text(part)
        elif said := text(mapping(part).get("text")):  # what was spoken, written down
            yield said
        else:
            left.count("pictures and files")


def _facts(message: dict[str, Any]) -> Iterator[Fact]:
    """What was saved as memories, and what the person wrote about themselves for every talk."""
    content, at = mapping(message.get("content")), moment(message.get("create_time"))
    match content.get("content_type"):
        case "user_editable_context":
            for key in ("user_profile", "user_instructions"):
                if said := _unwrapped(text(content.get(key))):
                    yield Fact(id=said, text=said, at=at, metadata={"kind": key})
        case "model_editable_context":
            for line in text(content.get("model_set_context")).splitlines():
                if found := _SAVED.match(line):
                    said = found[2].strip()
                    yield Fact(id=said, text=said, at=moment(found[1]), metadata={"kind": "saved"})
        case _ if message.get("recipient") == "bio":
            if said := "\n".join(filter(None, map(text, listed(content.get("parts"))))).strip():
                yield Fact(id=said, text=said, at=at, metadata={"kind": "saved"})


def _unwrapped(said: str) -> str:
    """Without the sentences that hand it to the model."""
    return (found[1] if (found := _FENCED.search(said)) else said).strip()
