"""Bars of a thin line, as they stand in lists and beside figures."""

from textual.content import Content


def line_bar(share: float, room: int, ink: str, *, rest: str = "╌") -> Content:
    """As wide as `room`, filled by the share (0 to 1); what is more than nothing is to be seen."""
    share = min(max(share, 0.0), 1.0)
    filled = max(round(share * room), int(share > 0))
    return Content.assemble(("━" * filled, ink), (rest * (room - filled), "$foreground-muted"))
