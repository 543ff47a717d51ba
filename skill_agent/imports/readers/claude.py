"""Claude's export: `conversations.json` with `chat_messages`, memories, and projects' documents."""

import re
from collections.abc import Iterator
from typing import Any

from skill_agent.errors import UsageError

from ..decoding import blocks, decoded, listed, mapping, moment, rows_of, text, whole, zone
from ..found import Items, LeftOut, Line, Talk
from ..sections import sections
from ..tree import Tree, below

FILES = re.compile(r"conversations(?:[-_]\d+)?\.json")
_MEMORIES = re.compile(r"(?:.*/)?memories(?:\.json|/[^/]+\.json)")
_PROJECTS = re.compile(r"(?:.*/)?projects(?:\.json|/[^/]+\.json)")
_SENDERS = {"human": "user", "user": "user", "assistant": "assistant"}
_UNREAD = "conversations that cannot be read"


def read(tree: Tree, left: LeftOut) -> Items:
    """Raises UsageError where a file is not whole."""
    for name in tree.names:
        if _MEMORIES.fullmatch(name):
            yield from _memories(tree, name)
        elif _PROJECTS.fullmatch(name):
            yield from _projects(tree, name, left)
    talks = [one for one in tree.names if FILES.fullmatch(below(one))]
    single = [*tree.names] if len(tree.names) == 1 else []
    for name in talks or [one for one in single if not _MEMORIES.fullmatch(one)]:
        with tree.open(name) as stream:
            for number, raw in rows_of(stream, name):
                try:
                    if talk := _talk(mapping(decoded(raw)), left):
                        yield talk
                except UsageError as error:
                    left.problem(_UNREAD, f"{name}, conversation {number}", error.message)


def _talk(row: dict[str, Any], left: LeftOut) -> Talk | None:
    said = row.get("chat_messages")
    name = text(row.get("uuid"))
    if not isinstance(said, list) or not name:
        raise UsageError("it has no chat_messages, or no uuid")
    lines = [line for at, one in enumerate(said) if (line := _line(at, mapping(one), left))]
    if not lines:
        left.count("conversations nobody said anything in")
        return None
    at = moment(row.get("created_at"))
    return Talk(id=name, title=text(row.get("name")), lines=tuple(lines), at=at)


def _line(number: int, message: dict[str, Any], left: LeftOut) -> Line | None:
    role = _SENDERS.get(text(message.get("sender")))
    if role is None:
        left.count("messages of an unknown role")
        return None
    beside = len(listed(message.get("attachments"))) + len(listed(message.get("files")))
    left.count("pictures and files", beside)
    said = blocks(message.get("content")) or text(message.get("text"))
    if not said.strip():
        return None
    at = message.get("created_at")
    return Line(
        id=text(message.get("uuid")) or str(number),
        role="user" if role == "user" else "assistant",
        text=said,
        at=moment(at),
        zone=zone(at),
    )


def _memories(tree: Tree, name: str) -> Items:
    """What Claude keeps of all conversations, and of each project's."""
    with tree.open(name) as stream:
        value = whole(stream, name)
    at = tree.changed_at(name)
    for row in map(mapping, value if isinstance(value, list) else [value]):
        yield from sections(text(row.get("conversations_memory")), of="memory", at=at)
        for project, said in mapping(row.get("project_memories")).items():
            more = {"project": text(project)}
            yield from sections(text(said), of=f"memory of {project}", at=at, metadata=more)


def _projects(tree: Tree, name: str, left: LeftOut) -> Items:
    """The documents a person gave to a project; its instructions are for Claude and stay out."""
    with tree.open(name) as stream:
        value = whole(stream, name)
    for row in map(mapping, value if isinstance(value, list) else [value]):
        left.count("instructions of projects", bool(text(row.get("prompt_template")).strip()))
        for document in _documents(row):
            title = text(document.get("filename")) or text(row.get("name"))
            more = {"project": text(row.get("name")), "note": title}
            at = moment(document.get("created_at"))
            said = text(document.get("content"))
            yield from sections(said, of=f"{row.get('uuid')}/{title}", title=title, at=at,
                                metadata=more)  # fmt: skip


def _documents(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return map(mapping, listed(row.get("docs")))
