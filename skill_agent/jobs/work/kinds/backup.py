"""A backup of the home as background work."""

from dataclasses import asdict, dataclass
from typing import Any

from skill_agent.backups.operations import BackupOperations
from skill_agent.jobs.work.kind import Errand, Kind, Outcome, wanted
from skill_agent.jobs.work.step import Step
from skill_agent.values import NewWork


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    to: str = ""
    """A folder of this machine; empty is that of the settings."""


class MakeBackup(Kind):
    """A backup that is not encrypted: no passphrase is kept. Cut short, it begins anew, and nothing
    of the half one stays."""

    name = "backup"

    def __init__(self, backups: BackupOperations) -> None:
        self._backups = backups

    def is_local(self, payload: dict[str, Any]) -> bool:
        return bool(payload.get("to"))

    async def checked(self, new: NewWork) -> Errand:
        asked = wanted(new.payload, _Kept)
        return Errand(title="Make a backup", payload=asdict(asked))

    async def do(self, step: Step) -> Outcome:
        asked = wanted(step.work.payload, _Kept)
        if asked.to:
            made = await self._backups.create_in(asked.to, progress=step.tell)
        else:
            made = await self._backups.create(progress=step.tell)
        return Outcome(text=str(made.path))
