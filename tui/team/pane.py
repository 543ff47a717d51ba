"""One piece of work beside the list: what was asked, what came of it; opened, all that was said."""

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.conversations.in_order import Called, Said, in_order
from skill_agent.workstation.branches import Branch

from ..frame.agents import AgentList
from ..frame.detail import Detail, section
from ..frame.plain import one_line, printable, shown_time
from .work_list import mark_of

if TYPE_CHECKING:
    from skill_agent.workstation.past import Past


class WorkPane(Detail):
    """Quiet until something is chosen."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.opened = False
        """Whether its transcript is drawn."""

    async def tell(self, branch: Branch, agents: AgentList, past: "Past | None" = None) -> None:
        """Draws it; with its `past`, the whole conversation."""
        self.opened = past is not None
        facts = replace(branch, tokens_used=0, cost_usd=0.0, children=()), past
        about = f"{branch.id} in full" if past else branch.id
        await self.show(
            about, facts,
            lambda: _transcript(branch, past, agents) if past else _facts(branch, agents),
        )  # fmt: skip

    async def say(self, words: str) -> None:
        self.opened = False
        await super().say(words)


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
    return section(title, text, bad=bad, more="ska team show")
