"""Every operation of the workstation and its desks as a method that sends it as it is.

What is different about an operation stands in `window`; nothing here knows what comes of a call.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from skill_agent.memory.exchange import Exchange, Memories

from .. import wire
from ..ports import ImportResult
from ..route import Operation
from ..values import Memory
from ..workstation import GROUPS, table
from . import calls
from .calls import Arguments

OPERATIONS = {operation.id: operation for operation in table()}
MOST_BYTES = 4 * 1024 * 1024
"""Of memories sent with one request."""


class Caller(Protocol):
    """What carries operations out; a window."""

    async def call(self, operation: Operation, arguments: Arguments) -> Any: ...


def sent(name: str, caller_of: Callable[[Any], Caller] = lambda caller: caller) -> Any:
    """The operation as a method of what leads to a caller."""
    operation = OPERATIONS[name]

    async def called(self: Any, *args: Any, **named: Any) -> Any:
        return await caller_of(self).call(operation, calls.bound(operation, *args, **named))

    called.__name__, called.__doc__ = operation.name, operation.function.__doc__
    return called


class Sent:
    """The workstation's own operations."""

    info = sent("info")
    tasks = sent("tasks")
    task = sent("task")
    cancel = sent("cancel")
    answer = sent("answer")
    rules = sent("rules")
    revoke_rule = sent("revoke_rule")
    agents = sent("agents")
    new_agent = sent("new_agent")
    agent = sent("agent")
    set_agent_status = sent("set_agent_status")
    clone_agent = sent("clone_agent")
    wake = sent("wake")
    prepare = sent("prepare")
    model_info = sent("model_info")
    export_agents = sent("export_agents")
    skills = sent("skills")
    models = sent("models")
    try_model = sent("try_model")
    sessions = sent("sessions")
    find_session = sent("find_session")
    messages = sent("messages")
    rename_session = sent("rename_session")
    delete_session = sent("delete_session")
    set_session_agent = sent("set_session_agent")
    compactions = sent("compactions")
    compact = sent("compact")
    search_messages = sent("search_messages")
    messages_by_id = sent("messages_by_id")
    extract = sent("extract")
    usage = sent("usage")
    counts = sent("counts")
    warnings = sent("warnings")
    note_written = sent("note_written")


class _Desk:
    """A group of operations."""

    def __init__(self, caller: Caller, user: str) -> None:
        """`user` is whose memories rows without a name are."""
        self._caller, self._user = caller, user


class _MemoryDesk(_Desk, Exchange):
    """Rows are read and written in this process."""

    def __init__(self, caller: Caller, user: str) -> None:
        super().__init__(caller, user)
        self._clock = lambda: datetime.now(UTC)

    async def keep(self, memories: Memories, *, actor: str = "import") -> ImportResult:
        """As the operation, in as many requests as it takes."""
        added, skipped, conflicts = 0, 0, ()
        for portion in _portions(memories):
            named = {"memories": portion, "actor": actor}
            done: ImportResult = await self._caller.call(OPERATIONS["memory.keep"], named)
            added, skipped = added + done.added, skipped + done.skipped
            conflicts += done.conflicts
        return ImportResult(added=added, skipped=skipped, conflicts=conflicts)


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


def _desk_kind(group: str) -> type:
    """The class of a group, with a method for each of its operations that has none of its own."""
    kind = _MemoryDesk if group == "memory" else _Desk
    methods = {
        one.name: sent(one.id, lambda desk: desk._caller)
        for one in OPERATIONS.values()
        if one.group == group and one.name not in vars(kind)
    }
    return type(GROUPS[group].__name__, (kind,), methods)


_KINDS = {group: _desk_kind(group) for group in GROUPS}


def desks(caller: Caller, user: str) -> dict[str, Any]:
    """Every group by its name."""
    return {group: kind(caller, user) for group, kind in _KINDS.items()}
