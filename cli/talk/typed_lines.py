"""Lines a person types at a terminal, told from a text they paste between them."""

import select
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from skill_agent.text.attachments import is_long_paste

_TOGETHER_S = 0.03
"""Lines that follow so soon were not typed."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said: a line, or all of what was pasted at once."""

    text: str
    pasted: bool = False
    piped: bool = False
    """A program wrote it, not the person."""


class TypedLines:
    """Reads what comes at once as one block.

    A terminal that marks a paste hands it over whole; another one as so many lines. A small block
    is given line by line, as if typed.
    """

    def __init__(
        self, read: Callable[[str], str] = input, more: "Callable[[], bool] | None" = None
    ) -> None:
        """`more` tells whether another line is there already."""
        self._read, self._more = read, more or _is_there
        self._left: deque[str] = deque()

    def next(self, prompt: str) -> Said:
        """Raises EOFError and KeyboardInterrupt as `input` does."""
        if self._left:
            return Said(self._left.popleft())
        block = [self._read(prompt)]
        while self._more():
            try:
                block.append(self._read(""))
            except EOFError:
                break
        text = "\n".join(block)
        if is_long_paste(text):
            return Said(text, pasted=True)
        self._left.extend(block[1:])
        return Said(block[0])


def _is_there() -> bool:
    try:
        return bool(select.select([sys.stdin], [], [], _TOGETHER_S)[0])
    except (OSError, ValueError):  # a console that cannot be asked, or a stream that is closed
        return False
