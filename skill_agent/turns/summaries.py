"""Summaries of conversations as front ends see them."""

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.conversations import Conversations
from skill_agent.memory.summaries.compaction import Shield
from skill_agent.models.models import Models
from skill_agent.values import Compaction

from . import operations
from .compactor import Compactor


class Summaries(operations.SummaryOperations):
    """What stands for the beginning of a conversation in its prompts."""

    def __init__(
        self,
        shield: Shield,
        compactor: Compactor,
        *,
        conversations: Conversations,
        directory: AgentDirectory,
        models: Models,
    ) -> None:
        self._shield, self._compactor = shield, compactor
        self._conversations, self._directory, self._models = conversations, directory, models

    async def list(self, session_id: str) -> operations.Compactions:
        return await self._shield.compactions(session_id)

    async def compact(self, ref: str) -> Compaction | None:
        session = await self._conversations.find(ref)
        model = await self._models.of(self._directory.get(session.agent))
        return await self._compactor.compact(session.id, model, session.agent)
