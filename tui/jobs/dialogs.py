"""Making a job and changing one: what is to be done, when, by whom, and who is told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static, TextArea

from skill_agent.errors import SkillAgentError
from skill_agent.values import Job, SchedulePreview

from ..frame.dialogs import told
from ..frame.key_bar import keyed
from ..frame.plain import one_line, printable

Preview = Callable[[str], Awaitable[SchedulePreview]]
TYPING_PAUSE = 0.3
"""Seconds of quiet before words for a time are read."""
KEYS = "Tab next · Ctrl+S keeps it · Esc leaves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person wants of a job."""

    prompt: str = ""
    when: str = ""
    agent: str = ""
    name: str = ""
    deliver: tuple[str, ...] = ("inbox",)


def wish_of(job: Job) -> Wish:
    when = job.schedule.said or job.schedule.expression
    return Wish(prompt=job.prompt, when=when, agent=job.agent, name=job.name, deliver=job.deliver)


class JobDialog(ModalScreen[bool]):
    """Gives whether it was kept. It stays open until the home has taken it, so nothing is lost."""

    CSS_PATH = Path(__file__).with_name("jobs.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before what is typed next: a box that is still at work would get it.
        Binding("tab", "app.focus_next", "Next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", "Before", show=False, priority=True),
        Binding("ctrl+s", "save", "Keep", show=False, priority=True),
        Binding("escape", "leave", "Leave", show=False, priority=True),
    ]

    def __init__(
        self,
        wish: Wish,
        *,
        title: str,
        preview: Preview,
        keep: Callable[[Wish], Awaitable[object]],
        asks: bool = True,
        agents: str = "",
    ) -> None:
        """`asks` is whether an agent is asked something in it; `agents` are names to choose of."""
        super().__init__()
        self._wish, self._title, self._asks = wish, title, asks
        self._preview, self._keep, self._agents = preview, keep, agents
        self._busy = self._warned = False

    def compose(self) -> ComposeResult:
        wish = self._wish
        with Vertical(classes="dialog -wide -job"):
            yield Static(self._title, markup=False, classes="dialog-title")
            if self._asks:
                yield Label("What is to be done")
                yield TextArea(
                    printable(wish.prompt), id="job-prompt", soft_wrap=True, compact=True,
                    tab_behavior="focus", highlight_cursor_line=False,
                )  # fmt: skip
            yield Label("When")
            yield Input(wish.when, placeholder="every weekday at 8", id="job-when", compact=True)
            yield Static("", markup=False, id="job-understood")
            if self._asks:
                yield Label("By whom")
                yield Input(
                    wish.agent, placeholder=f"{self._agents}; empty: who answers you by default",
                    id="job-agent", compact=True,
                )  # fmt: skip
            yield Label("Told to")
            yield Input(
                ", ".join(wish.deliver), placeholder="inbox, desktop, telegram", id="job-deliver",
                compact=True,
            )  # fmt: skip
            yield Label("Name")
            yield Input(wish.name, placeholder="made from the words", id="job-name", compact=True)
            yield Static("", markup=False, classes="problem")
            yield Static(keyed(KEYS), classes="keys")

    def on_mount(self) -> None:
        for box in self.query(Input):
            box.cursor_blink = self.app.animation_level != "none"
        for area in self.query(TextArea):
            area.cursor_blink = self.app.animation_level != "none"
            area.move_cursor(area.document.end)
        self.query("#job-prompt, #job-when").first().focus()
        if self._wish.when:
            self._read_when(self._wish.when, 0)

    def now(self) -> Wish:
        """What stands in the boxes."""
        typed = {box.id: box.value.strip() for box in self.query(Input)}
        prompt = next((area.text.strip() for area in self.query(TextArea)), "")
        ways = tuple(one.strip() for one in typed["job-deliver"].split(",") if one.strip())
        return Wish(
            prompt=prompt, when=typed["job-when"], agent=typed.get("job-agent", ""),
            name=typed["job-name"], deliver=ways,
        )  # fmt: skip

    # -- how a time is understood ------------------------------------------------------------

    @on(Input.Changed, "#job-when")
    def typed(self, event: Input.Changed) -> None:
        self._warned = False
        self._read_when(event.value.strip(), TYPING_PAUSE)

    @work(group="preview", exclusive=True)
    async def _read_when(self, when: str, pause: float) -> None:
        await asyncio.sleep(pause)
        understood = self.query_one("#job-understood", Static)
        if not when:
            understood.update("")
            return
        try:
            found = await self._preview(when)
        except SkillAgentError as error:
            understood.update(Content.styled(one_line(told(error), 300), "$warning"))
            return
        times = ", ".join(one_line(one, 40) for one in found.local) or "never"
        understood.update(Content.assemble(("✓ ", "$success"), f"next: {times}"))

    # -- keeping -----------------------------------------------------------------------------

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_save()

    def on_text_area_changed(self) -> None:
        self._warned = False

    def action_leave(self) -> None:
        if self.now() != self._before() and not self._warned:
            self._warned = True
            self._tell("Not kept yet: Ctrl+S keeps it, Esc again throws it away")
        else:
            self.dismiss(False)

    def _before(self) -> Wish:
        wish = self._wish
        return Wish(
            prompt=printable(wish.prompt).strip() * self._asks, when=wish.when.strip(),
            agent=wish.agent * self._asks, name=wish.name.strip(), deliver=wish.deliver,
        )  # fmt: skip

    def action_save(self) -> None:
        if not self._busy:
            self._busy = True
            self._save(self.now())

    @work(group="write")
    async def _save(self, wish: Wish) -> None:
        try:
            if wish.when:
                await self._keep(wish)
        except SkillAgentError as error:
            self._tell(f"Not kept: {told(error)}")
        else:
            if wish.when:
                self.dismiss(True)
            else:
                self._tell("Say when it is to be done, as: every weekday at 8")
        finally:
            self._busy = False

    def _tell(self, words: str) -> None:
        problem = self.query_one(".problem", Static)
        problem.update(words)
        problem.display = True
