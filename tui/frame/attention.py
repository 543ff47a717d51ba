"""Telling a person who looks elsewhere: the bell, a notification of the terminal, the title.

Nothing is told while the terminal has the focus, unless the settings want it always. A terminal
that never says whether it has the focus is taken for one that has it; its bell alone rings there.
"""

import time
from collections.abc import Callable, Mapping

from .plain import one_line
from .terminal import POP_TITLE, PUSH_TITLE

LONGEST = 160
BETWEEN_BELLS = 1.0
"""Seconds; one thing may have several reasons to ring."""


class Attention:
    """One window's. `write` takes what the terminal is told."""

    def __init__(
        self,
        write: Callable[[str], None],
        environ: Mapping[str, str],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write, self._environ, self._now = write, environ, now
        self._notify, self._bell, self._rang = "unfocused", True, -BETWEEN_BELLS
        self.focused: bool | None = None
        """None until the terminal says."""
        self._title = ""

    def use(self, *, notify: str | None = None, bell: bool | None = None) -> None:
        """What the settings want; what is not given stays as it is."""
        self._notify = self._notify if notify is None else notify
        self._bell = self._bell if bell is None else bell

    # -- what is told --------------------------------------------------------------------------

    @property
    def away(self) -> bool:
        """Whether the person is to be told, for they do not look here."""
        wanted = self._notify
        return wanted == "always" or (wanted == "unfocused" and self.focused is False)

    def tell(self, words: str) -> None:
        """A notification, and the bell."""
        body = one_line(words, LONGEST)
        for sequence in _notifications(body, self._environ):
            self._write(_through(sequence, self._environ))
        self.ring()

    def ring(self) -> None:
        """The bell, where it is wanted; tmux marks its window by it."""
        here = self.focused is True and self._notify != "always"
        soon = self._now() - self._rang < BETWEEN_BELLS
        if self._bell and self._notify != "never" and not here and not soon:
            self._rang = self._now()
            self._write("\x07")

    # -- the title -----------------------------------------------------------------------------

    def entitle(self, *, name: str, title: str, waiting: int, busy: bool) -> None:
        """`(2) ● Kyra — Deploying`: what waits, that a reply is being made, who, and what about."""
        told = f"({waiting}) " if waiting else ""
        told += "● " if busy else ""
        told += name or "skill-agent"
        told += f" — {title}" if title else ""
        told = one_line(told, LONGEST)
        if told != self._title:
            self._title = told
            self._show_title()

    def leave(self) -> None:
        """The terminal is somebody else's for a while."""
        self._write(POP_TITLE)

    def come_back(self) -> None:
        """It is ours again."""
        self._write(PUSH_TITLE)
        self._show_title()

    def _show_title(self) -> None:
        if not self._environ.get("TERM", "").startswith("linux"):
            self._write(f"\x1b]2;{self._title}\x1b\\")


def _notifications(body: str, environ: Mapping[str, str]) -> list[str]:
    """OSC 9 or OSC 777: both only where it is not known which one the terminal has, for some have
    both and would tell everything twice."""
    nine, seven = f"\x1b]9;{body}\x1b\\", f"\x1b]777;notify;skill-agent;{body}\x1b\\"
    program, term = environ.get("TERM_PROGRAM", ""), environ.get("TERM", "")
    if term.startswith("linux"):
        return []
    if program in ("iTerm.app", "WezTerm", "ghostty") or term.startswith(
        ("xterm-kitty", "xterm-gh")
    ):
        return [nine]
    if "VTE_VERSION" in environ or term.startswith(("rxvt", "foot")):
        return [seven]
    return [nine, seven]


def _through(sequence: str, environ: Mapping[str, str]) -> str:
    """As tmux hands it on to the terminal around it, where it is allowed to."""
    if "TMUX" not in environ:
        return sequence
    doubled = sequence.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"
