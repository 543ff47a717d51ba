"""Figures as horizontal bars of blocks without colour, for terminals, files and pipes alike."""

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from skill_agent.conversations.bars import BLOCKS, bar

if TYPE_CHECKING:
    from skill_agent.values import UsageRow

_PIPED_WIDTH, _LEAST_BAR = 80, 10
_LONGEST_NAME = 36


def plot_width() -> int:
    """Columns there are; 80 where nobody says."""
    return shutil.get_terminal_size((_PIPED_WIDTH, 24)).columns


def bars(rows: "Sequence[tuple[str, UsageRow]]", width: int) -> list[str]:
    """A line for each row; of what it cost, or of its tokens where nothing cost anything."""
    from rich.cells import cell_len, set_cell_size

    from skill_agent.conversations.usage import drawn_by, usd

    if not rows:
        return ["nothing was used in this time"]
    paid, amounts = drawn_by([row for _, row in rows])
    figures = [usd(one) if paid else f"{one:,.0f} tokens" for one in amounts]
    named = [_cut(name) for name, _ in rows]
    left = max(map(cell_len, named))
    room = max(width - left - max(map(len, figures)) - 4, _LEAST_BAR)
    most, blocks = max(amounts) or 1, _writes_blocks()
    return [
        f"{set_cell_size(name, left)}  {bar(amount / most, room, blocks=blocks)}  {figure}"
        for name, amount, figure in zip(named, amounts, figures, strict=True)
    ]


def _cut(name: str) -> str:
    from rich.cells import cell_len, set_cell_size

    from ..output import without_controls

    name = without_controls(name)
    return name if cell_len(name) <= _LONGEST_NAME else set_cell_size(name, _LONGEST_NAME - 1) + "…"


def _writes_blocks() -> bool:
    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
