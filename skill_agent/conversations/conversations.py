"""The conversations of a home as front ends see them, over the ledger."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime

from skill_agent.errors import UsageError
from skill_agent.identifiers import new_id
from skill_agent.ports import Clock, Ledger
from skill_agent.text.checks import sound_text
from skill_agent.text.redaction import masked
from skill_agent.values import Message, Session

from . import operations
from .requesters import OwnConversations
from .sessions import find_session, title_of


class Conversations(operations.ConversationOperations):
    """Sessions and their messages."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        *,
        slug_of: Callable[[str], str],
        names: Callable[[], Mapping[str, str]],
        before_deletion: Callable[[str], Awaitable[None]],
        touched: Callable[[], None],
    ) -> None:
        """`slug_of` gives a named agent's slug or raises NotFound; `names` are the agents' shown
        ones by slug; `before_deletion` reads what is unread of a session; `touched` tells the index
        that there is something new."""
        self._ledger, self._clock, self._slug_of, self._names = ledger, clock, slug_of, names
        self._before_deletion, self._touched = before_deletion, touched

    async def list(
        self, *, limit: int = 50, before: tuple[datetime, str] | None = None
    ) -> operations.Sessions:
        """`before` is (updated_at, id) of the last one already had."""
        return await self._ledger.sessions(limit=limit, before=before)

    async def matching(
        self, text: str, *, limit: int = 50, before: tuple[datetime, str] | None = None
    ) -> operations.FoundSessions:
        """Raises UsageError for no text."""
        if not (wanted := text.strip()):
            raise UsageError("what is looked for?", hint="ska sessions list")
        sound_text(wanted, "what is looked for")
        return await self._ledger.find_sessions(
            wanted, names=self._names(), limit=limit, before=before
        )

    async def find(self, ref: str) -> Session:
        """Raises NotFound or UsageError."""
        return await find_session(self._ledger, ref)

    def new(self, text: str, agent: str) -> Session:
        """One that is named by what is said first; it is nowhere kept until something is said."""
        now = self._clock()
        return Session(
            id=new_id(), title=title_of(text), agent=agent, created_at=now, updated_at=now
        )

    async def messages(
        self, session_id: str, *, last: int = 0, after: int = -1, limit: int = 0
    ) -> operations.Messages:
        return await self._ledger.messages(session_id, last=last, after=after, limit=limit)

    async def messages_by_id(self, ids: operations.Texts) -> dict[str, Message]:
        return await self._ledger.messages_by_id(ids)

    async def search(self, text: str, *, limit: int = 50) -> operations.Messages:
        return await self._ledger.search_messages(text, limit=limit)

    def own(self, key: str) -> OwnConversations:
        return OwnConversations(self._ledger, key)

    async def rename(self, ref: str, title: str) -> Session:
        if not title.strip():
            raise UsageError("a title cannot be empty")
        sound_text(title, "the title")
        session = await self.find(ref)
        await self._ledger.rename_session(
            session.id, masked(" ".join(title.split())), actor="person"
        )
        return await self.find(session.id)

    async def set_agent(self, session_id: str, agent: str) -> None:
        await self._ledger.set_session_agent(session_id, self._slug_of(agent))

    async def delete(self, ref: str) -> Session:
        session = await self.find(ref)
        await self._before_deletion(session.id)
        await self._ledger.archive_session(session.id, actor="person")
        self._touched()
        return replace(session, archived=True)
