"""One piece of work beside the list: what was asked, what came of it; opened, all that was said."""

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.conversations.in_order import Called, Said, in_order
from skill_agent.workstation.branches import Branch

from ..frame.agents import AgentList
from ..frame.plain import one_line, printable, shown_time
from .work_list import mark_of

if TYPE_CHECKING:
    from skill_agent.workstation.past import Past

SHOWN = 20_000
"""Characters of one text that are drawn."""


class WorkPane(VerticalScroll, can_focus=True):
    """Quiet until something is chosen."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.shown: str | None = None
        """The id of what is drawn."""
        self.opened = False
        """Whether its transcript is."""
        self._drawn: tuple[Branch, Past | None] | None = None

    async def tell(self, branch: Branch, agents: AgentList, past: "Past | None" = None) -> None:
        """Draws it; with its `past`, the whole conversation."""
        drawn = replace(branch, tokens_used=0, cost_usd=0.0, children=()), past
        if drawn == self._drawn:
            return  # where one reads is left alone
        self._drawn = drawn
        moved = (branch.id, past is not None) != (self.shown, self.opened)
        self.shown, self.opened = branch.id, past is not None
        await self._fill(_transcript(branch, past, agents) if past else _facts(branch, agents))
        if moved:
            self.scroll_home(animate=False)

    async def say(self, words: str) -> None:
        """Words in its place."""
        self.shown, self.opened, self._drawn = None, False, None
        await self._fill([Static(words, markup=False, classes="empty")] if words else [])

    async def _fill(self, widgets: list[Widget]) -> None:
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all(widgets)


def _facts(branch: Branch, agents: AgentList) -> list[Widget]:
    found = _head(branch, agents)
    if branch.instructions:
        found += _section("Asked", branch.instructions)
    for output in branch.outputs:
        name = f"{agents[output.agent_slug].name}, {one_line(output.stage, 60)}"
        found += _section(name, output.output or output.problem, bad=not output.output)
    if branch.result:
        found += _section("Result", branch.result)
    if branch.kind == "task":
        words = "Enter shows all that was said." if branch.session else "It has not been begun."
        found.append(Static(words, classes="empty"))
    return found


def _transcript(branch: Branch, past: "Past", agents: AgentList) -> list[Widget]:
    found = _head(branch, agents)
    for messages in past.by_turn():
        for asked in (one for one in messages if one.role == "user"):
            found += _section(f"Asked by {branch.created_by}", asked.content)
        for part in in_order([one for one in messages if one.role in ("assistant", "tool")]):
            match part:
                case Said(text=text):
                    found += _section(agents[branch.agent].name, text)
                case Called():
                    result = part.result.content if part.result else ""
                    found += _section(f"⚒ {one_line(part.call.name, 60)}", result)
    if not past.messages:
        found.append(Static("Nothing was said yet, or it was erased.", classes="empty"))
    return found


def _head(branch: Branch, agents: AgentList) -> list[Widget]:
    mark, colour = mark_of(branch)
    tries = f" · try {branch.attempt}" if branch.attempt > 1 else ""
    head = Content.assemble(
        (f"{mark} {branch.state}", f"bold {colour}"),
        (f"  {agents[branch.agent].name}{tries} · {shown_time(branch.created_at)}",
         "$foreground-muted"),
    )  # fmt: skip
    found: list[Widget] = [
        Static(head, classes="state"),
        Static(one_line(branch.title, 400), markup=False, classes="content"),
    ]
    if branch.problem:
        found.append(Static(printable(branch.problem), markup=False, classes="bad"))
    return found


def _section(title: str, text: str, *, bad: bool = False) -> list[Widget]:
    cut = len(text) - SHOWN
    more = f"\n… {cut:,} more characters: ska team show" if cut > 0 else ""
    return [
        Static(printable(title), markup=False, classes="section"),
        Static(
            printable(text[:SHOWN]) + more, markup=False, classes="bad" if bad else "text"
        ),
    ]  # fmt: skip
