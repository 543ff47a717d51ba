"""What of an item is indexed: its dated line for the embedder, its word stems for BM25.

Speaker and date belong into the indexed text: they lift dense recall by half and BM25 by a few
points. The stems are stored beside each row, so a change here needs another `WORDING`.
"""

from skill_agent.memory.words.stemming import stems
from skill_agent.values import IndexItem

WORDING = 3
"""Version of what ends up in a stored row: everything here and in `words.stemming`, and `[words]`
and `[time]` of the languages."""
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def dated_line(item: IndexItem) -> str:
    """`speaker (8 May 2023): text`, the line that is embedded; the day is that of the item's own
    time zone."""
    day = f"{item.created_at.day} {_MONTHS[item.created_at.month - 1]} {item.created_at.year}"
    return f"{item.speaker} ({day}): {item.text}" if item.speaker else f"({day}) {item.text}"


def item_stems(item: IndexItem) -> list[str]:
    """The stems of the dated line, and of the subject's words for a memory."""
    subject = (item.subject or "").replace(".", " ").replace("_", " ")
    return stems(f"{dated_line(item)} {subject}")
