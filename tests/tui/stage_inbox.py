"""An inbox in memory, for the screens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from skill_agent.delivery.operations import InboxOperations, ListOfItems
from skill_agent.errors import NotFound, SkillAgentError, UsageError
from skill_agent.values import Delivery, InboxItem, InboxStanding

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def item(name: str, title: str, **more: Any) -> InboxItem:
    usual = {"text": f"{title}: what it says.", "created_at": NINE, "agent": "kyra"}
    return InboxItem(id=name, title=title, **{**usual, **more})


def way(of: str, target: str, state: Any, **more: Any) -> Delivery:
    return Delivery(id=f"{of}/{target}", item=of, target=target, state=state, **more)


class StageInbox(InboxOperations):
    def __init__(self) -> None:
        self.known: dict[str, InboxItem] = {}
        self.problem: SkillAgentError | None = None
        self.again: list[str] = []

    def put(self, *items: InboxItem) -> None:
        self.known |= {one.id: one for one in items}

    async def list(
        self, *, unread: bool = False, archived: bool = False, limit: int = 50
    ) -> ListOfItems:
        if self.problem is not None:
            raise self.problem
        found = [one for one in self.known.values() if one.archived_at is None]
        return sorted(found, key=lambda one: one.created_at, reverse=True)[:limit]

    async def standing(self) -> InboxStanding:
        waiting = [one for one in self.known.values() if one.read_at is None]
        return InboxStanding(unread=len(waiting))

    async def get(self, item: str) -> InboxItem:
        if item not in self.known:
            raise NotFound("gone")
        return self.known[item]

    async def read(self, item: str, *, read: bool = True) -> InboxItem:
        self.put(replace(await self.get(item), read_at=NINE if read else None))
        return self.known[item]

    async def archive(self, item: str, *, archived: bool = True) -> InboxItem:
        self.put(replace(await self.get(item), archived_at=NINE, read_at=NINE))
        return self.known[item]

    async def deliver_again(self, item: str) -> InboxItem:
        if all(one.state == "delivered" for one in (await self.get(item)).deliveries):
            raise UsageError("nothing of it waits or was given up")
        self.again.append(item)
        return self.known[item]


def full(inbox: StageInbox, session: str | None = None) -> None:
    """A summary, a failure and something from no conversation."""
    summary = (
        "Talked about: the garden, and when to deploy.\n\n"
        "Decided\n- Fridays, after the tests are green\n\n"
        "Open\n- who waters the apple tree in July\n- the invoice of the nursery"
    )
    inbox.put(
        item("i1", "The day, 20 November", text=summary, sort="summary", session=session,
             created_at=NINE + timedelta(hours=9), deliveries=(
                way("i1", "inbox", "delivered"),
                way("i1", "desktop", "delivered", attempts=1),
                way("i1", "telegram", "pending", error="waits: telegram is not running here"),
                way("i1", "apprise:phone", "given_up", attempts=5, error="phone did not take it"),
             )),
        item("i2", "Not delivered to apprise:phone", text="Something could not be brought there.",
             sort="failure", agent="", created_at=NINE + timedelta(hours=8)),
        item("i3", "Prices of \x1b[31mroots\x1b[0m compared", sort="result", agent="luke",
             read_at=NINE, origins=("web",), private=True, created_at=NINE),
    )  # fmt: skip
