"""Mail as a person and the API see it: who can do what, who has time, what agents write."""

from collections.abc import Awaitable, Callable, Sequence

from skill_agent.team import operations
from skill_agent.values import AgentAvailability, AgentMessage, MessageType, ModelAbility, Origin

from .directory import Colleagues
from .messages import PERSON, Messages

Proves = Callable[[str | None], Awaitable[ModelAbility]]


class Mail(operations.MailOperations):
    """The directory and the messages of one home."""

    def __init__(self, colleagues: Colleagues, messages: Messages, prove: Proves) -> None:
        self._colleagues, self._messages, self._prove = colleagues, messages, prove

    async def find_experts(
        self, skills: operations.Texts | None = None, *, exclude: operations.Texts | None = None
    ) -> operations.Profiles:
        """Raises NotFound where an agent to leave out is unknown."""
        return await self._colleagues.find_experts(skills or (), exclude=exclude or ())

    async def availability(self, slug: str) -> AgentAvailability:
        return self._colleagues.availability(slug)

    async def send(
        self,
        slug: str,
        content: str,
        *,
        message_type: MessageType = "notification",
        channel: str = "direct",
    ) -> AgentMessage:
        return await self.sent(slug, content, message_type=message_type, channel=channel)

    async def sent(
        self,
        slug: str,
        content: str,
        *,
        message_type: MessageType = "notification",
        channel: str = "direct",
        origins: Sequence[Origin] = (),
    ) -> AgentMessage:
        """As `send`, of somebody who does not speak for the person."""
        return await self._messages.send(
            PERSON, slug, content, message_type=message_type, channel=channel, origins=origins
        )

    async def inbox(
        self, slug: str, *, unread_only: bool = True, limit: int = 10
    ) -> operations.Messages:
        return await self._messages.inbox(slug, unread_only=unread_only, limit=limit)

    async def prove(self, model: str | None = None) -> ModelAbility:
        """Raises what the model's calls raise. No agent asks, so no agent pays."""
        return await self._prove(model)
