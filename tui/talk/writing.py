"""What the person writes: drafts, what waits to be sent, what was taken back."""

from textual import on
from textual.widgets import TextArea

from .completing import Completing
from .foot.composer import Composer
from .foot.footer import chip
from .foot.wish import as_typed, as_words


class Writing(Completing):
    """The composer's wishes."""

    def draw_waiting(self) -> None:
        """The messages that wait, above the composer."""
        waiting = [
            " ".join([*map(chip, one.attachments), one.text])
            for one in self._outbox.draft(self._key).waiting
        ]
        if self._outbox.sending(self._key):
            waiting = waiting[1:]
        self.footer.show_waiting(waiting, held=self._key in self._outbox.held)

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
        if not event.written.empty:
            words = as_words(event.written.text)
            self._outbox.wait(self._key, words, event.written.attachments)
        self._outbox.held.discard(self._key)
        if self._home is not None:
            self._home.sender.deliver(self._key)
        self.draw_waiting()

    @on(Composer.TakeBack)
    def take_back(self) -> None:
        if (message := self._outbox.take_back(self._key)) is not None:
            written = self.composer.written  # a key may have been quicker
            beside = (*message.attachments, *written.attachments)
            self.composer.put(as_typed(message.text) + written.text, beside)
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
