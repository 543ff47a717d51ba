"""The scrolling conversation. It follows new text only while the person is at its end.

Which events become which blocks is `turn_view`'s work.
"""

import asyncio
from collections.abc import Sequence

from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.errors import SkillAgentError

from .blocks import Block, Line
from .earlier import Earlier

MORE = "earlier messages come as you scroll up"


class Conversation(VerticalScroll, can_focus=False):
    """Blocks from oldest to newest."""

    class Followed(Message):
        """Whether the end is in view has changed, or something came while it was not."""

        def __init__(self, *, unseen: bool) -> None:
            super().__init__()
            self.unseen = unseen

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._unseen = False
        self._looking = False
        self._earlier: Earlier | None = None
        self._reaching = False
        self._changing = asyncio.Lock()
        """Held while blocks are drawn above, or all are replaced."""

    @property
    def following(self) -> bool:
        """Whether the end is in view, so that new text may scroll."""
        return self.max_scroll_y <= 0 or self.scroll_y >= self.max_scroll_y

    async def add(self, *blocks: Widget) -> None:
        """Appends blocks, taking away the welcome."""
        await self.query(".welcome").remove()
        self.touched()
        await self.mount_all(blocks)

    async def replace(self, blocks: Sequence[Widget], earlier: Earlier | None = None) -> None:
        """Shows another conversation, at its end; `earlier` is had as one scrolls up to it."""
        self._earlier = earlier
        above = [Line("·", MORE, kind="earlier")] if earlier and earlier.more else []
        async with self._changing:
            with self.app.batch_update():
                await self.remove_children()
                await self.mount_all([*above, *blocks])
        self.follow()
        self.call_after_refresh(self._reach)

    # -- what came before --------------------------------------------------------------------

    def _reach(self) -> None:
        """Draws earlier blocks before one comes to where they are missing."""
        near = self.scroll_y < max(self.size.height, 1)
        if near and not self._reaching and self._earlier is not None and self._earlier.more:
            self._reaching = True
            self.run_worker(self._draw_earlier(self._earlier), group="earlier")

    async def _draw_earlier(self, earlier: Earlier) -> None:
        above = self.query_children(Line).first()
        try:
            blocks = await earlier.page()
            async with self._changing:
                if earlier is self._earlier:
                    await self._put_above(blocks, above, last=not earlier.more)
        except SkillAgentError as error:
            above.tell("!", f"{MORE}; they could not be read: {error.message}", kind="warning")
            return
        finally:
            self._reaching = False
        self.call_after_refresh(self._reach)

    async def _put_above(self, blocks: Sequence[Widget], above: Line, *, last: bool) -> None:
        """What one looks at stays where it is, and a scrolling under way goes on from there."""
        stays = self.children[1] if len(self.children) > 1 else above
        following, to_go = self.following, self.scroll_target_y - self.scroll_y
        await self.stop_animation("scroll_y", complete=False)
        with self.app.batch_update():
            before = stays.virtual_region.y
            await self.mount_all(blocks, after=above)
            if last:
                await above.remove()
            self.screen._refresh_layout()
            now = self.scroll_y + stays.virtual_region.y - before
            self.scroll_to(y=now, animate=False, force=True, immediate=True)
        if following:
            self.scroll_end(animate=False, immediate=True)
        elif to_go:
            self.scroll_to(y=now + to_go, duration=0.1)

    # -- following ---------------------------------------------------------------------------

    def touched(self) -> None:
        """New content is about to come; whether it can be seen shows once it is laid out."""
        if not self._looking:
            self._looking = True
            self.call_after_refresh(self._look)

    def _look(self) -> None:
        self._looking = False
        if not self.following:
            self._tell(unseen=True)

    def follow(self) -> None:
        """Goes to the end and stays there as text comes."""
        self.anchor()
        self._tell(unseen=False)

    def on_mount(self) -> None:
        self.anchor()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._unseen and self.following:
            self._tell(unseen=False)
        if new_value < old_value:
            self._reach()

    def last_reply(self) -> Block | None:
        replies = [block for block in self.query(Block) if block.is_reply and block.source]
        return replies[-1] if replies else None

    def neighbour(self, block: Widget | None, step: int) -> Block | None:
        """The block `step` away in reading order; from outside, the last one."""
        blocks = list(self.query(Block))
        if not blocks:
            return None
        if not isinstance(block, Block) or block not in blocks:
            return blocks[-1] if step < 0 else None
        at = blocks.index(block) + step
        return blocks[at] if 0 <= at < len(blocks) else None

    def _tell(self, *, unseen: bool) -> None:
        if unseen != self._unseen:
            self._unseen = unseen
            self.post_message(self.Followed(unseen=unseen))


class Badge(Static):
    """“↓ new”, shown while there is unread text below; a click goes there."""

    class Pressed(Message):
        """The person wants to see the end."""

    def on_click(self) -> None:
        self.post_message(self.Pressed())
