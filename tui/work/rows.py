"""Background work as rows of a list, and in the status line."""

from collections.abc import Sequence

from textual.content import Content
from textual.widgets.option_list import Option

from skill_agent.values import Work, WorkState

from ..frame.plain import one_line

_CELLS = 12
"""Of a bar of progress."""


def mark_of(state: WorkState) -> tuple[str, str]:
    """One sign for a state, and the colour."""
    match state:
        case "completed":
            return "✓", "$success"
        case "failed" | "dead":
            return "✗", "$error"
        case "cancelled":
            return "■", "$warning"
        case "paused":
            return "‖", "$warning"
        case "waiting_hitl":
            return "?", "$warning"
        case "pending":
            return "·", "$foreground-muted"
        case _:
            return "▸", "$accent"


def row_of(work: Work) -> Option:
    mark, colour = mark_of(work.state)
    told = work.error or work.message or one_line(work.result, 200)
    return Option(
        Content.assemble(
            (f"{mark} ", f"bold {colour}"),
            (one_line(work.title, 200), "$foreground-muted" if work.ended else ""),
            ("\n  ", ""),
            (words_of(work), colour),
            (f"  {_bar(work.progress)}" if not work.ended else "", "$accent"),
            (f"  {one_line(told, 300)}" if told else "", "$foreground-muted"),
        ),
        id=work.id,
    )


def words_of(work: Work) -> str:
    words = {"waiting_hitl": "waits for you", "dead": "given up", "cancelled": "stopped"}
    told = words.get(work.state, work.state)
    return told if work.ended or work.state == "pending" else f"{told} {work.progress:.0%}"


def _bar(progress: float) -> str:
    filled = round(progress * _CELLS)
    return "━" * filled + "╌" * (_CELLS - filled)


def in_brief(works: Sequence[Work]) -> str:
    """What goes on, for a status line; empty where nothing does."""
    under_way = [one for one in works if one.state in ("running", "waiting_hitl")]
    if not under_way:
        return ""
    first, more = under_way[0], len(under_way) - 1
    return f"{one_line(first.title, 30)} {first.progress:.0%}" + (f" +{more}" if more else "")
