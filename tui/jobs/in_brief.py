"""Background work in the status line."""

from collections.abc import Sequence

from skill_agent.values import Work

from ..frame.plain import one_line


def in_brief(works: Sequence[Work]) -> str:
    """What goes on, for a status line; empty where nothing does."""
    under_way = [one for one in works if one.state in ("running", "waiting_hitl")]
    if not under_way:
        return ""
    first, more = under_way[0], len(under_way) - 1
    return f"{one_line(first.title, 30)} {first.progress:.0%}" + (f" +{more}" if more else "")
