"""The inbox as its person uses it: listed, read, put away, told again."""

from collections.abc import Callable
from dataclasses import replace

from skill_agent.errors import NotFound, UsageError
from skill_agent.events import Event, InboxChanged
from skill_agent.ports import Clock
from skill_agent.text.checks import sound_text
from skill_agent.values import InboxItem, InboxStanding

from .delivering import Delivering
from .operations import InboxOperations
from .records import SHORTEST_REF

_Items = list[InboxItem]  # `list` is a method
MOST = 1_000
"""Items of one listing."""


class Inbox(InboxOperations):
    """The inbox of one home."""

    def __init__(
        self, delivering: Delivering, clock: Clock, publish: Callable[[Event], None]
    ) -> None:
        self._delivering, self._records = delivering, delivering.records
        self._clock, self._publish = clock, publish

    async def list(
        self,
        *,
        unread: bool = False,
        archived: bool = False,
        limit: int = 50,
    ) -> _Items:
        if unread and archived:
            raise UsageError("what was put away counts as read", hint="one of both")
        limit = max(0, min(limit, MOST))
        if unread:
            return await self._records.unread(limit)
        return await self._records.newest(archived=archived, limit=limit)

    async def standing(self) -> InboxStanding:
        waiting = await self._records.open()
        return InboxStanding(
            unread=await self._records.count_unread(),
            waiting=len(waiting),
            lost=tuple(await self._records.lost()),
            problems=await self._delivering.problems(),
        )

    async def get(self, item: str) -> InboxItem:
        return await self._find(item)

    async def read(self, item: str, *, read: bool = True) -> InboxItem:
        found = await self._find(item)
        if (found.read_at is not None) is read:
            return found
        return await self._marked(replace(found, read_at=self._clock() if read else None))

    async def archive(self, item: str, *, archived: bool = True) -> InboxItem:
        found = await self._find(item)
        if (found.archived_at is not None) is archived:
            return found
        now = self._clock()
        put = replace(found, archived_at=now, read_at=found.read_at or now)
        return await self._marked(put if archived else replace(found, archived_at=None))

    async def deliver_again(self, item: str) -> InboxItem:
        return await self._delivering.again(await self._find(item))

    async def _marked(self, item: InboxItem) -> InboxItem:
        await self._records.mark(item)
        self._publish(InboxChanged(item=item.id))
        return item

    async def _find(self, ref: str) -> InboxItem:
        ref = sound_text(ref, "the item's id").strip().lower()
        if ref == "latest":
            found = await self._records.newest(limit=1)
            if not found:
                raise NotFound("the inbox is empty")
            return found[0]
        if (exact := await self._records.get(ref)) is not None:
            return exact
        ids = await self._records.beginning_with(ref)
        match [*(await self._records.some(ids)).values()]:
            case [one]:
                return one
            case []:
                raise nothing_of(ref)
            case several:
                named = "; ".join(f"{one.id} {one.title!r}" for one in several[:5])
                raise UsageError(f"{ref!r} fits {len(several)} items", hint=f"use an id: {named}")


def nothing_of(ref: str) -> NotFound:
    """That there is no such item, or none for whoever asks."""
    short = f"; at least {SHORTEST_REF} characters of an id" if len(ref) < SHORTEST_REF else ""
    return NotFound(f"nothing in the inbox is {ref[:60]!r}", hint=f"ska inbox list{short}")
