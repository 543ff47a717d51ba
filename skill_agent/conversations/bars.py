"""Horizontal bars of blocks, to an eighth of a column, or of plain signs."""

_EIGHTHS = " ▏▎▍▌▋▊▉"
_WHOLE, _PLAIN = "█", "#"
BLOCKS = _WHOLE + _EIGHTHS
"""What a terminal must be able to write for the fine ones."""


def bar(share: float, room: int, *, blocks: bool = True) -> str:
    """As wide as `room`, filled by the share (0 to 1); what is more than nothing is to be seen."""
    share = min(max(share, 0.0), 1.0)
    if not blocks:
        return (_PLAIN * max(round(share * room), share > 0)).ljust(room)
    eighths = max(round(share * room * 8), int(share > 0))
    return (_WHOLE * (eighths // 8) + _EIGHTHS[eighths % 8].strip()).ljust(room)
