"""What a turn may have of its agent's colleagues; who they are, it does not know."""

from dataclasses import dataclass, field
from typing import Protocol

from skill_agent.agents.dna import AgentDNA
from skill_agent.ports import Tool
from skill_agent.turns.manner import Manner
from skill_agent.turns.taint import Taint
from skill_agent.values import Message, ModelInfo, Origin, TurnRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """What waits for an agent to read, as it stands beside a message."""

    ids: tuple[str, ...] = ()
    block: str = ""
    origins: tuple[Origin, ...] = ()


NO_LETTERS = Letters()


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What came of a message that was for a colleague."""

    text: str
    """What code says of it."""
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A message in which the person has the agent ask a colleague."""

    to: str
    """The colleague's slug."""
    what: str
    """What is to be done, in the person's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turning:
    """A turn as its agent's colleagues need to know it."""

    agent: AgentDNA
    request: TurnRequest
    session: str = ""
    turn: str = ""
    """Both are empty where no turn runs: its tools are only counted."""
    taint: Taint = field(default_factory=Taint)


class Colleagues(Protocol):
    """The other agents, from where one of them stands."""

    async def letters(self, turning: Turning, model: ModelInfo) -> Letters:
        """What was written to the agent and that it has not read."""
        ...

    async def read(self, agent: str, letters: Letters) -> None:
        """Marks them as read."""
        ...

    async def errand(self, turning: Turning, message: Message, manner: Manner) -> Errand | None:
        """Whom the message has to be passed on to, where it surely asks for that."""
        ...

    async def run(
        self, turning: Turning, errand: Errand, message: Message, manner: Manner
    ) -> Passed:
        """Has the colleague do it; what goes wrong is told in the answer, and what happens
        meanwhile by the task's own events."""
        ...

    def tools(self, turning: Turning, model: ModelInfo) -> dict[str, Tool]:
        """What the model may do with colleagues by itself; empty unless it proved able to."""
        ...

    def guidelines(self, model: ModelInfo) -> str:
        """When to ask colleagues and when not; empty where there are no such tools."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """The colleagues of one turn's agent; without any, nothing here does anything."""

    turning: Turning
    model: ModelInfo
    team: Colleagues | None = None
    dry: bool = False

    async def letters(self) -> Letters:
        """None in a turn that may not read what the agent knows."""
        asked = self.turning.request
        if self.team is None or not (asked.use_memory and asked.keeps):
            return NO_LETTERS
        return await self.team.letters(self.turning, self.model)

    async def read(self, letters: Letters) -> None:
        if self.team is not None and letters.ids and not self.dry:
            await self.team.read(self.turning.agent.slug, letters)

    async def errand(self, message: Message, manner: Manner) -> Errand | None:
        """None where nobody typed the message, and where whoever asks may change nothing."""
        asked = self.turning.request
        if self.team is None or self.dry or asked.task or not asked.keeps:
            return None
        return await self.team.errand(self.turning, message, manner)

    async def run(self, errand: Errand, message: Message, manner: Manner) -> Passed:
        """Of an errand that was found."""
        assert self.team is not None
        return await self.team.run(self.turning, errand, message, manner)
