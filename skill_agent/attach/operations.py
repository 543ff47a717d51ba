"""Every group of operations as an object whose methods send them as they are.

What is different about an operation stands here or in `turns`; nothing knows what comes of a call.
"""

from datetime import UTC, datetime
from typing import Any, Protocol

from skill_agent.memory.exchange import Exchange, Memories
from skill_agent.values import ImportPlan, ImportResult, Memory
from skill_agent.workstation import GROUPS, Operation, table, wire

from . import calls
from .calls import Arguments

OPERATIONS = {operation.id: operation for operation in table()}
MOST_BYTES = 4 * 1024 * 1024
"""Of memories sent with one request."""


class Caller(Protocol):
    """What carries operations out; a workstation."""

    async def call(self, operation: Operation, arguments: Arguments) -> Any: ...


def sent(operation: Operation) -> Any:
    """The operation as a method of a group."""

    async def called(self: "RemoteGroup", *args: Any, **named: Any) -> Any:
        return await self._caller.call(operation, calls.bound(operation, *args, **named))

    called.__name__, called.__doc__ = operation.name, operation.function.__doc__
    return called


class RemoteGroup:
    """A group of operations."""

    def __init__(self, caller: Caller, user: str) -> None:
        """`user` is whose memories rows without a name are."""
        self._caller, self._user = caller, user


class _MemoryGroup(RemoteGroup, Exchange):
    """Rows are read and written in this process."""

    def __init__(self, caller: Caller, user: str) -> None:
        super().__init__(caller, user)
        self._clock = lambda: datetime.now(UTC)

    async def keep(self, memories: Memories, *, actor: str = "import") -> ImportResult:
        """As the operation, in as many requests as it takes."""
        added, skipped, demoted, conflicts = 0, 0, 0, ()
        for portion in _portions(memories):
            named = {"memories": portion, "actor": actor}
            done: ImportResult = await self._caller.call(OPERATIONS["memory.keep"], named)
            added, skipped = added + done.added, skipped + done.skipped
            demoted, conflicts = demoted + done.demoted, conflicts + done.conflicts
        return ImportResult(added=added, skipped=skipped, conflicts=conflicts, demoted=demoted)

    async def plan_import(self, memories: Memories) -> ImportPlan:
        """As the operation, in as many requests as it takes."""
        plan = ImportPlan()
        for portion in _portions(memories):
            named = {"memories": portion}
            told: ImportPlan = await self._caller.call(OPERATIONS["memory.plan_import"], named)
            plan = told.plus(plan)
        return plan


def _portions(memories: Memories) -> list[Memories]:
    portions: list[list[Memory]] = [[]]
    left = MOST_BYTES
    for memory in memories:
        size = len(wire.encode(memory))
        if size > left and portions[-1]:
            portions.append([])
            left = MOST_BYTES
        portions[-1].append(memory)
        left -= size
    return portions


def kind_of(group: str, base: type) -> type:
    """The class of a group, with a method for each of its operations that has none of its own."""
    methods = {
        one.name: sent(one)
        for one in OPERATIONS.values()
        if one.group == group and one.name not in vars(base)
    }
    return type(f"Remote{GROUPS[group].__name__}", (base,), methods)


_KINDS = {
    group: kind_of(group, _MemoryGroup if group == "memory" else RemoteGroup)
    for group in GROUPS
    if group != "turns"
}


def remote_groups(caller: Caller, user: str) -> dict[str, Any]:
    """Every group by its name, but for the turns, whose events a listener follows."""
    return {group: kind(caller, user) for group, kind in _KINDS.items()}
