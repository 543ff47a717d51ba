"""What can be done with the inbox, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import InboxItem, InboxStanding

ListOfItems = list[InboxItem]


class InboxOperations(Protocol):
    """What the home has told its person, and how far each way of telling got.

    What is private is there for the person alone, and for keys with `admin`.
    """

    @route("GET", "/v1/inbox", scope="read")
    async def list(
        self,
        *,
        unread: bool = False,
        archived: bool = False,
        limit: int = 50,
    ) -> ListOfItems:
        """Newest first; `archived` gives those that were put away, and no others."""
        ...

    @route("GET", "/v1/inbox/standing", scope="read")
    async def standing(self) -> InboxStanding:
        """How many wait to be read, and what could not be brought where it was to go."""
        ...

    @route("GET", "/v1/inbox/{item}", scope="read")
    async def get(self, item: str) -> InboxItem:
        """By id or its beginning, of six characters at least, or `latest`."""
        ...

    @route("POST", "/v1/inbox/{item}/read", scope="read")
    async def read(self, item: str, *, read: bool = True) -> InboxItem:
        """Marks it as read, or as unread again."""
        ...

    @route("POST", "/v1/inbox/{item}/archive", scope="admin")
    async def archive(self, item: str, *, archived: bool = True) -> InboxItem:
        """Puts it away, or back."""
        ...

    @route("POST", "/v1/inbox/{item}/deliver", scope="admin", once=True)
    async def deliver_again(self, item: str) -> InboxItem:
        """Tries at once the ways that wait or were given up, and says what became of it."""
        ...
