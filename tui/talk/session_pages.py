"""The conversations somebody looks for, fetched in pages; it draws nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from skill_agent.values import Session

if TYPE_CHECKING:
    from skill_agent.conversations.operations import ConversationOperations

PAGE = 100


class SessionPages:
    """One answer to one wish, fetched as far as it is looked at; without a text it is the list."""

    def __init__(
        self, conversations: "ConversationOperations", text: str = "", *, archived: bool = False
    ) -> None:
        self._conversations, self._text = conversations, text.strip()
        self._archived = archived
        self._before: tuple[datetime, str] | None = None
        self._known: set[str] = set()
        self.more = True

    async def pinned(self) -> list[Session]:
        """Those that stand before all others, however old they are; raises SkillAgentError."""
        if self._text:
            return []
        found = await self._conversations.list(limit=PAGE, archived=self._archived, pinned=True)
        self._known |= {one.id for one in found}
        return list(found)

    async def next(self) -> list[Session]:
        """The following ones, none of them twice; raises SkillAgentError."""
        page = await self._page()
        self.more = len(page) == PAGE
        if page:
            self._before = page[-1].updated_at, page[-1].id
        fresh = [one for one in page if one.id not in self._known]
        self._known |= {one.id for one in fresh}
        return fresh

    async def _page(self) -> Sequence[Session]:
        if self._text:
            return await self._conversations.matching(
                self._text, limit=PAGE, before=self._before, archived=self._archived
            )
        return await self._conversations.list(
            limit=PAGE, before=self._before, archived=self._archived
        )
