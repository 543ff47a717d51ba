"""The team as a turn has it: what waits to be read, whom to pass a message on to, what its model
may do by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.client_context import typed
from skill_agent.ports import Tool
from skill_agent.turns.colleagues.nearby import Colleagues, Errand, Letters, Passed, Turning
from skill_agent.turns.manner import Manner
from skill_agent.values import Message, ModelInfo

from .asking import Asking
from .letters import as_letters, how_many
from .messages import Messages
from .passing import PassesOn


class GivesTools(Protocol):
    """Says which models may ask colleagues by themselves."""

    def tools(self, turning: Turning, model: ModelInfo) -> dict[str, Tool]: ...

    def guidelines(self, model: ModelInfo) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamBeside(Colleagues):
    """The agents of one home, from where one of them stands."""

    directory: AgentDirectory
    messages: Messages
    asking: Asking
    passes_on: PassesOn
    offering: GivesTools
    delegates: bool = True
    """A person's "ask Luke to …" is understood."""

    async def letters(self, turning: Turning, model: ModelInfo) -> Letters:
        small = model.profile.small
        found = await self.messages.inbox(turning.agent.slug, limit=how_many(small=small))
        return as_letters(found[::-1], small=small, turn=turning.turn)

    async def read(self, agent: str, letters: Letters) -> None:
        await self.messages.mark(agent, letters.ids)

    async def errand(self, turning: Turning, message: Message, manner: Manner) -> Errand | None:
        words = typed(message)
        if not self.delegates or not words.strip():
            return None
        return await self.asking.errand(words, self._others(turning), manner.language)

    async def run(
        self, turning: Turning, errand: Errand, message: Message, manner: Manner
    ) -> Passed:
        return await self.passes_on.run(turning, errand, message, manner.language)

    def tools(self, turning: Turning, model: ModelInfo) -> dict[str, Tool]:
        return self.offering.tools(turning, model)

    def guidelines(self, model: ModelInfo) -> str:
        return self.offering.guidelines(model)

    def _others(self, turning: Turning) -> Mapping[str, Sequence[str]]:
        """The colleagues by slug, with what they are called."""
        return {
            one.slug: (one.slug, one.name)
            for one in self.directory.list()
            if one.slug != turning.agent.slug and one.status != "archived"
        }
