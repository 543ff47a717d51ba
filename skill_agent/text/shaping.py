"""Text made to fit: on one line, its length in tokens."""

CHARS_PER_TOKEN = 3.5
"""Rule of thumb of the seed for English text."""


def estimate_tokens(text: str) -> int:
    """Tokens of a text by its length, rounded up."""
    return int(len(text) / CHARS_PER_TOKEN) + 1


def one_line(text: str, limit: int = 0) -> str:
    """White space folded; cut at `limit` characters with an ellipsis where given."""
    folded = " ".join(text.split())
    return folded if not limit or len(folded) <= limit else folded[: limit - 1].rstrip() + "…"
