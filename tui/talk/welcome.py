"""The empty conversation: who is here, what was talked about last, which key to press."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ..frame.agents import AgentList, Member
from ..frame.plain import one_line

if TYPE_CHECKING:
    from skill_agent.values import Session

RECENT = 3


class Welcome(Vertical):
    """Shown until the first message; without a team while the home opens."""

    def __init__(self, member: Member, agents: AgentList, recent: "Sequence[Session]" = ()) -> None:
        super().__init__(classes=f"welcome {member.accent}")
        self._member, self._agents, self._recent = member, agents, recent[:RECENT]

    def greet(self, member: Member) -> None:
        """Another agent will answer."""
        self.set_classes(f"welcome {member.accent}")
        self._member = member
        self.refresh(recompose=True)

    def compose(self) -> ComposeResult:
        if not self._member.slug:
            yield Static("skill-agent", classes="who")
            yield Static("Waking the team. You can write already.", classes="said")
            return
        yield Static(self._member.name, markup=False, classes="who")
        if self._member.tagline:
            yield Static(self._member.tagline, markup=False, classes="said")
        yield Static(self._team(), classes="team")
        if self._recent:
            yield Static(self._talks(), classes="recent")
        yield Static(
            Content.from_markup(
                "[b]Tab[/b] next agent   [b]Ctrl+S[/b] conversations   [b]F1[/b] keys"
            ),
            classes="keys",
        )

    def _team(self) -> Content:
        names = [
            Content.assemble(("● ", f"${member.accent.replace('accent-', 'agent-')}"), member.name)
            for member in self._agents.active()
        ]
        return Content("   ").join(names)

    def _talks(self) -> Content:
        lines = [Content.styled("Lately", "$foreground-muted")]
        for session in self._recent:
            member = self._agents[session.agent]
            title = one_line(session.title, 46) or "Untitled"
            lines.append(Content.assemble(title, (f"  {member.name}", "$foreground-muted")))
        return Content("\n").join(lines)
