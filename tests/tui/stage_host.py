"""A host with a log in a real file, for the screens."""

from pathlib import Path

from skill_agent.errors import SkillAgentError
from skill_agent.files.log_tail import LogTail
from skill_agent.values import LogLines
from skill_agent.workstation.operations import HostOperations

LINES = (
    "2026-11-20 09:00:01,120 INFO skill_agent.host.presence ska tui (process 42) is attached",
    "2026-11-20 09:02:44,007 WARNING skill_agent.models.gateway openai/gpt-4o: 429, tried again "
    "in 4 s",
    "2026-11-20 09:03:10,551 ERROR skill_agent.jobs.engine the job “Weekly” failed: no such file",
    "Traceback (most recent call last):",
    '  File "engine.py", line 12, in run',
    "FileNotFoundError: notes.md",
    '2026-11-20 09:05:00,000 INFO skill_agent.webhooks sent {"event": "job.failed", "tries": 2}',
)


class StageHost(HostOperations):
    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: SkillAgentError | None = None

    def add(self, *lines: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    async def log(self, *, after: str = "", most: int = 1000) -> LogLines:
        if self.problem is not None:
            raise self.problem
        return LogTail(self.path).read(after, most)
