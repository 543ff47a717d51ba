"""The conversations of a home as front ends see them, over the ledger."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Protocol

from skill_agent.errors import UsageError
from skill_agent.identifiers import new_id
from skill_agent.ports import Clock, Ledger
from skill_agent.text.checks import sound_text
from skill_agent.text.redaction import masked
from skill_agent.values import Message, Session

from . import operations
from .branching import branched
from .marks import AnySession, Marks, mark, marks
from .requesters import OwnConversations
from .sessions import find_session, title_of

_PAGE = 1_000


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
        self,
        *,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
        archived: bool = False,
        pinned: bool = False,
    ) -> operations.Sessions:
        """`before` is (updated_at, id) of the last one already had."""
        marked = await marks(self._ledger)
        if pinned:
            return await self._pinned(marked, limit=limit, before=before, archived=archived)
        return await _wanted(self._ledger.sessions, marked, limit, before, archived)

    async def matching(
        self,
        text: str,
        *,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
        archived: bool = False,
    ) -> operations.FoundSessions:
        """Raises UsageError for no text."""
        if not (wanted := text.strip()):
            raise UsageError("what is looked for?", hint="ska sessions list")
        sound_text(wanted, "what is looked for")
        find = partial(self._ledger.find_sessions, wanted, names=self._names())
        return await _wanted(find, await marks(self._ledger), limit, before, archived)

    async def find(self, ref: str) -> Session:
        """Raises NotFound or UsageError."""
        session = await find_session(self._ledger, ref)
        return (await marks(self._ledger)).told_of(session)

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
        return OwnConversations(self._ledger, key, self._clock)

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

    async def branch(self, ref: str, *, upto: str = "") -> Session:
        """Raises NotFound for a message that is not there."""
        origin = await self.find(ref)
        made = await branched(self._ledger, origin, upto=upto, now=self._clock())
        return await self.find(made)

    async def pin(self, ref: str, *, pinned: bool = True) -> Session:
        """Raises UsageError for one that is deleted."""
        session = await self._there(ref)
        if session.pinned is not pinned:
            await mark(self._ledger, session.id, pinned=pinned)
        return replace(session, pinned=pinned)

    async def archive(self, ref: str, *, archived: bool = True) -> Session:
        """Raises UsageError for one that is deleted."""
        session = await self._there(ref)
        if session.archived is not archived:
            await mark(self._ledger, session.id, archived=archived)
        return replace(session, archived=archived)

    async def _there(self, ref: str) -> Session:
        """One that is not deleted."""
        session = await find_session(self._ledger, ref)
        if session.archived:
            raise UsageError(
                f"{session.title!r} was deleted: it stays in the ledger, off every list",
                hint=f"ska sessions show {session.id}",
            )
        return (await marks(self._ledger)).told_of(session)

    async def _pinned(
        self,
        marked: Marks,
        *,
        limit: int,
        before: tuple[datetime, str] | None,
        archived: bool,
    ) -> operations.Sessions:
        there = [one for name in marked.pinned if (one := await self._ledger.session(name))]
        found = [
            one
            for one in marked.told([one for one in there if not one.archived])
            if one.archived is archived and (before is None or (one.updated_at, one.id) < before)
        ]
        return sorted(found, key=lambda one: (one.updated_at, one.id), reverse=True)[:limit]

    async def delete(self, ref: str) -> Session:
        session = await self.find(ref)
        await self._before_deletion(session.id)
        await self._ledger.archive_session(session.id, actor="person")
        self._touched()
        return replace(session, archived=True)


class _Pages(Protocol[AnySession]):
    """A listing of the ledger, the newest activity first."""

    async def __call__(
        self, *, limit: int, before: tuple[datetime, str] | None
    ) -> list[AnySession]: ...


async def _wanted(
    pages: "_Pages[AnySession]",
    marked: Marks,
    limit: int,
    before: tuple[datetime, str] | None,
    archived: bool,
) -> list[AnySession]:
    """So many of a listing that are put away, or are not."""
    found: list[AnySession] = []
    size = min(max(limit, 1), _PAGE) if not archived else _PAGE
    while len(found) < limit:
        page = await pages(limit=size, before=before)
        found += [one for one in page if (one.id in marked.archived) is archived]
        if len(page) < size:
            break
        before = page[-1].updated_at, page[-1].id
    return marked.told(found[:limit])
