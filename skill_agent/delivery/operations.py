"""What can be done with the inbox, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import InboxItem, Requester

ListOfItems = list[InboxItem]


class InboxOperations(Protocol):
    """What the home has told its person, and how far each way of telling got."""

    @route("GET", "/v1/inbox", scope="read")
    async def list(
        self,
        *,
        unread: bool = False,
        archived: bool = False,
        limit: int = 50,
        requester: Requester | None = None,
    ) -> ListOfItems:
        """Newest first."""
        ...

    @route("GET", "/v1/inbox/{item}", scope="read")
    async def get(self, item: str, *, requester: Requester | None = None) -> InboxItem: ...

    @route("POST", "/v1/inbox/{item}/read", scope="chat")
    async def read(self, item: str, *, read: bool = True) -> InboxItem:
        """Marks it as read, or as unread again."""
        ...

    @route("POST", "/v1/inbox/{item}/archive", scope="chat")
    async def archive(self, item: str) -> InboxItem: ...

    @route("POST", "/v1/inbox/{item}/deliver", scope="admin", once=True)
    async def deliver_again(self, item: str) -> InboxItem:
        """Tries the ways once more that were given up."""
        ...
