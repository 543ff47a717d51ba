"""Two memories that contradict each other, side by side, and the person's decision.

It decides nothing by one key: a letter or an arrow points at a memory, Enter settles it.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from skill_agent.errors import SkillAgentError
from skill_agent.values import Dispute, Memory, Message

from ..frame.agents import AgentList
from ..frame.columns import Columns
from ..frame.key_bar import keyed
from ..frame.plain import one_line, printable, shown_time
from .story import facts_of

Settle = Callable[[str, bool], Awaitable[list[Memory]]]
"""Id of the memory that is right, and whether both are; raises SkillAgentError."""

_FACTS = ("importance", "confidence", "seen by", "kept by")
KEYS = "← → point · Enter this one is right · b both are true · Esc later"


class DisputeDialog(ModalScreen[Memory | None]):
    """Gives a memory that still holds, or None for later."""

    CSS_PATH = Path(__file__).with_name("memory.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,l", "dismiss(None)", "Later", show=False),
        Binding("left,up,shift+tab", "point(-1)", "Before", show=False, priority=True),
        Binding("right,down,tab", "point(1)", "After", show=False, priority=True),
        Binding("enter", "settle(False)", "This one is right", show=False, priority=True),
        Binding("b", "settle(True)", "Both are true", show=False),
        *(Binding(str(n), f"choose({n - 1})", show=False) for n in range(1, 10)),
    ]

    def __init__(
        self,
        dispute: Dispute,
        *,
        sources: Mapping[str, list[Message]],
        agents: AgentList,
        settle: Settle,
    ) -> None:
        """`sources` holds the sentences of each memory by its id."""
        super().__init__()
        self._dispute, self._sources, self._agents = dispute, sources, agents
        self._settle = settle
        self._busy = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -full"):
            yield Static("Which is right?", classes="dialog-title")
            if self._dispute.reason:
                yield Static(printable(self._dispute.reason), markup=False, classes="why")
            with Container(id="claims"):
                for number, memory in enumerate(self._dispute.memories, 1):
                    yield Claim(
                        number, memory, self._sources.get(memory.id, []), self._agents,
                        newest=number == 1,
                    )  # fmt: skip
            yield Static("", markup=False, classes="problem")
            yield Static(keyed(KEYS), classes="keys")

    def on_mount(self) -> None:
        self.query(Claim).first().focus()

    def action_point(self, step: int) -> None:
        claims = list(self.query(Claim))
        at = next((i for i, one in enumerate(claims) if one.has_focus), 0)
        claims[(at + step) % len(claims)].focus()

    def action_choose(self, index: int) -> None:
        claims = list(self.query(Claim))
        if index < len(claims):
            claims[index].focus()

    def action_settle(self, both: bool) -> None:
        chosen = next((one for one in self.query(Claim) if one.has_focus), None)
        if chosen is not None and not self._busy:
            self._busy = True
            self._write(chosen.memory, both)

    @work(group="write")
    async def _write(self, memory: Memory, both: bool) -> None:
        try:
            written = await self._settle(memory.id, both)
        except SkillAgentError as error:
            hint = f" → {error.hint}" if error.hint else ""
            problem = self.query_one(".problem", Static)
            problem.update(printable(f"Not settled: {error.message}{hint}"))
            problem.display = True
            return
        finally:
            self._busy = False
        self.dismiss(written[0])


class Claim(VerticalScroll, can_focus=True):
    """One of the memories: what it says, since when, from which sentence."""

    def __init__(
        self,
        number: int,
        memory: Memory,
        sources: list[Message],
        agents: AgentList,
        *,
        newest: bool,
    ) -> None:
        super().__init__(classes="claim")
        self._number, self.memory, self._said = number, memory, sources
        self._agents, self._newest = agents, newest

    def compose(self) -> ComposeResult:
        memory = self.memory
        newest = "  newest" if self._newest else ""
        yield Static(
            Content.assemble(
                (f"{self._number}  ", "bold $accent"),
                (shown_time(memory.created_at), "$foreground-muted"),
                (newest, "$foreground-muted"),
            )
        )
        yield Static(printable(memory.content), markup=False, classes="content")
        for message in self._said[:3]:
            said = Content.assemble(
                (f"said {shown_time(message.created_at)}\n", "$foreground-muted"),
                f"“{one_line(message.content, 400)}”",
            )
            yield Static(said, classes="said")
        yield Columns([row for row in facts_of(memory, self._agents) if row[0] in _FACTS])
