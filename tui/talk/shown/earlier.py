"""What came before the blocks that are drawn: it is drawn as one scrolls up to it, page by page."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual.widget import Widget

if TYPE_CHECKING:
    from skill_agent.values import Message
    from skill_agent.workstation.past import Past

PAGE = 12
"""Blocks that are drawn at once."""


class Earlier:
    """Blocks made and not drawn, and what is still in the ledger."""

    def __init__(
        self,
        past: "Past",
        read: "Callable[[Message], Awaitable[Past]]",
        draw: "Callable[[Past], list[Widget]]",
    ) -> None:
        """`read` gives what came before a message."""
        self._read, self._draw = read, draw
        self._blocks = draw(past)
        self._first = _first(past)

    @property
    def more(self) -> bool:
        """Whether there is any."""
        return bool(self._blocks) or self._first is not None

    async def page(self) -> Sequence[Widget]:
        """The newest of it, which is drawn now."""
        if not self._blocks and self._first is not None:
            past = await self._read(self._first)
            self._blocks, self._first = self._draw(past), _first(past)
        return self.newest()

    def newest(self) -> Sequence[Widget]:
        """Of the blocks that are made, as many as are drawn at once."""
        page, self._blocks = self._blocks[-PAGE:], self._blocks[:-PAGE]
        return page


def _first(past: "Past") -> "Message | None":
    """The oldest message read, where others come before it."""
    first = past.messages[0] if past.messages else None
    return first if first and first.position > 0 else None
