"""What agents write to one another: sent, kept, then told; read, marked as read.

What an agent wrote is data wherever it is read, never an order of the person's. It is bounded here:
how long it is, how many an agent writes in an hour, how many wait for one that does not read.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from skill_agent.agents.directory import AgentDirectory
from skill_agent.errors import UsageError
from skill_agent.events import AgentWrote, Event
from skill_agent.identifiers import new_id
from skill_agent.ports import Clock, Ledger
from skill_agent.text.redaction import masked, masked_within
from skill_agent.text.whole import whole
from skill_agent.values import (
    MESSAGE_TYPES,
    AgentMessage,
    MessageType,
    Origin,
    all_origins,
)

from .inboxes import held, message_of, note_message, note_read, sent_since

PERSON = "person"
ALL = "all"
LONGEST = 4_000
"""Characters of one message; what is longer belongs into a task."""
MOST_AN_HOUR = 30
"""Messages of one agent; the person may write as many as they like."""
MOST_WAITING = 50
"""Unread messages in one inbox."""
_HOUR = timedelta(hours=1)
_CHANNEL = re.compile(r"direct|team|(?:task|collab):[\w-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The turn in which something is written; both are empty outside of any."""

    session: str = ""
    turn: str = ""
    parent: str | None = None


NOWHERE = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """The messages of one home's agents."""

    ledger: Ledger
    clock: Clock
    directory: AgentDirectory
    publish: Callable[[Event], None]
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Counting and writing are one step, so that a storm is counted whole."""

    async def send(
        self,
        sender: str,
        to: str,
        content: str,
        *,
        message_type: MessageType = "notification",
        channel: str = "direct",
        origins: Sequence[Origin] = (),
        place: Place = NOWHERE,
    ) -> AgentMessage:
        """Writes to one agent, or to `all` active ones. It is in the ledger when this returns.
        Raises UsageError for what may not be sent, NotFound for an unknown agent."""
        if to == ALL:
            return await self.broadcast(
                sender, content, message_type=message_type, origins=origins, place=place
            )
        dna = self.directory.get(to)
        if dna.status == "archived":
            raise UsageError(f"{dna.name} is archived", hint=f"ska agents activate {dna.slug}")
        if dna.slug == sender:
            raise UsageError(f"{dna.name} cannot write to itself")
        message = self._message(sender, content, message_type, channel, origins)
        return await self._sent(replace(message, to=dna.slug), [dna.slug], place)

    async def broadcast(
        self,
        sender: str,
        content: str,
        *,
        message_type: MessageType = "notification",
        origins: Sequence[Origin] = (),
        place: Place = NOWHERE,
    ) -> AgentMessage:
        """Writes to every active agent but the one that writes, over the channel `team`."""
        active = [one.slug for one in self.directory.list("active") if one.slug != sender]
        if not active:
            raise UsageError("there is no active agent to write to", hint="ska agents list")
        message = self._message(sender, content, message_type, "team", origins)
        return await self._sent(message, active, place)

    async def inbox(
        self, agent: str, *, unread_only: bool = True, limit: int = 10
    ) -> list[AgentMessage]:
        """What was written to an agent, the newest first; nothing is marked."""
        slug = self.directory.get(agent).slug
        found: list[AgentMessage] = []
        for key, read in reversed(await held(self.ledger, slug)):
            if len(found) >= max(0, limit):
                break
            if unread_only and read:
                continue
            if message := await message_of(self.ledger, key, read):
                found.append(message)
        return found

    async def mark(self, agent: str, ids: Sequence[str]) -> None:
        """Marks an agent's messages as read; those that are read already stay as they are."""
        waiting = {key for key, read in await held(self.ledger, agent) if not read}
        await note_read(self.ledger, agent, [one for one in ids if one in waiting])

    def _message(
        self,
        sender: str,
        content: str,
        message_type: MessageType,
        channel: str,
        origins: Sequence[Origin],
    ) -> AgentMessage:
        content = whole(content).strip()
        if not content:
            raise UsageError("the message is empty", hint="say what the agent is to know")
        if len(content) > LONGEST:
            raise UsageError(
                f"the message has {len(content):,} characters, {LONGEST:,} are the most",
                hint="say it shorter, or give it to the agent as a task",
            )
        if message_type not in MESSAGE_TYPES:
            kinds = ", ".join(MESSAGE_TYPES)
            raise UsageError(f"no type of message: {message_type!r}", hint=f"one of {kinds}")
        if not _CHANNEL.fullmatch(channel):
            raise UsageError(f"no channel: {channel!r}", hint="direct, team, task:ID or collab:ID")
        wrote: tuple[Origin, ...] = () if sender == PERSON else ("agent",)
        return AgentMessage(
            id=new_id(),
            sender=sender,
            channel=channel,
            message_type=message_type,
            content=masked(content),
            origins=all_origins(wrote, origins),
            created_at=self.clock(),
        )

    async def _sent(
        self, message: AgentMessage, recipients: Sequence[str], place: Place
    ) -> AgentMessage:
        told = {"session": place.session} if place.session else {}
        message = replace(message, metadata=masked_within({**message.metadata, **told}))
        async with self._lock:
            await note_message(self.ledger, message, await self._takers(message, recipients))
        self.publish(
            AgentWrote(
                session=place.session,
                turn=place.turn,
                parent=place.parent,
                agent=message.sender,
                message_id=message.id,
                to=message.to,
                channel=message.channel,
                message_type=message.message_type,
                content=message.content,
            )
        )
        return message

    async def _takers(self, message: AgentMessage, recipients: Sequence[str]) -> list[str]:
        """Whom of these it reaches: an inbox that is full takes no more. Raises UsageError where it
        reaches nobody, or its sender wrote too much."""
        if message.sender != PERSON:
            hour = message.created_at - _HOUR
            if await sent_since(self.ledger, message.sender, hour) >= MOST_AN_HOUR:
                raise UsageError(
                    f"{message.sender} wrote {MOST_AN_HOUR} messages within an hour, which is the "
                    "most",
                    hint="say the rest in the reply, or later",
                )
        waiting = {one: await self._waiting(one) for one in recipients}
        takers = [one for one in recipients if waiting[one] < MOST_WAITING]
        if not takers:
            first = recipients[0]
            raise UsageError(
                f"{first} has {waiting[first]} unread messages and takes no more",
                hint=f"ska agents inbox {first}",
            )
        return takers

    async def _waiting(self, agent: str) -> int:
        return sum(not read for _, read in await held(self.ledger, agent))
