"""Text made to fit: on one line, unable to close a data block, its length in tokens."""

import re

CHARS_PER_TOKEN = 3.5
"""Rule of thumb of the seed for English text."""


def estimate_tokens(text: str) -> int:
    """Tokens of a text by its length, rounded up."""
    return int(len(text) / CHARS_PER_TOKEN) + 1


def one_line(text: str, limit: int = 0) -> str:
    """White space folded; cut at `limit` characters with an ellipsis where given."""
    folded = " ".join(text.split())
    return folded if not limit or len(folded) <= limit else folded[: limit - 1].rstrip() + "…"


def defuse(text: str) -> str:
    """Recalled text on one line, unable to close or open our data blocks."""
    return one_line(unfenced(text))


def unfenced(text: str) -> str:
    """Text in which nothing closes or opens our data blocks."""
    return re.sub(r"<(/?)\s*(recalled|summary|computed)", r"<\1 \2", text, flags=re.IGNORECASE)
