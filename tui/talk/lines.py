"""What happened in a turn, as lines: the same while it happens and when it is read later."""

from textual.widget import Widget

from skill_agent.conversations.in_words import BROKEN_OFF, answered, answered_by, cut_short
from skill_agent.events import HandedOff, SeatChanged, TurnFailed
from skill_agent.values import Choice, Usage

from ..frame.agents import AgentList
from ..frame.plain import one_line
from .blocks import ErrorBlock, Line

SHOWN_SAVED = 240
"""Characters of what was saved; all of it stands where one takes it back."""


def saved(content: str, *, pinned: bool) -> Line:
    """Something that was kept in memory."""
    detail = f"{'pinned · ' if pinned else ''}undo: F6, Enter, f"
    return Line("✓", f"Saved to memory: {one_line(content, SHOWN_SAVED)}", detail, kind="saved")


def decision(choice: Choice, by: str) -> Line:
    """What was answered where a call had to be allowed."""
    kind = "warning" if choice == "deny" else "info"
    return Line("·", answered(choice), answered_by(choice, by), kind=kind)


def warning(text: str) -> Line:
    """What one should know of a reply; it stands below it."""
    return Line("!", text, kind="warning")


def summed_up(line: str) -> Line:
    """Earlier messages that stand in the prompt as a summary from now on."""
    return Line("·", line)


def seat(event: HandedOff | SeatChanged, agents: AgentList) -> Line:
    """Who came, who went, and who has the conversation now."""
    name = agents[event.agent].name
    if isinstance(event, SeatChanged):
        change = "was invited" if event.change == "invited" else event.change
        return Line("·", f"{name} {change}")
    why = f": {event.reason}" if event.reason else ""
    return Line("·", one_line(f"{agents[event.came_from].name} hands over to {name}{why}", 300))


def stopped(event: TurnFailed) -> Line | None:
    """The last line of a reply that did not come to its end."""
    kept = bool(event.text)
    if said := cut_short(event.reason, kept=kept):
        return Line("■", said, event.hint, kind="warning")
    return Line("■", BROKEN_OFF, kind="warning") if kept else None


def error(event: TurnFailed, name: str) -> Widget | None:
    """Why a turn went wrong, which stands below its reply; nothing for one that was stopped."""
    if cut_short(event.reason, kept=False):
        return None
    return ErrorBlock(f"{name} could not answer", event.message, event.hint)


def figures(usage: Usage | None, *, recalled: int = 0) -> str:
    """The quiet line under a reply; times under a second say nothing and are left out."""
    if usage is None:
        return ""
    parts = [f"{usage.completion_tokens} tokens"] if usage.completion_tokens else []
    if usage.total_s >= 1:
        parts.append(f"{usage.total_s:.1f} s")
    if usage.prompt_tokens and usage.cached_tokens:
        parts.append(f"{round(100 * usage.cached_tokens / usage.prompt_tokens)}% cached")
    if recalled:
        parts.append(f"{recalled} recalled")
    return " · ".join(parts)
