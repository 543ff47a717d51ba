"""F1: every key on one page. The README's list of keys is made from the same table."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

TEAM_KEYS = "What the team does (F7 or Ctrl+T, and back with Esc)"
INBOX_KEYS = "The inbox (F8, and back with Esc)"
WORK_KEYS = "Work in the background (F9, and back with Esc)"
MEMORY_KEYS = "All memories (F5 or Ctrl+L, and back with Esc)"
KEYS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Writing",
        (
            ("Enter", "send; while a reply runs: queue"),
            ("Ctrl+J, Shift+Enter", "new line"),
            ("Up, Down", "when empty: edit a queued message, then what you sent before"),
            ("@name", "ask another agent once; Tab completes the name"),
            ("Esc", "stop the reply; what came stays"),
        ),
    ),
    (
        "Agents and conversations",
        (
            ("Tab, Shift+Tab", "next, previous agent"),
            ("Ctrl+G", "list of agents"),
            ("Ctrl+S", "conversations: filter, resume, rename"),
            ("Ctrl+N", "new conversation"),
        ),
    ),
    (
        "Reading",
        (
            ("PgUp, PgDn", "scroll; the view stays where you put it"),
            ("Ctrl+End", "to the newest text, and follow it (End at the end of your text)"),
            ("Alt+Up, Alt+Down", "step through the messages: c copies, Enter opens a tool call"),
            ("Ctrl+Y", "copy the last reply"),
            ("+ or u, - or d", "on a reply: it was good, it was not"),
            ("p", "on a reply: what the model was sent for it, and what was left out"),
            ("Ctrl+R, F3", "what was recalled, and why; F4 shows every signal"),
            ("F6", "into that column: Up and Down, Enter for a memory's story"),
        ),
    ),
    (
        MEMORY_KEYS,
        (
            ("/", "search by words or meaning; Down or Enter to what was found"),
            ("t, a, s", "filter by type, by the agent who sees it, by state; Shift: backwards"),
            ("d, v, x", "only disputes, only what to review, no filters"),
            ("Tab, Enter", "to the story: where it came from, what became of it"),
            ("e, p", "correct it, pin or unpin it"),
            ("f, r", "forget it, take it back"),
            ("Shift+E", "erase it for ever, with all that repeats it"),
            ("Enter or w", "on a disputed one: decide which is right"),
            ("c", "copy it"),
        ),
    ),
    (
        TEAM_KEYS,
        (
            ("Enter", "all that was said in a task; Esc back to the list"),
            ("c, C", "stop the chosen one with all that is part of it; stop all"),
            ("w", "write to the agent that is at work"),
            ("r", "begin anew what failed or was stopped; a collaboration goes on"),
            ("y", "copy the result"),
        ),
    ),
    (
        INBOX_KEYS,
        (
            ("Enter", "read it; Esc back to the list"),
            ("o", "go on in the conversation it came from"),
            ("a, m", "put it away; mark it as read or unread"),
            ("d", "deliver again what was given up, failed or is held"),
            ("y", "copy it"),
        ),
    ),
    (
        WORK_KEYS,
        (
            ("p", "pause the chosen one, or have it go on"),
            ("c", "stop it; what there is of it stays"),
            ("r", "do it once more after it failed or was stopped"),
            ("y", "copy the result"),
        ),
    ),
    (
        "The rest",
        (
            ("F2", "answer what waits: o once, a always, d deny, r what to do instead"),
            ("Ctrl+P", "all commands, themes"),
            ("Ctrl+Q", "quit; drafts are kept"),
        ),
    ),
)


class KeyHelp(ModalScreen[None]):
    """Closes with Esc, F1 or q."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "dismiss(None)", "Close", show=False),
    ]

    def __init__(self, *, first: str = "") -> None:
        """`first` is the title of the part to begin with."""
        super().__init__()
        self._parts = sorted(KEYS, key=lambda part: part[0] != first)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -wide -tall"):
            yield Static("Keys", classes="dialog-title")
            with VerticalScroll():
                for title, keys in self._parts:
                    yield Static(title, classes="help-section")
                    for key, what in keys:
                        yield KeyLine(key, what)
            yield Static("Esc closes", classes="keys")


class KeyLine(Horizontal):
    """A key and what it does; below each other where it is narrow."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(classes="help-line")
        self._key, self._what = key, what

    def compose(self) -> ComposeResult:
        yield Static(self._key, markup=False, classes="key")
        yield Static(self._what, markup=False, classes="what")
