"""What the person writes: drafts, what waits to be sent, what was taken back."""

import asyncio
import os
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import SuspendNotSupported
from textual.widgets import TextArea

from skill_agent.errors import UsageError

from .completing import Completing
from .foot.composer import Composer
from .foot.drafts import Queued
from .foot.footer import chip, said_of
from .foot.wish import as_typed, as_words

if TYPE_CHECKING:
    from .foot.editor import EditedFile
    from .foot.unsent import Unsent


class Writing(Completing):
    """The composer's wishes."""

    def draw_waiting(self) -> None:
        """The messages that wait, above the composer."""
        waiting = [_in_brief(one) for one in self._outbox.waiting(self._key)]
        slow = self._outbox.on_its_way(self._key) if self._slow else []
        self.footer.show_waiting(
            waiting, held=self._key in self._outbox.held, on_its_way=[*map(_in_brief, slow)]
        )

    def sends_slowly(self, slowly: bool) -> None:
        self._slow = slowly
        self.draw_waiting()

    @on(TextArea.Changed, "#composer")
    def keep_draft(self) -> None:
        self._type(self._key)

    @on(Composer.Attached)
    def pasted(self) -> None:
        self._type(self._key)
        self.footer.show_pasted(self.composer.attachments)

    def _type(self, key: str) -> None:
        self._outbox.type(key, self.composer.text, self.composer.attachments)

    @on(Composer.Sent)
    def send(self, event: Composer.Sent) -> None:
        message = None
        if not event.written.empty:
            words = as_words(event.written.text)
            message = self._outbox.wait(self._key, words, event.written.attachments)
        self._outbox.held.discard(self._key)
        if self._home is not None:
            if message is not None and event.now and self._may_steer(message):
                self._home.sender.steer(self._key, message)
            self._home.sender.deliver(self._key)
        self.draw_waiting()

    def _may_steer(self, message: Queued) -> bool:
        """A reply that runs is told words; what lies beside them goes with a message of its own."""
        if not self.turns.of(self._key):
            return False
        if message.attachments:
            self.notify(
                "What lies beside your words cannot be told: they are sent when it is done."
            )
        return not message.attachments

    @on(Composer.TakeBack)
    def take_back(self) -> None:
        waiting = self._outbox.waiting(self._key)
        if waiting and (message := self._outbox.take_out(self._key, waiting[-1].key)):
            self._edit_again(message, between="")  # a key may have been quicker
        self.draw_waiting()

    def give_back(self, key: str, error_text: str) -> None:
        if key == self._key and self.composer.written.empty:
            if (message := self._outbox.take_back(key, 0)) is not None:
                self.composer.put(as_typed(message.text), message.attachments)
            self.draw_waiting()
        else:
            self.hold(key, error_text)

    def hold(self, key: str, error_text: str) -> None:
        self._outbox.held.add(key)
        if key == self._key:
            self.draw_waiting()
        else:
            self.notify(error_text, severity="error", markup=False)

    # -- what was sent, and what is not -------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_history(self) -> None:
        """What the person sent before; the chosen text stands in the composer."""
        from .foot.past_words import PastWords

        here = [one.text for one in self.composer.sent]
        runtime = self._home.runtime if self._home else None
        text = await self.app.push_screen_wait(PastWords(here, runtime))
        self.write()
        if text is not None:
            written = self.composer.written
            kept = f"{written.text.rstrip()}\n" if written.text.strip() else ""
            self.composer.put(
                kept + (text if kept else as_typed(as_words(text))), written.attachments
            )

    @work(exclusive=True, group="dialog")
    async def action_unsent(self) -> None:
        """What lies beside the words and what waits, one by one."""
        from .foot.unsent import UnsentList

        if not self._unsent():
            self.notify("Nothing lies beside your words, and nothing waits.")
            return
        chosen = await self.app.push_screen_wait(UnsentList(self._unsent, self._take_out))
        self.write()
        if chosen is not None and (message := self._outbox.take_out(self._key, chosen.ref)):
            self._edit_again(message)
        self.draw_waiting()

    def _unsent(self) -> "list[Unsent]":
        from .foot.unsent import Unsent

        beside = enumerate(self.composer.attachments)
        return [
            *(Unsent("beside", str(at), chip(one), said_of(one)) for at, one in beside),
            *(
                Unsent("waiting", one.key, _in_brief(one), _in_full(one))
                for one in self._outbox.waiting(self._key)
            ),
        ]

    def _take_out(self, one: "Unsent") -> None:
        if one.kind == "beside":
            self.composer.take_out(int(one.ref))
        else:
            self._outbox.take_out(self._key, one.ref)
            self.draw_waiting()

    def _edit_again(self, message: Queued, *, between: str = "\n") -> None:
        written = self.composer.written
        texts = [part for part in (as_typed(message.text), written.text) if part.strip()]
        self.composer.put(between.join(texts), (*message.attachments, *written.attachments))

    # -- the person's own editor --------------------------------------------------------------

    @work(exclusive=True, group="dialog")
    async def action_editor(self) -> None:
        from .foot.editor import EditedFile, editor_of

        key, text = self._key, self.composer.text
        file = None
        try:
            command = editor_of(os.environ)
            file = await asyncio.to_thread(EditedFile, text)
            await self._edit(file, command)
            edited = await asyncio.to_thread(file.text)
        except (UsageError, SuspendNotSupported, OSError) as error:
            hint = error.hint if isinstance(error, UsageError) else "it needs a terminal of its own"
            self.notify(hint or "", title=_why(error), severity="warning", markup=False)
            return
        finally:
            if file is not None:
                await asyncio.to_thread(file.remove)
        if key != self._key:
            self._outbox.type(key, edited, self._outbox.draft(key).attachments)
        else:
            self.composer.put(edited, self.composer.attachments)
            self.write()

    async def _edit(self, file: "EditedFile", command: list[str]) -> None:
        """The screen is the editor's meanwhile, and nobody draws on it; turns go on."""
        from .foot.editor import keys_are_the_editors

        with self.app.batch_update(), self.app.suspend(), keys_are_the_editors():
            await asyncio.to_thread(file.edit, command)


def _in_brief(message: Queued) -> str:
    return " ".join([*map(chip, message.attachments), message.text])


def _in_full(message: Queued) -> str:
    return "\n\n".join([message.text, *map(said_of, message.attachments)]).strip()


def _why(error: Exception) -> str:
    if isinstance(error, SuspendNotSupported):
        return "An editor of your own cannot open here"
    return error.message if isinstance(error, UsageError) else str(error)
