"""Beside the list of conversations: how the one that is chosen there ended."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from skill_agent.errors import SkillAgentError

from ..frame.agents import AgentList
from ..frame.ago import day
from ..frame.plain import one_line, printable

if TYPE_CHECKING:
    from skill_agent.conversations.operations import ConversationOperations
    from skill_agent.values import Message, Session

LOOKED_AT = 8
"""Messages from the end among which the last exchange is looked for: tools speak in between."""
LONGEST = 3_000
"""Characters of a message that are shown."""
MOST = 200
"""Conversations whose end is kept in mind."""
_MUTED = "$foreground-muted"


class Preview(VerticalScroll, can_focus=False):
    """Reads each conversation's end once."""

    def __init__(self, conversations: "ConversationOperations", agents: AgentList) -> None:
        super().__init__(id="preview")
        self._conversations, self._agents = conversations, agents
        self._known: dict[tuple[str, object], Content] = {}

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)

    def clear(self) -> None:
        self._put(Content(""))

    async def show(self, session: "Session") -> None:
        """Its last exchange; why there is none, where it cannot be read."""
        key = session.id, session.updated_at
        if key not in self._known:
            try:
                said = await self._conversations.messages(session.id, last=LOOKED_AT)
            except SkillAgentError as error:
                self._put(Content.styled(printable(error.message), "$warning"))
                return
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[key] = self._exchange(said)
        head = Content.assemble(
            (one_line(session.title, 200) or "Untitled", "bold"),
            (f"\nbegun {day(session.created_at)}", _MUTED),
        )
        self._put(Content.assemble(head, "\n\n", self._known[key]))

    def _put(self, content: Content) -> None:
        self.query_one(Static).update(content)
        self.scroll_home(animate=False)

    def _exchange(self, messages: "Sequence[Message]") -> Content:
        said = [one for one in messages if one.content.strip() and one.role != "tool"]
        asked = next((n for n in range(len(said) - 1, -1, -1) if said[n].role == "user"), 0)
        parts = [self._spoken(one) for one in said[asked:]]
        return Content("\n\n").join(parts) if parts else Content.styled("Nothing said.", _MUTED)

    def _spoken(self, message: "Message") -> Content:
        who, style = "You", f"bold {_MUTED}"
        if message.role != "user":
            member = self._agents[message.agent or ""]
            who, style = member.name, f"bold ${member.accent.replace('accent-', 'agent-')}"
        text = printable(message.content.strip()[: LONGEST + 1])
        more = "…" if len(message.content.strip()) > LONGEST else ""
        return Content.assemble((who, style), "\n", text[:LONGEST], more)
