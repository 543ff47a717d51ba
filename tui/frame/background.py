"""Whether the terminal is light or dark: asked of it before anything is drawn.

The question is OSC 11; behind it comes one that every terminal answers (DA1), so that one which
does not know the first costs no waiting. What was typed meanwhile is given back. An answer that
comes too late looks to Textual like keys, and is taken out of them.
"""

import os
import re
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass

from textual.events import Key

from .terminal import in_browser

QUESTION = b"\x1b]11;?\x1b\\\x1b[c"
PATIENCE = 0.25
"""Seconds until the terminal counts as one that says nothing."""
LATE = 10.0
"""Seconds in which a late answer is looked for among what is typed."""
BURST = 0.3
"""Seconds after which what began like an answer and did not go on was none."""

_COLOUR = re.compile(
    rb"\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})"
    rb"(?:/[0-9a-fA-F]{1,4})?(?:\x1b\\|\x07)"
)
_KIND = re.compile(rb"\x1b\[\?[\d;]*c")
_LATE = re.compile(r"\^?(?:\]11;rgba?:[0-9a-fA-F/]{3,24}\^?[\\\x07]|\[\?[\d;]*c)")
"""Both answers as Textual's keys: of an escape it makes a caret, or nothing."""
_LATE_HEADS = ("]11;rgb", "[?")
_LATE_PART = re.compile(r"\]11;rgba?:?[0-9a-fA-F/]{0,24}\^?|\[\?[\d;]{0,40}")


@dataclass(frozen=True, slots=True)
class Told:
    """What the terminal said."""

    light: bool | None = None
    """None where it did not say."""
    typed: bytes = b""
    """What the person typed meanwhile."""
    late: bool = False
    """Whether an answer may still come."""


def asks(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is one that can be asked; a console would print the question."""
    known = environ.get("TERM", "") not in ("", "dumb", "unknown", "linux", "cons25")
    return known and not in_browser(environ)


def ask_terminal(given: int = 0, taken: int = 1, *, patience: float = PATIENCE) -> Told:
    """Asks the terminal on these descriptors, where there is one."""
    try:
        import termios
    except ImportError:  # a system without them
        return Told()
    try:
        modes = termios.tcgetattr(given)
        quiet = termios.tcgetattr(given)
        quiet[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(given, termios.TCSANOW, quiet)
    except termios.error:
        return Told()
    try:
        os.write(taken, QUESTION)
        return sorted_out(_read(given, patience))
    except OSError:
        return Told()
    finally:
        termios.tcsetattr(given, termios.TCSANOW, modes)


def _read(given: int, patience: float) -> bytes:
    """All that comes until the terminal has said of what kind it is."""
    end, said = time.monotonic() + patience, b""
    while not _KIND.search(said):
        left = end - time.monotonic()
        if left <= 0 or not select.select([given], [], [], left)[0]:
            break
        if not (piece := os.read(given, 4096)):
            break
        said += piece
    return said


def sorted_out(said: bytes) -> Told:
    """The terminal's words and the person's, from what was read."""
    colour = _COLOUR.search(said)
    typed = _KIND.sub(b"", _COLOUR.sub(b"", said))
    light = is_light(*(part.decode() for part in colour.groups())) if colour else None
    return Told(light=light, typed=typed, late=_KIND.search(said) is None)


def is_light(red: str, green: str, blue: str) -> bool:
    """Of a colour as X writes it: one to four hex digits a part."""
    parts = [int(one, 16) / (16 ** len(one) - 1) for one in (red, green, blue)]
    return 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] > 0.5


def by_environment(environ: Mapping[str, str]) -> bool | None:
    """What `COLORFGBG` says, as rxvt and Konsole set it; None where it says nothing."""
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return int(ground) in (7, *range(9, 16)) if ground.isdecimal() else None


class LateAnswer:
    """Takes an answer that comes too late out of the keys that Textual makes of it."""

    def __init__(self) -> None:
        self._held: list[Key] = []
        self._until = time.monotonic() + LATE

    @property
    def over(self) -> bool:
        """Nothing is looked for any more, and nothing held back."""
        return not self._held and time.monotonic() > self._until

    def passed(self, key: Key) -> list[Key]:
        """The keys that are the person's, which this one lets decide; none while it may be part
        of an answer."""
        self._held.append(key)
        text = "".join(one.character or "\ufffd" for one in self._held)
        body = text.removeprefix("^")
        if _LATE.fullmatch(text):
            self._held = []
        elif not (any(one.startswith(body) for one in _LATE_HEADS) or _LATE_PART.fullmatch(body)):
            return self.let_go()
        return []

    def let_go(self) -> list[Key]:
        """What is held back, which is the person's after all."""
        mine, self._held = self._held, []
        return mine
