"""What is done with a message that is there: asked again, changed, gone on from, quoted, copied.

A branch is a new conversation with the messages up to one of them; the old one stays as it is.
"""

from typing import TYPE_CHECKING

from textual import on, work

from skill_agent.errors import SkillAgentError

from .foot.drafts import NEW
from .reading import Reading
from .shown.blocks import Block, UserBlock, Wished

if TYPE_CHECKING:
    from .parts import OpenHome


class Revisiting(Reading):
    """The wishes of blocks."""

    @on(Wished)
    async def wished(self, event: Wished) -> None:
        match event.wish:
            case "quote":
                self._quote(event.block)
            case "again":
                self._again(event.block)
            case "edit":
                self.edit(event.block)
            case "branch":
                self.branch(event.block)
            case "sources":
                from .shown.reply import ReplyBlock

                if isinstance(event.block, ReplyBlock):
                    self.show_sources(event.block)
            case "export":
                self.action_export()

    # -- quoting -----------------------------------------------------------------

    def _quote(self, block: Block) -> None:
        """What is marked, or all of it, below what is written already."""
        said = (self.get_selected_text() or block.source).strip()
        if not said:
            self.notify("There is nothing to quote.")
            return
        quoted = "\n".join(f"> {line}".rstrip() for line in said.splitlines())
        written = self.composer.text.rstrip()
        whole = f"{written}\n\n{quoted}\n\n" if written else f"{quoted}\n\n"
        self.composer.put(whole, self.composer.attachments)
        self.write()

    # -- asking again ------------------------------------------------------------------------

    def _question(self, block: Block) -> UserBlock | None:
        """What was asked in the block's turn."""
        asked = [one for one in self.conversation.query(UserBlock) if one.turn == block.turn]
        return asked[0] if asked and block.turn else None

    def _again(self, block: Block) -> None:
        """Sends the same once more, at the end of the conversation."""
        asked = self._question(block)
        if asked is None or self._home is None:
            self.notify("What was asked is not shown here.")
            return
        self._outbox.wait(self._key, self._addressed(asked), asked.attachments)
        # Waiting to be sent is not what the person is writing.
        self._outbox.type(self._key, self.composer.text, self.composer.attachments)
        self._outbox.held.discard(self._key)
        self._home.sender.deliver(self._key)
        self.draw_waiting()
        self.conversation.follow()
        self.write()

    def _addressed(self, asked: UserBlock) -> str:
        """Its words, to who answered them where another one would now."""
        from .shown.reply import ReplyBlock

        replies = [one for one in self.conversation.query(ReplyBlock) if one.turn == asked.turn]
        slug = replies[0].agent if replies else ""
        here = slug in ("", self.speaker) or asked.text.startswith("@")
        return asked.text if here else f"@{slug} {asked.text}"

    # -- branching ---------------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def edit(self, block: Block) -> None:
        """The question goes into the composer, of a branch without it; sending it is up to the
        person."""
        asked = self._question(block)
        if asked is None or not asked.message_id or (home := self._home) is None:
            self.notify("What was asked is not shown here.")
            return
        try:
            before = await home.asking.before(asked.message_id)
            if before:
                await self._go_on_in_branch(home, before)
            else:
                await home.listener.open(None, agent=self.speaker)
        except SkillAgentError as error:
            self.notify(error.hint or "", title=error.message, severity="warning", markup=False)
            return
        kept = self.composer.text.strip() if self._key == NEW else ""
        text = f"{asked.text}\n\n{kept}" if kept and kept != asked.text else asked.text
        self.composer.put(text, asked.attachments)
        self.write()

    @work(exclusive=True, group="dialog")
    async def branch(self, block: Block) -> None:
        """A new conversation with all up to here; of a question, with what was answered to it."""
        if (home := self._home) is None:
            return
        last = self._last_of(block)
        if last is None:
            self.notify("That is not in the ledger yet.")
            return
        try:
            await self._go_on_in_branch(home, last)
        except SkillAgentError as error:
            self.notify(error.hint or "", title=error.message, severity="warning", markup=False)
            return
        self.notify("This is a branch; the conversation it came of is as it was.")
        self.write()

    def _last_of(self, block: Block) -> str | None:
        """The last message of the block's turn."""
        of_turn = [one for one in self.conversation.query(Block) if one.turn == block.turn]
        known = [one.message_id for one in of_turn if one.message_id]
        return known[-1] if known and block.turn else None

    async def _go_on_in_branch(self, home: "OpenHome", upto: str) -> None:
        made = await home.runtime.conversations.branch(self.session_id or "", upto=upto)
        await home.listener.open(made)

    # -- keeping -----------------------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_export(self) -> None:
        """Writes the conversation to a file, where and as the person says."""
        from .export_dialog import ExportDialog

        if (home := self._home) is None or not self.session_id:
            self.notify("There is no conversation yet.")
            return
        told = await self.app.push_screen_wait(ExportDialog(home.runtime, self.session_id))
        if told:
            self.notify(told, title="Exported")
