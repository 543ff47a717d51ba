"""The list of team work: each collaboration and task a row, what is part of it below, inset."""

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from skill_agent.workstation.branches import Branch, figures, flat

from ..frame.agents import AgentList, Member
from ..frame.plain import one_line


class WorkList(OptionList):
    """Remembers which piece of work is chosen by its id, whatever the rows around it do."""

    class Chosen(Message):
        """Another one is highlighted."""

        def __init__(self, branch: Branch) -> None:
            super().__init__()
            self.branch = branch

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._branches: dict[str, Branch] = {}
        self.agents = AgentList()

    @property
    def chosen(self) -> Branch | None:
        option = self.highlighted_option
        return self._branches.get(option.id or "") if option else None

    @property
    def branches(self) -> list[Branch]:
        return list(self._branches.values())

    def put(self, roots: Sequence[Branch], now: datetime, *, choose: str | None = None) -> None:
        """Replaces the rows; the chosen one stays, or the one given is chosen."""
        rows = list(flat(roots))
        wanted = choose or (self.chosen.id if self.chosen else None)
        scrolled = self.scroll_y
        self._branches = {one.id: one for _, one in rows}
        with self.app.batch_update(), self.prevent(OptionList.OptionHighlighted):
            self.clear_options()
            self.add_options([self._row(one, depth, now) for depth, one in rows])
            if rows:
                self.scroll_to(y=scrolled, animate=False, immediate=True)
                ids = list(self._branches)
                self.highlighted = ids.index(wanted) if wanted in self._branches else 0
        if self.chosen is not None:
            self.post_message(self.Chosen(self.chosen))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if branch := self._branches.get(event.option.id or ""):
            self.post_message(self.Chosen(branch))

    def _row(self, branch: Branch, depth: int, now: datetime) -> Option:
        mark, colour = mark_of(branch)
        member = self.agents[branch.agent]
        inset = "   " * depth
        facts = " · ".join(part for part in (_name(branch, member), figures(branch, now)) if part)
        title = branch.heading if depth else branch.title
        return Option(
            Content.assemble(
                inset,
                (f"{mark} ", f"bold {colour}"),
                (one_line(title, 200), "" if not branch.ended else "$foreground-muted"),
                (f"\n{inset}  ", ""),
                (f"{branch.state}", colour),
                ("  ● ", accent(member)),
                (facts, "$foreground-muted"),
            ),
            id=branch.id,
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
