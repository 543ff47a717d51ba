"""What a person has in other programs, brought in behind their back: slice by slice."""

import asyncio
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from skill_agent.errors import UsageError
from skill_agent.imports.operations import ImportOperations
from skill_agent.jobs.work.kind import Errand, Kind, Outcome, wanted
from skill_agent.jobs.work.step import Step
from skill_agent.memory.operations import MemoryOperations
from skill_agent.text.checks import sound_path
from skill_agent.values import NewWork, PastRequest

_KEPT = 0.8
"""Of the whole, once all is in the ledger; the rest is making it searchable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Brought:
    path: str
    source: str
    agent: str = ""
    read: bool = True
    index: bool = True


class Import(Kind):
    """An export of another program. Each slice is on disk before the next is read, and what is here
    already is not taken twice: it goes on after the last one, also after a crash."""

    name = "import"

    def __init__(self, imports: ImportOperations, memory: MemoryOperations) -> None:
        self._imports, self._memory = imports, memory

    def is_local(self, payload: dict[str, Any]) -> bool:
        return True

    async def checked(self, new: NewWork) -> Errand:
        asked = wanted(new.payload, _Brought)
        path = await asyncio.to_thread(_place, asked.path)
        asked = replace(asked, path=str(path))
        _request(asked)
        title = f"Import {path.name} from {asked.source}"
        return Errand(title=title, payload=asdict(asked), agent=asked.agent)

    async def do(self, step: Step) -> Outcome:
        asked = wanted(step.work.payload, _Brought)
        kept = step.part(0.0, _KEPT if asked.index else 1.0)
        batch = await self._imports.bring(_request(asked), progress=kept)
        if asked.index:
            await self._memory.settle(step.part(_KEPT, 1.0))
        if batch is None:
            return Outcome(text="nothing of it is new: all of it is here already")
        return Outcome(
            text=f"{batch.conversations:,} conversations, {batch.messages:,} messages and "
            f"{batch.memories:,} memories added\n"
            f"vouch for it: ska memory confirm {batch.id}\n"
            f"take it out again: ska memory import --undo {batch.id}"
        )


def _place(path: str) -> Path:
    """Raises UsageError where nothing lies there."""
    found = Path(sound_path(path)).expanduser()
    if not found.is_absolute() or not found.exists():
        raise UsageError(f"there is no {path!r}", hint="name a file, folder or zip")
    return found


def _request(asked: _Brought) -> PastRequest:
    """Raises UsageError for a program that nobody knows."""
    told = {"path": asked.path, "source": asked.source, "agent": asked.agent, "read": asked.read}
    return wanted(told, PastRequest)
