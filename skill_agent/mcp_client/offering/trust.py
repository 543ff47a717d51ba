"""How far a tool is trusted: as it was when a person first allowed it, and not one letter further.

A note for each tool holds digests and no text. A tool that is another one since asks again under a
rule of its own, which names its digest: what was allowed for good before does not cover it, and
does again should it become what it was.
"""

import asyncio
import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from skill_agent.mcp_client.calls import FoundTool
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry, ToolStanding

from .naming import key_of

KIND = "mcp.tool"
"""Of the note; its entity is `SERVER/TOOL`."""
_MOST = 50
"""Later shapes of a tool that are remembered."""
_SHOWN = 12


def parts_of(found: FoundTool) -> dict[str, str]:
    """A digest of each part that a person or a model goes by."""
    parts = {
        "title": found.title,
        "description": found.description,
        "arguments": found.parameters,
        "results": found.output_schema,
        "hints": sorted(found.hints),
    }
    return {name: _digest(value) for name, value in parts.items()}


def _digest(value: Any) -> str:
    told = json.dumps(value, sort_keys=True, default=str)
    return sha256(told.encode("utf-8", "replace")).hexdigest()[:24]


class Trust:
    """What is known of the tools of a home; read from the ledger before a turn, asked within it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, State] = {}
        self._lock = asyncio.Lock()

    async def read(self, tools: Iterable[FoundTool]) -> None:
        """Has at hand what is known of these."""
        keys = [key_of(one.server, one.name) for one in tools]
        if keys:
            self._known |= await self._ledger.projected(_TOOLS, keys)

    def standing(self, found: FoundTool) -> ToolStanding:
        """As it was when a person allowed it, another one since, or never allowed."""
        state = self._state(found)
        if not state:
            return "new"
        return "known" if found.digest in (state["first"], *state["later"]) else "changed"

    def changes(self, found: FoundTool) -> str:
        """Which parts of it are not as they were at first; "" where none is."""
        state, now = self._state(found), parts_of(found)
        if not state or found.digest == state["first"]:
            return ""
        named = [name for name, digest in now.items() if state["parts"].get(name) != digest]
        return " and ".join(filter(None, (", ".join(named[:-1]), *named[-1:]))) or "parts"

    def rule(self, found: FoundTool) -> str:
        """The rule that allows it as it is: by its name alone only while it is what it was."""
        state, key = self._state(found), key_of(found.server, found.name)
        same = not state or found.digest == state["first"]
        return f"mcp:{key}" if same else f"mcp:{key} as {found.digest[:_SHOWN]}"

    async def allowed(self, found: FoundTool) -> None:
        """A person, or a rule of theirs, let it run as it is; durable when this returns."""
        async with self._lock:
            if self.standing(found) == "known":
                return
            key = key_of(found.server, found.name)
            data = {"digest": found.digest, "parts": parts_of(found)}
            await self._ledger.note(KIND, key, actor="host", data=data)
            self._known |= await self._ledger.projected(_TOOLS, [key])

    def _state(self, found: FoundTool) -> State | None:
        return self._known.get(key_of(found.server, found.name)) or None


def _keys(row: LogEntry) -> Iterable[str]:
    return (row.entity,)


def _step(_key: str, state: State | None, row: LogEntry) -> State:
    match row.new:
        case {"digest": str() as digest, "parts": dict() as parts}:
            if not state:
                told = {name: one for name, one in parts.items() if isinstance(one, str)}
                return {"first": digest, "parts": told, "later": []}
            later = [one for one in state["later"] if one != digest]
            return {**state, "later": [*later, digest][-_MOST:]}
        case _:
            return state or {}


_TOOLS = Projection(name="mcp_tools", version=1, kinds=(KIND,), keys=_keys, step=_step)
