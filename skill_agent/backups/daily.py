"""One backup a day by itself, while a process stays open; and what became of it, for `doctor`.

Due is told by the time of the newest backup, so that a day slept through is caught up with.
"""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from skill_agent.errors import ConfigError, SkillAgentError
from skill_agent.events import BackupFailed
from skill_agent.files.home import Home
from skill_agent.files.private import read_json, write_private
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Clock, Ledger
from skill_agent.text.redaction import redact
from skill_agent.values import Backup

from .making import Backups

PASSPHRASE = "SKA_BACKUP_PASSPHRASE"
EVERY = timedelta(days=1)
AGAIN = timedelta(hours=1)
"""After one that failed, or had nothing new to hold."""
FIRST_LOOK_S, LOOK_EVERY_S = 300.0, 600.0
"""Well after an opening, which has other things to do."""
FOR_TURNS_S = 3_600.0
"""So long it waits for turns to end."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why the last daily backup was not made."""

    at: datetime
    problem: str
    hint: str = ""


def last_failure(home: Home) -> Failure | None:
    """None once one was made."""
    with suppress(ConfigError, AttributeError, KeyError, TypeError, ValueError):
        row = read_json(home.backup_failure)
        return Failure(at=parse_time(row["at"]), problem=str(row["problem"]), hint=str(row["hint"]))
    return None


class DailyBackup:
    """The chore of one open home."""

    def __init__(
        self,
        *,
        backups: Backups,
        home: Home,
        ledger: Ledger,
        clock: Clock,
        idle: Callable[[float], Awaitable[bool]],
        publish: Callable[[BackupFailed], None],
    ) -> None:
        """`idle` returns once no turn runs, or after so many seconds."""
        self._backups, self._home, self._ledger = backups, home, ledger
        self._clock, self._idle, self._publish = clock, idle, publish
        self._unchanged: datetime | None = None
        """When nothing was found to have changed since the last one."""

    async def keep(self, *, first: float = FIRST_LOOK_S, every: float = LOOK_EVERY_S) -> None:
        """Makes one whenever it is due, until cancelled; nothing ends it but that."""
        wait = first
        while True:
            await asyncio.sleep(wait)
            wait = every
            try:
                if await self._is_due():
                    await self._idle(FOR_TURNS_S)
                    await self.run_due()
            except Exception as problem:  # the wall of this task; the next look tries again
                _log.warning("daily backup: %s", redact(str(problem)))

    async def run_due(self) -> Backup | None:
        """Makes one if it is due; a failure is kept, and told where the last try went well."""
        if not await self._is_due():
            return None
        try:
            made = await self._backups.create_daily(passphrase=os.environ.get(PASSPHRASE, ""))
        except (SkillAgentError, OSError) as problem:
            self._failed(problem)
            return None
        self._home.backup_failure.unlink(missing_ok=True)
        self._unchanged = None if made else self._clock()
        return made

    async def _is_due(self) -> bool:
        now, failure = self._clock(), last_failure(self._home)
        if any(
            at is not None and at <= now < at + AGAIN
            for at in (failure and failure.at, self._unchanged)
        ):
            return False
        try:
            there = await self._backups.list()
        except SkillAgentError:
            return True  # making one tells what is wrong
        if there and there[0].at <= now < there[0].at + EVERY:
            return False
        counts = await self._ledger.counts()
        return counts["messages"] > 0 or counts["memories"] > 0

    def _failed(self, problem: SkillAgentError | OSError) -> None:
        said = problem.message if isinstance(problem, SkillAgentError) else str(problem)
        hint = problem.hint if isinstance(problem, SkillAgentError) else ""
        known = last_failure(self._home)
        row = {"at": iso(self._clock()), "problem": said, "hint": hint}
        with suppress(SkillAgentError):  # a disk that takes no backup may not take this either
            write_private(self._home.backup_failure, json.dumps(row) + "\n")
        _log.warning("daily backup: %s", redact(said))
        if known is None:
            self._publish(BackupFailed(problem=said, hint=hint))
