"""What happened in a turn, as lines: the same while it happens and when it is read later."""

from dataclasses import dataclass
from datetime import datetime

from textual.widget import Widget

from skill_agent.conversations.in_words import BROKEN_OFF, answered, answered_by, cut_short
from skill_agent.events import (
    AgentRouted,
    CollaborationChanged,
    HandedOff,
    SeatChanged,
    TaskChanged,
    TurnFailed,
)
from skill_agent.identifiers import parse_time
from skill_agent.text.clock import lately
from skill_agent.values import (
    AgentTask,
    Choice,
    Collaboration,
    CollaborationState,
    TaskState,
    Usage,
)

from ...frame.agents import AgentList
from ...frame.plain import one_line
from .asides import Aside, WorkBlock
from .blocks import ErrorBlock, Line

SHOWN_SAVED = 240
"""Characters of what was saved; all of it stands where one takes it back."""


def saved(content: str, *, pinned: bool) -> Line:
    """Something that was kept in memory."""
    detail = f"{'pinned · ' if pinned else ''}undo: F6→Enter→f"
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


def routed(event: AgentRouted, agents: AgentList) -> Line:
    """Another one answers than the one who was spoken to."""
    name = agents[event.agent].name
    closest = f"it is closest to what {name} does"
    why = closest if event.reason == "skill_match" else event.explanation
    told = f"{name} answers instead of {agents[event.came_from].name}"
    return Line("·", f"{told}: {why}" if why else told)


def seat(event: HandedOff | SeatChanged, agents: AgentList) -> Widget:
    """Who came, who went, and who has the conversation now."""
    name = agents[event.agent].name
    if isinstance(event, SeatChanged):
        change = "was invited" if event.change == "invited" else event.change
        return Line("·", f"{name} {change}")
    why = f": {event.reason}" if event.reason else ""
    return Aside("⇢", f"{agents[event.came_from].name} hands over to {name}{why}")


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
    return ErrorBlock(f"{name} could not answer", event.message, event.hint, turn=event.turn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A piece of team work as its line tells it, live or later."""

    id: str
    turn: str
    """The turn it belongs to."""
    text: str
    status: TaskState | CollaborationState
    problem: str = ""

    @property
    def block(self) -> WorkBlock:
        return WorkBlock(self.id, self.mark, self.text, self.problem, kind=self.kind)

    @property
    def mark(self) -> str:
        return {"completed": "✓", "failed": "✗", "timed_out": "✗", "cancelled": "■"}.get(
            self.status, "▸"
        )

    @property
    def kind(self) -> str:
        return "warning" if self.mark in "✗■" else "info"


def work_told(event: TaskChanged | CollaborationChanged, agents: AgentList) -> Work | None:
    """What an event says of team work; nothing of what is part of another task."""
    if isinstance(event, CollaborationChanged):
        people = len(event.participants)
        return Work(
            id=event.collaboration,
            turn=event.parent or event.turn,
            text=_together(event.pattern, event.goal, people, event.status, event.problem),
            status=event.status,
            problem=event.problem,
        )
    if event.parent_task is not None:
        return None
    text = _task(agents[event.agent].name, event.title, event.status, event.problem)
    return Work(
        id=event.task, turn=event.turn, text=text, status=event.status, problem=event.problem
    )


def work_kept(one: AgentTask | Collaboration, agents: AgentList) -> Work:
    """The same of what the ledger has."""
    if isinstance(one, Collaboration):
        text = _together(one.pattern, one.goal, len(one.participants), one.status, one.error)
        turn = one.parent_turn or one.id
        return Work(id=one.id, turn=turn, text=text, status=one.status, problem=one.error)
    text = _task(agents[one.assigned_to].name, one.title, one.status, one.error)
    turn = one.parent_turn or ""
    return Work(id=one.id, turn=turn, text=text, status=one.status, problem=one.error)


def _task(name: str, title: str, status: str, problem: str) -> str:
    why = f" ({one_line(problem, 80)})" if problem else ""
    return f"{name}: {title} · {status.replace('_', ' ')}{why} · F7"


def _together(pattern: str, goal: str, people: int, status: str, problem: str) -> str:
    why = f" ({one_line(problem, 80)})" if problem else ""
    kind = f"{pattern.replace('_', ' ')} of {people} agents"
    return f"{kind}: {goal} · {status.replace('_', ' ')}{why} · F7"


def figures(usage: Usage | None) -> list[str]:
    """What a reply took, the least telling first; times under a second say nothing and are left
    out."""
    if usage is None:
        return []
    parts: list[str] = []
    if usage.prompt_tokens and usage.cached_tokens:
        parts.append(f"{round(100 * usage.cached_tokens / usage.prompt_tokens)}% cached")
    if usage.completion_tokens:
        count = usage.completion_tokens
        parts.append(f"{count:,} {'token' if count == 1 else 'tokens'}")
    if usage.total_s >= 1:
        parts.append(f"{usage.total_s:.1f} s")
    return parts


def when(moment: datetime | str) -> str:
    """When something was said; nothing where it is not known."""
    if isinstance(moment, datetime):
        return lately(moment)
    try:
        return lately(parse_time(moment)) if moment else ""
    except (ValueError, OverflowError):
        return ""
