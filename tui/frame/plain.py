"""Text of any origin made fit for a screen.

Models, tools, memories and pasted text may hold terminal control sequences; none may reach the
terminal. Direction overrides go too, for they can make an approval read as something else.
"""

import re
from datetime import datetime

_UNFIT = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # an operating system command, with what it carries
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"  # colours, cursor movements
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """The text with line breaks and tabs, without anything that drives a terminal."""
    return _UNFIT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: object, width: int) -> str:
    """The text on one line, cut with an ellipsis."""
    flat = " ".join(printable(str(text)).split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"


def shown_time(moment: datetime) -> str:
    """Local date and time to the minute."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
