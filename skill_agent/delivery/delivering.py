"""Brings things to a person: first durably into the inbox, then along the ways that are wanted."""

from collections.abc import Callable

from skill_agent.errors import UsageError
from skill_agent.events import Event, InboxArrived
from skill_agent.identifiers import new_id
from skill_agent.ports import Clock, Delivers, Ledger
from skill_agent.values import Dispatch, InboxItem

ITEM = "inbox.item"
"""Kind of the note an item is kept as; its entity is the item."""


class Delivering(Delivers):
    """The inbox, and what leads out of it."""

    def __init__(self, ledger: Ledger, clock: Clock, publish: Callable[[Event], None]) -> None:
        self._ledger, self._clock, self._publish = ledger, clock, publish

    def check(self, target: str) -> None:
        if target not in ("inbox", "none"):
            raise UsageError(f"nothing can be delivered to {target!r}", hint="inbox, none")

    async def deliver(self, dispatch: Dispatch) -> InboxItem:
        item = InboxItem(
            id=dispatch.key or new_id(),
            title=dispatch.title,
            text=dispatch.text,
            sort=dispatch.sort,
            agent=dispatch.agent,
            session=dispatch.session,
            job=dispatch.job,
            run=dispatch.run,
            private=dispatch.private,
            origins=dispatch.origins,
            created_at=self._clock(),
        )
        data = {"title": item.title, "text": item.text, "sort": item.sort, "session": item.session}
        await self._ledger.note(ITEM, item.id, actor=item.agent or "host", data=data)
        self._publish(InboxArrived(item=item.id, sort=item.sort, title=item.title))
        return item
