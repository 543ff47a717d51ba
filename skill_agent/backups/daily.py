"""The backup that a home makes by itself, once a day; and what became of it, for `doctor`."""

import json
import logging
import os
from collections.abc import Callable
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
    """The chore of one open home; when it is due is said by its job."""

    def __init__(
        self,
        *,
        backups: Backups,
        home: Home,
        ledger: Ledger,
        clock: Clock,
        publish: Callable[[BackupFailed], None],
    ) -> None:
        self._backups, self._home, self._ledger = backups, home, ledger
        self._clock, self._publish = clock, publish

    async def last(self) -> datetime | None:
        """When the newest backup was made, by whomever."""
        there = await self._backups.list()
        return there[0].at if there else None

    async def make(self) -> Backup | None:
        """Makes one; None where nothing has changed since the last, or the home holds nothing. A
        failure is kept, told where the last try went well, and raised."""
        counts = await self._ledger.counts()
        if not (counts["messages"] or counts["memories"]):
            return None
        try:
            made = await self._backups.create_daily(passphrase=os.environ.get(PASSPHRASE, ""))
        except (SkillAgentError, OSError) as problem:
            self._failed(problem)
            raise
        self._home.backup_failure.unlink(missing_ok=True)
        return made

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
