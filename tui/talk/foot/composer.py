"""Where the person writes: Enter sends, Ctrl+J breaks the line, Up recalls.

The composer knows nothing of sessions or turns; it posts what the person wants.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from skill_agent.text.attachments import is_long_paste

from ...frame.deeds import Deed, bindings
from ...frame.plain import printable
from ..deeds import COMPOSER
from .drafts import Beside
from .paths import path_in
from .wish import as_typed

NEWLINE_KEYS = frozenset({"ctrl+j", "newline", "shift+enter", "alt+enter"})
HEEDED = frozenset({"enter", "tab", "up", "down", "escape"})
"""Keys that are first for what is suggested."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the person typed, and what they pasted beside it."""

    text: str = ""
    attachments: tuple[Beside, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.text.strip() or self.attachments)


class Composer(TextArea):
    """A text area of one to ten lines with a history."""

    DEEDS: ClassVar[tuple[Deed, ...]] = COMPOSER
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(COMPOSER),
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
        """The person pressed Enter; empty when there was nothing written.

        With `now` it is for the reply that runs, where one does.
        """

        def __init__(self, written: Written, *, now: bool = False) -> None:
            super().__init__()
            self.written, self.now = written, now

    class Attached(Message):
        """Something was pasted beside the text, or taken out again."""

    class PathPasted(Message):
        """What was pasted is the path of something."""

        def __init__(self, path: Path, text: str) -> None:
            super().__init__()
            self.path, self.text = path, text

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
        self.sent: list[Written] = []
        """What was sent, oldest first."""
        self.waiting = False
        """Whether Up takes back a waiting message before it recalls history."""
        self.heed: Callable[[str], bool] = lambda _: False
        """Asked first of the keys in `HEEDED`: whether it took the key."""
        self._recalled: int | None = None
        self._attachments: tuple[Beside, ...] = ()

    @property
    def attachments(self) -> tuple[Beside, ...]:
        """What was pasted and is too long to stand among the words."""
        return self._attachments

    @property
    def written(self) -> Written:
        return Written(self.text, self._attachments)

    def on_mount(self) -> None:
        self.cursor_blink = self.app.animation_level != "none"

    def put(self, text: str, attachments: tuple[Beside, ...] = ()) -> None:
        """Replaces all that is written and puts the cursor behind it."""
        self.text = printable(text)
        self.move_cursor(self.document.end)
        self._lay_beside(attachments)

    def complete(self, row: int, begin: int, name: str) -> None:
        """Puts a name in the place of what was typed of it before the cursor."""
        self.replace(name, (row, begin), self.cursor_location)

    def lay(self, one: Beside) -> None:
        """Lays one more beside the words."""
        self._lay_beside((*self._attachments, one))

    def take_out(self, at: int) -> None:
        """Takes out what lies beside the words at that place."""
        left = [one for index, one in enumerate(self._attachments) if index != at]
        self._lay_beside(tuple(left))

    def _lay_beside(self, attachments: tuple[Beside, ...]) -> None:
        if attachments != self._attachments:
            self._attachments = attachments
            self.post_message(self.Attached())

    async def _on_key(self, event: events.Key) -> None:
        if event.key in HEEDED and self.heed(event.key):
            event.stop()
            event.prevent_default()
        elif event.key == "enter":
            event.stop()
            event.prevent_default()
            self._send()
        elif event.key in NEWLINE_KEYS:
            event.stop()
            event.prevent_default()
            start, end = self.selection
            self.replace("\n", start, end)

    async def _on_paste(self, event: events.Paste) -> None:
        if not is_long_paste(event.text):
            event.text = printable(event.text)
            if path := path_in(event.text):
                self.post_message(self.PathPasted(path, event.text))
            return
        event.stop()
        event.prevent_default()
        self._paste_beside(event.text)

    def action_paste(self) -> None:
        """What was copied in here is pasted like anything else."""
        if is_long_paste(self.app.clipboard):
            self._paste_beside(self.app.clipboard)
        else:
            super().action_paste()

    def _paste_beside(self, pasted: str) -> None:
        from skill_agent.values import Attachment

        text = pasted.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
        self.lay(Attachment(text, origin="paste"))

    def action_steer(self) -> None:
        """Enter means a command where one is written, and so does this."""
        if not self.heed("enter"):
            self._send(now=True)

    def _send(self, *, now: bool = False) -> None:
        # What would be a command but for a blank before it is recalled as words, too.
        written = Written(as_typed(self.text.strip()), self._attachments)
        self._recalled = None
        if not written.empty and (not self.sent or self.sent[-1] != written):
            self.sent.append(written)
        self.post_message(self.Sent(written, now=now))
        if not written.empty:
            # Now, or the next key would go with it; on disk it stays until the post has it.
            self.put("")

    def action_older(self) -> None:
        if self.waiting and self.written.empty:
            self.post_message(self.TakeBack())
        elif not self._recall(-1):
            self.action_cursor_up()

    def action_newer(self) -> None:
        if not self._recall(1):
            self.action_cursor_down()

    def action_tab(self, step: int) -> None:
        self.post_message(self.AgentStep(step))

    def action_delete_left(self) -> None:
        """At the very beginning it takes out what was pasted last."""
        if self._attachments and self.cursor_location == (0, 0) and self.selection.is_empty:
            self._lay_beside(self._attachments[:-1])
        else:
            super().action_delete_left()

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
        browsing = self._recalled is not None and self.written == self.sent[self._recalled]
        if not self.sent or (not browsing and (step > 0 or not self.written.empty)):
            return False
        at = self._recalled if browsing and self._recalled is not None else len(self.sent)
        at += step
        if at >= len(self.sent):
            self._recalled = None
            self.put("")
            return True
        self._recalled = max(at, 0)
        again = self.sent[self._recalled]
        self.put(again.text, again.attachments)
        return True
