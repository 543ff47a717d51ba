"""Approvals by id, and the rules a person stored with "always".

No screen is known here: whoever holds the id may answer, from any front end.
"""

import asyncio
import logging
import os
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from skill_agent.errors import ConfigError, NotFound, UsageError
from skill_agent.events import ApprovalAsked, Choice
from skill_agent.files.private import read_text
from skill_agent.ports import Clock
from skill_agent.skills.trust import EVERY_AGENT
from skill_agent.text.whole import whole
from skill_agent.values import WaitingApproval

from .operations import ApprovalOperations

ALSO_TAINTED = " also with text from outside"
"""A rule ends in these words where it holds whoever else wrote what stands in the prompt."""

LONGEST_WORDS = 4_000
"""Characters of what a person wants done instead of a call."""

_log = logging.getLogger(__name__)


def stored_rule(agent: str, rule: str, *, tainted: bool) -> str:
    """The line that "always" stores, as the person is shown it."""
    plain = "".join(one if one.isprintable() else " " for one in f"{agent} {rule}")
    return " ".join(plain.split()) + (ALSO_TAINTED if tainted else "")


class Decision(NamedTuple):
    """What was decided."""

    choice: Choice
    by: str
    words: str = ""
    """What is to be done instead, where it was denied."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, and where its answer arrives."""

    asked: WaitingApproval
    asker: str | None
    answer: "asyncio.Future[Decision]"


class ApprovalDesk:
    """Questions waiting for a person."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._questions: dict[str, _Question] = {}

    def open(self, asked: ApprovalAsked, *, asker: str | None = None) -> None:
        """Announces a question, so that an answer given at once is not lost; `asker` is the API key
        whose turn asks."""
        answer = asyncio.get_running_loop().create_future()
        self._questions[asked.approval] = _Question(self._kept(asked), asker, answer)

    def _kept(self, asked: ApprovalAsked) -> WaitingApproval:
        now = self._clock()
        return WaitingApproval(
            id=asked.approval,
            agent=asked.agent,
            session=asked.session,
            turn=asked.turn,
            tool=asked.tool,
            arguments=asked.arguments,
            rule=asked.rule,
            reason=asked.reason,
            origins=asked.origins,
            chain=asked.chain,
            since=now,
            expires=now + timedelta(seconds=asked.timeout_s),
        )

    @property
    def waiting(self) -> list[WaitingApproval]:
        """What nobody has answered yet, the oldest first."""
        return [one.asked for one in self._questions.values() if not one.answer.done()]

    def drop(self, turn: str) -> None:
        """Forgets what a turn asked that has ended before anybody waited for the answer."""
        for approval, one in [*self._questions.items()]:
            if one.asked.turn == turn:
                del self._questions[approval]

    def asker(self, approval: str) -> str | None:
        """The API key whose turn asks; None for the person's own, and what is not waiting."""
        question = self._questions.get(approval)
        return question.asker if question else None

    async def wait(self, approval: str, timeout_s: float) -> Decision:
        """What was decided; a question nobody answers is denied."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._questions[approval].answer
        except TimeoutError:
            return Decision("deny", "time-out")
        finally:
            self._questions.pop(approval, None)

    def answer(self, approval: str, choice: Choice, by: str, words: str = "") -> bool:
        """Settles a question; False if it is not waiting (any more)."""
        question = self._questions.get(approval)
        if question is None or question.answer.done():
            return False
        question.answer.set_result(Decision(choice, by, words))
        return True


class RuleBook:
    """Rules of the form `agent tool:detail`, one a line in a file of the home; `*` is any agent."""

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

    def allows(self, agent: str, rule: str, tainted: bool = False) -> bool:
        """Whether such a call may run unasked; one under the influence of text from outside only
        by a rule that says so. Nothing is allowed by a file that cannot be read."""
        kinds = (True,) if tainted else (True, False)
        try:
            stored = set(self.rules())
        except ConfigError as problem:
            _log.warning("the stored approvals: %s", problem.message)
            return False
        return any(
            stored_rule(who, rule, tainted=kind) in stored
            for who in (agent, EVERY_AGENT)
            for kind in kinds
        )

    def add(self, entry: str) -> None:
        """Stores a rule, as `stored_rule` makes it; a file that cannot be read is left alone."""
        try:
            if entry not in self.rules():
                self._write([*self.rules(), entry])
        except (ConfigError, OSError) as problem:
            _log.warning("%s was allowed, but not for always: %s", entry, problem)

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

    async def waiting(self) -> list[WaitingApproval]:
        return self._desk.waiting

    async def answer(
        self, approval: str, choice: Choice, *, words: str = "", by: str = "person"
    ) -> bool:
        words = whole(words).strip()
        if words and choice != "deny":
            raise UsageError(
                "what is to be done instead goes with a call that is denied",
                hint=f'answer "deny" with these words, or "{choice}" without any',
            )
        if len(words) > LONGEST_WORDS:
            raise UsageError(f"more than {LONGEST_WORDS} characters of what is to be done instead")
        return self._desk.answer(approval, choice, by, words)

    def asker(self, approval: str) -> str | None:
        return self._desk.asker(approval)

    async def rules(self) -> list[str]:
        return self._rules.rules()

    async def revoke(self, rule: str) -> None:
        """Raises NotFound with what there is."""
        self._rules.revoke(rule)
