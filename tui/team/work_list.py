"""The list of team work: each collaboration and task a row, what is part of it below, inset."""

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content

from skill_agent.workstation.branches import Branch, figures, flat

from ..frame.agents import AgentList, Member
from ..frame.listing import Listing, Row
from ..frame.plain import one_line


class WorkList(Listing[Branch]):
    """Keeps which piece of work is chosen."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.agents = AgentList()

    @property
    def branches(self) -> list[Branch]:
        return self.things

    def put_all(self, roots: Sequence[Branch], now: datetime, *, choose: str | None = None) -> None:
        """Replaces the rows."""
        self.put([self._row(one, depth, now) for depth, one in flat(roots)], choose=choose)

    def _row(self, branch: Branch, depth: int, now: datetime) -> Row[Branch]:
        mark, colour = mark_of(branch)
        member = self.agents[branch.agent]
        inset = "   " * depth
        facts = " · ".join(part for part in (_name(branch, member), figures(branch, now)) if part)
        title = branch.heading if depth else branch.title
        return Row(
            branch.id,
            Content.assemble(
                inset,
                (f"{mark} ", f"bold {colour}"),
                (one_line(title, 200), "" if not branch.ended else "$foreground-muted"),
                (f"\n{inset}  ", ""),
                (f"{branch.state}", colour),
                ("  ● ", accent(member)),
                (facts, "$foreground-muted"),
            ),
            branch,
        )


def _name(branch: Branch, member: Member) -> str:
    kind = branch.pattern.replace("_", " ")
    return f"{member.name} leads · {kind}" if kind else member.name


def mark_of(branch: Branch) -> tuple[str, str]:
    """One sign for its state, and the colour."""
    match branch.status:
        case "completed":
            return "✓", "$success"
        case "failed" | "timed_out":
            return "✗", "$error"
        case "cancelled":
            return "■", "$warning"
        case "pending" | "planning":
            return "·", "$foreground-muted"
        case _:
            return "▸", "$accent"


def accent(member: Member) -> str:
    return f"${member.accent.replace('accent-', 'agent-')}"
