"""Letta's agent file (`.af`), of today (`agents`, `blocks`) and of before (`core_memory`).

Ids in it count within the file only, so what is known again is known by what it says.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from skill_agent.errors import UsageError

from ..decoding import blocks, listed, mapping, moment, text, texts, whole, zone
from ..found import Fact, Items, LeftOut, Line, Talk
from ..sections import sections
from ..tree import Tree

_PASSAGES = ("passages", "archival_passages", "archival_memory")


def read(tree: Tree, left: LeftOut) -> Items:
    """Raises UsageError for a file that describes no agent."""
    for name in tree.names:
        if not name.endswith((".af", ".json")):
            continue
        with tree.open(name) as stream:
            value = whole(stream, name)
        if isinstance(value, list):
            yield from _passages(value)
            continue
        agents = [mapping(one) for one in listed(mapping(value).get("agents"))] or [mapping(value)]
        known = {"blocks", "core_memory", "messages", *_PASSAGES}
        if not any({*one} & known for one in (mapping(value), *agents)):
            raise UsageError(f"{name} describes no agent of Letta's", hint="export it again")
        yield from _file(mapping(value), agents, left)


def _file(value: dict[str, Any], agents: list[dict[str, Any]], left: LeftOut) -> Items:
    whose = ", ".join(filter(None, (text(one.get("name")) for one in agents)))
    for block in (*listed(value.get("blocks")), *listed(value.get("core_memory"))):
        yield from _block(mapping(block), whose)
    for one in [value, *(agent for agent in agents if agent is not value)]:
        for key in _PASSAGES:
            yield from _passages(listed(one.get(key)))
    for agent in agents:
        if agent is not value:
            for block in (*listed(agent.get("memory_blocks")), *listed(agent.get("core_memory"))):
                yield from _block(mapping(block), whose)
        if talk := _talk(agent, left):
            yield talk


def _block(block: dict[str, Any], whose: str) -> Items:
    label = text(block.get("label"))
    more = {"letta": {"block": label, "agent": whose}}
    at = moment(block.get("created_at"))
    said = text(block.get("value"))
    yield from sections(said, of=f"{whose}/{label}", title=label, at=at, metadata=more)


def _passages(found: list[Any]) -> Iterator[Fact]:
    for row in map(mapping, found):
        if said := text(row.get("text")).strip():
            tags = texts(row.get("tags"))
            at = moment(row.get("created_at"))
            more = {"letta": {"passage": True}, **({"tags": [*tags]} if tags else {})}
            yield Fact(id=f"{at}:{said}", text=said, at=at, metadata=more)


def _talk(agent: dict[str, Any], left: LeftOut) -> Talk | None:
    lines = [line for one in listed(agent.get("messages")) if (line := _line(mapping(one), left))]
    if not lines:
        return None
    name = text(agent.get("name")) or "Letta"
    return Talk(id=f"{name}:{lines[0].id}", title=name, lines=tuple(lines), at=lines[0].at)


def _line(message: dict[str, Any], left: LeftOut) -> Line | None:
    role = message.get("role")
    if role == "user":
        said = _enveloped(blocks(message.get("content")) or text(message.get("text")))
    elif role == "assistant":
        said = _sent(message) or blocks(message.get("content")) or text(message.get("text"))
    else:
        if role != "system":
            left.count("messages of tools" if role == "tool" else "messages of an unknown role")
        return None
    if not said.strip():
        return None
    at = message.get("created_at")
    return Line(
        id=sha256(f"{role}:{at}:{said}".encode("utf-8", "replace")).hexdigest(),
        role="user" if role == "user" else "assistant",
        text=said,
        at=moment(at),
        zone=zone(at),
    )


def _enveloped(said: str) -> str:
    """A person's words stand in an object of type `user_message`; other events are no words."""
    if not said.lstrip().startswith("{"):
        return said
    event = _object(said)
    if "type" not in event:
        return said
    return text(event.get("message")) if event["type"] == "user_message" else ""


def _sent(message: dict[str, Any]) -> str:
    """What the agent said by the tool it speaks with; what it thought beside is no reply."""
    calls = [mapping(mapping(one).get("function")) for one in listed(message.get("tool_calls"))]
    said = [
        text(_object(text(one.get("arguments"))).get("message"))
        for one in calls
        if one.get("name") == "send_message"
    ]
    return "\n\n".join(filter(None, said))


def _object(said: str) -> dict[str, Any]:
    try:
        return mapping(json.loads(said))
    except (ValueError, RecursionError):
        return {}
