"""Text of any origin made fit for a screen.

Models, tools, memories and pasted text may hold terminal control sequences; none may reach the
terminal. Direction overrides and what nobody sees are shown as such, for they can make an approval
read as something else.
"""

import re
from datetime import datetime

from skill_agent.text import printing
from skill_agent.text.clock import minute_of

_SEQUENCE = re.compile(r"\x1b\[[0-?]{0,99}[ -/]{0,9}[@-~]")
"""Colours and cursor movements, which say nothing where they do nothing."""


def printable(text: str) -> str:
    """The text with line breaks and tabs, without anything that drives a terminal."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return printing.printable(_SEQUENCE.sub("", lines))


def one_line(text: object, width: int) -> str:
    """The text on one line, cut with an ellipsis."""
    flat = " ".join(printable(str(text)).split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def shown_time(moment: datetime) -> str:
    """Local date and time to the minute."""
    return minute_of(moment)
