"""Texts that came beside a person's words, as a person is told of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .origins import ARRIVED, in_words

if TYPE_CHECKING:  # a screen paints before it loads them
    from skill_agent.values import Attachment, Origin

_MANY_LINES, _MANY_CHARACTERS = 10, 1_000


def is_long_paste(text: str) -> bool:
    """Whether a pasted text is so long that it stands beside the words rather than in them."""
    # Terminals send a carriage return for each line of what is pasted.
    return len(text.strip().splitlines()) > _MANY_LINES or len(text) > _MANY_CHARACTERS


def size_of(text: str) -> str:
    """How much it is: lines, or characters where it is one line."""
    lines = text.strip("\n").count("\n") + 1
    return f"{lines:,} lines" if lines > 1 else f"{len(text):,} characters"


def label(one: "Attachment") -> str:
    """What a text is and who it is from: `Pasted 500 lines`, `File notes.txt, 12 lines`."""
    name = " ".join(one.name.split())
    return f"{ARRIVED[one.origin].capitalize()} {f'{name}, ' if name else ''}{size_of(one.text)}"


def writers(origins: "Sequence[Origin]") -> str:
    """Who wrote what stands in a conversation: `text from the web and a pipe`; empty for none."""
    return f"text from {in_words(origins)}" if origins else ""
