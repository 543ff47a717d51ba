"""Moving through a conversation, and what can be asked of what is read there."""

from typing import TYPE_CHECKING

from textual import on, work

from ..memory.pane import Entry, MemoryPane, StoryWanted
from .foot.composer import Composer
from .shown.blocks import Block, CopyWanted
from .shown.conversation import Badge, Conversation
from .welcome import Welcome
from .writing import Writing

if TYPE_CHECKING:
    from .shown.asides import WorkBlock
    from .shown.reply import PromptWanted, Rated, ReplyBlock

BESIDE = 100
"""Columns from which the memory column stands beside the conversation; in fewer it is below it."""


class Reading(Writing):
    """The conversation's wishes, and the memory column's."""

    _beside = True
    _wanted = False
    """Whether the person wants the column, where there is room for it."""

    def action_page(self, step: int) -> None:
        if step < 0:
            self.conversation.action_page_up()
        else:
            self.conversation.action_page_down()

    def action_newest(self) -> None:
        self.conversation.follow()
        if isinstance(self.focused, Block):
            self.write()

    @on(Composer.EndWanted)
    def end_wanted(self) -> None:
        self.action_newest()

    def action_step(self, step: int) -> None:
        for welcome in self.conversation.query(Welcome):
            self.set_focus(welcome.neighbour(self.focused, step) or self.composer)
            return
        block = self.conversation.neighbour(self.focused, step)
        self.set_focus(block or self.composer)

    def action_memory(self) -> None:
        self._show_memory(not self.has_class("-memory"))

    def _show_memory(self, wanted: bool) -> None:
        self._wanted = wanted
        self.set_class(wanted, "-memory")
        if not wanted and isinstance(self.focused, Entry):
            self.write()

    def fit_memory(self) -> None:
        """The column never takes the conversation's room by itself: where a window gets narrow it
        closes, and comes back with the room."""
        beside = self.size.width >= BESIDE
        if beside != self._beside:
            self._beside = beside
            self.set_class(not beside, "-stacked-memory")
            self.set_class(beside and self._wanted, "-memory")
            if not self.has_class("-memory") and isinstance(self.focused, Entry):
                self.write()

    @work(exclusive=True, group="sources")
    async def show_sources(self, reply: "ReplyBlock") -> None:
        """What was remembered for a reply, in the column; once more closes it."""
        pane = self.query_one(MemoryPane)
        if self.has_class("-memory") and pane.turn == reply.turn:
            self._show_memory(False)
            return
        recalled = reply.recalled
        if recalled is None and reply.sources and self._home is not None:
            recalled = await self._home.asking.sources(reply.turn, reply.sources)
        if recalled is None:
            self.notify("Nothing was remembered for it.")
            return
        await pane.recalled(recalled)
        self._show_memory(True)

    def on_work_block_opened(self, event: "WorkBlock.Opened") -> None:
        if self._home is not None:
            filling = self._home.asking.fill_work(event.block)
            self.run_worker(filling, group="sources")

    def action_signals(self) -> None:
        pane = self.query_one(MemoryPane)
        if self.has_class("-memory"):
            pane.full = not pane.full

    def action_pane(self) -> None:
        """Into the memory column, and out of it."""
        if isinstance(self.focused, Entry):
            self.write()
            return
        self._show_memory(True)
        if not self.query_one(MemoryPane).enter():
            self.notify("Nothing was remembered or saved here yet. F5 shows all memories.")

    @on(StoryWanted)
    async def story_wanted(self, event: StoryWanted) -> None:
        await self.app.run_action(f"place('memory', {event.memory_id!r})")

    def returned(self) -> None:
        """Back from another place, where disputes may have been settled or agents changed."""
        self.look_around()
        self.look_for_agents()

    def on_rated(self, event: "Rated") -> None:
        if self._home is not None:
            rating = self._home.asking.rate(event.reply, event.message_id, event.rating)
            self.run_worker(rating, group="rating")

    def action_prompt(self) -> None:
        """What was sent for the last reply."""
        reply = self.conversation.last_reply()
        if reply is None:
            self.notify("There is no reply yet.")
        else:
            self._show_prompt(reply.turn)

    def on_prompt_wanted(self, event: "PromptWanted") -> None:
        self._show_prompt(event.turn)

    def _show_prompt(self, turn: str) -> None:
        from .prompt_screen import PromptScreen  # only who opens it needs it

        if self._home is not None:
            turns = self._home.runtime.turns
            self.app.push_screen(PromptScreen(lambda: turns.prompt(turn)))

    def action_copy_reply(self) -> None:
        reply = self.conversation.last_reply()
        if reply is None:
            self.notify("There is no reply to copy yet.")
        else:
            self.app.copy_to_clipboard(reply.source)

    @on(CopyWanted)
    def copy(self, event: CopyWanted) -> None:
        self.app.copy_to_clipboard(event.text)

    @on(Conversation.Followed)
    def badge(self, event: Conversation.Followed) -> None:
        self.query_one(Badge).set_class(event.unseen, "-shown")

    @on(Badge.Pressed)
    def badge_pressed(self) -> None:
        self.action_newest()
