"""Approvals by id, and the rules a person stored with "always".

No screen is known here: whoever holds the id may answer, from any front end.
"""

import asyncio
import logging
import os
import tempfile
from pathlib import Path

from skill_agent.errors import ConfigError, NotFound
from skill_agent.events import Choice
from skill_agent.files.private import read_text

from .operations import ApprovalOperations

_log = logging.getLogger(__name__)


class ApprovalDesk:
    """Questions waiting for a person."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[tuple[Choice, str]]] = {}

    def open(self, approval: str) -> None:
        """Announces a question, so that an answer given at once is not lost."""
        self._waiting[approval] = asyncio.get_running_loop().create_future()

    async def wait(self, approval: str, timeout_s: float) -> tuple[Choice, str]:
        """The choice and who made it; a question nobody answers is denied."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._waiting[approval]
        except TimeoutError:
            return "deny", "time-out"
        finally:
            self._waiting.pop(approval, None)

    def answer(self, approval: str, choice: Choice, by: str) -> bool:
        """Settles a question; False if it is not waiting (any more)."""
        future = self._waiting.get(approval)
        if future is None or future.done():
            return False
        future.set_result((choice, by))
        return True


class RuleBook:
    """Rules of the form `agent tool:detail`, one a line in a file of the home."""

    _HEADING = '# Tool calls you allowed with "always". Delete a line to be asked again.\n'

    def __init__(self, file: Path) -> None:
        self._file = file

    def rules(self) -> list[str]:
        """Every stored rule, read afresh, so that an edit by hand counts at once.

        Raises ConfigError for a file that cannot be read.
        """
        if not os.path.lexists(self._file):
            return []
        stripped = (line.strip() for line in read_text(self._file).splitlines())
        return [line for line in stripped if line and not line.startswith("#")]

    def allows(self, agent: str, rule: str) -> bool:
        """Nothing is allowed by a file that cannot be read: the person is asked."""
        try:
            return f"{agent} {rule}" in self.rules()
        except ConfigError as problem:
            _log.warning("the stored approvals: %s", problem.message)
            return False

    def add(self, agent: str, rule: str) -> str:
        """Stores a rule and returns it as listed; a file that cannot be read is left alone."""
        entry = f"{agent} {rule}"
        try:
            if entry not in self.rules():
                self._write([*self.rules(), entry])
        except (ConfigError, OSError) as problem:
            _log.warning("%s was allowed, but not for always: %s", entry, problem)
        return entry

    def revoke(self, entry: str) -> None:
        """Removes a rule; raises NotFound with what there is."""
        rules = self.rules()
        if entry not in rules:
            raise NotFound(
                f"no stored rule {entry!r}", hint="stored: " + ("; ".join(rules) or "none")
            )
        self._write([rule for rule in rules if rule != entry])

    def _write(self, rules: list[str]) -> None:
        handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=".approvals")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(self._HEADING + "".join(f"{rule}\n" for rule in rules))
        Path(name).replace(self._file)


class Approvals(ApprovalOperations):
    """Both, as front ends see them."""

    def __init__(self, desk: ApprovalDesk, rules: RuleBook) -> None:
        self._desk, self._rules = desk, rules

    async def answer(self, approval: str, choice: Choice, *, by: str = "person") -> bool:
        return self._desk.answer(approval, choice, by)

    async def rules(self) -> list[str]:
        return self._rules.rules()

    async def revoke(self, rule: str) -> None:
        """Raises NotFound with what there is."""
        self._rules.revoke(rule)
