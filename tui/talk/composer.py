"""Where the person writes: Enter sends, Ctrl+J breaks the line, Up recalls.

The composer knows nothing of sessions or turns; it posts what the person wants.
"""

import re
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from ..frame.plain import printable

NEWLINE_KEYS = frozenset({"ctrl+j", "newline", "shift+enter", "alt+enter", "ctrl+enter"})
_MENTION = re.compile(r"(?:^|\s)@([A-Za-z][\w-]*)?$")


class Composer(TextArea):
    """A text area of one to ten lines with a history."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "older", show=False),
        Binding("down", "newer", show=False),
        Binding("tab", "tab(1)", show=False),
        Binding("shift+tab", "tab(-1)", show=False),
        Binding("pageup", "screen.page(-1)", show=False),
        Binding("pagedown", "screen.page(1)", show=False),
        Binding("ctrl+c,super+c", "copy_or_stop", show=False),
        Binding("end", "end", show=False),
    ]

    class Sent(Message):
        """The person pressed Enter; `text` is empty when there was nothing written."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class AgentStep(Message):
        """Tab: the next or the previous agent."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class TakeBack(Message):
        """Up in an empty composer: edit the message that waits last."""

    class EndWanted(Message):
        """End where the cursor cannot go further."""

    class StopWanted(Message):
        """Ctrl+C with nothing selected."""

    def __init__(self, *, id: str) -> None:
        super().__init__(
            id=id,
            compact=True,
            soft_wrap=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
            placeholder="Write a message",
        )
        self.sent: list[str] = []
        """What was sent, oldest first."""
        self.waiting = False
        """Whether Up takes back a waiting message before it recalls history."""
        self.mentions: list[str] = []
        """Slugs that `@` completes to."""
        self._recalled: int | None = None

    def on_mount(self) -> None:
        self.cursor_blink = self.app.animation_level != "none"

    def put(self, text: str) -> None:
        """Replaces the text and puts the cursor behind it."""
        self.text = printable(text)
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self._send()
        elif event.key in NEWLINE_KEYS:
            event.stop()
            event.prevent_default()
            start, end = self.selection
            self.replace("\n", start, end)

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = printable(event.text)

    def _send(self) -> None:
        text = self.text.strip()
        self._recalled = None
        if text and (not self.sent or self.sent[-1] != text):
            self.sent.append(text)
        self.post_message(self.Sent(text))
        if text:  # now, or the next key would go with it; on disk it stays until the post has it
            self.put("")

    def action_older(self) -> None:
        if self.waiting and not self.text:
            self.post_message(self.TakeBack())
        elif not self._recall(-1):
            self.action_cursor_up()

    def action_newer(self) -> None:
        if not self._recall(1):
            self.action_cursor_down()

    def action_tab(self, step: int) -> None:
        if step < 0 or not self._complete():
            self.post_message(self.AgentStep(step))

    def action_end(self) -> None:
        if self.cursor_at_end_of_text:
            self.post_message(self.EndWanted())
        self.action_cursor_line_end()

    def action_copy_or_stop(self) -> None:
        selected = self.selected_text or self.screen.get_selected_text()
        if selected:
            self.app.copy_to_clipboard(selected)
        else:
            self.post_message(self.StopWanted())

    def _recall(self, step: int) -> bool:
        """Shows an older or newer sent text; False where the key means the cursor."""
        browsing = self._recalled is not None and self.text == self.sent[self._recalled]
        if not self.sent or (self.text and not browsing) or (not browsing and step > 0):
            return False
        at = self._recalled if browsing and self._recalled is not None else len(self.sent)
        at += step
        if at >= len(self.sent):
            self._recalled = None
            self.put("")
            return True
        self._recalled = max(at, 0)
        self.put(self.sent[self._recalled])
        return True

    def _complete(self) -> bool:
        """Completes an `@mention` before the cursor; False when there is none to complete."""
        row, column = self.cursor_location
        found = _MENTION.search(self.document[row][:column])
        if found is None:
            return False
        typed = (found[1] or "").lower()
        slugs = [slug for slug in self.mentions if slug.startswith(typed)]
        if not slugs or slugs == [typed]:
            return False
        self.replace(f"{slugs[0]} ", (row, column - len(typed)), (row, column))
        return True
