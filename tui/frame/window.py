"""The window the workstation is in: its colours, its title, what is told to who looks elsewhere."""

import asyncio
import os
from typing import Protocol

from textual import events
from textual.app import App
from textual.types import AnimationLevel
from textual.widgets import TextArea

from skill_agent.errors import SkillAgentError

from .attention import Attention
from .background import BURST, LateAnswer, Told
from .look import Look, ThemeList
from .plain import printable
from .theme import AUTO, OURS, accent_variables


class LookSettings(Protocol):
    """What the settings say about it: `[tui]`."""

    @property
    def theme(self) -> str: ...
    @property
    def motion(self) -> str: ...
    @property
    def notify(self) -> str: ...
    @property
    def bell(self) -> bool: ...


class Window(App[None]):
    """What any app of ours on a terminal does."""

    def __init__(self, look: Look | None = None, told: Told | None = None) -> None:
        """`told` is what the terminal said before there was a window."""
        super().__init__()
        self._look = look or Look()
        self._late = LateAnswer() if told and told.late else None
        self._settled_theme = AUTO
        """What the settings want."""
        self._moved: AnimationLevel | None = None
        """How much moved before the settings asked for less."""
        self.attention = Attention(self._tell_terminal, os.environ)
        for one in OURS:
            self.register_theme(one)
        self.theme = self._look.first(self.available_themes)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return accent_variables(self.current_theme.dark)

    @property
    def dialog_is_open(self) -> bool:
        """Whether something waits for an answer that nothing else may cover."""
        raise NotImplementedError

    def use_look(self, wanted: LookSettings) -> None:
        """The settings are known."""
        self._settled_theme = wanted.theme
        self._use_theme(wanted.theme)
        self.attention.use(notify=wanted.notify, bell=wanted.bell)
        self.use_motion(wanted.motion)

    def use_motion(self, motion: str) -> None:
        """`reduced`: nothing moves that need not; else it does where the environment lets it."""
        if motion == "reduced" and self._moved is None:
            self._moved, self.animation_level = self.animation_level, "none"
        elif motion != "reduced" and self._moved is not None:
            self.animation_level, self._moved = self._moved, None
        for box in self.screen_stack[0].query(TextArea):
            box.cursor_blink = self.animation_level != "none"

    # -- colours -----------------------------------------------------------------------------

    def _use_theme(self, name: str) -> None:
        if name == AUTO:
            return
        if name in self.available_themes:
            self.theme = name
        else:
            self.notify(f"there is no theme {name!r}; Ctrl+P lists them", markup=False)

    def action_change_theme(self) -> None:
        """The themes, each shown while it is looked at; the one chosen is kept."""
        if not self.dialog_is_open:
            listing = ThemeList(self.available_themes, self.theme, self._look)
            self.push_screen(listing, self._theme_chosen)

    def search_themes(self) -> None:
        self.action_change_theme()

    def _theme_chosen(self, name: str | None) -> None:
        if name is None:
            return
        self.run_worker(self._keep_theme(name), group="theme")
        if self._settled_theme not in (AUTO, name):
            told = f"config.toml says {self._settled_theme}, and so it is again at the next start."
            self.notify(told, markup=False)

    async def _keep_theme(self, name: str) -> None:
        try:
            await asyncio.to_thread(self._look.keep, name)
        except (OSError, SkillAgentError) as error:
            self.notify(str(error), title="The choice is not kept", markup=False)

    # -- the terminal ------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.app_suspend_signal.subscribe(self, self._suspended, immediate=True)
        self.app_resume_signal.subscribe(self, self._resumed)

    def _suspended(self, _: App[object]) -> None:
        self.attention.leave()

    def _resumed(self, _: App[object]) -> None:
        """The terminal kept nothing of what stood there before the process was stopped."""
        self.attention.come_back()
        self.refresh(layout=True)

    async def on_event(self, event: events.Event) -> None:
        """As ever, but for keys that are none: the terminal's answer, come too late."""
        if self._late is None or not isinstance(event, events.Key):
            await super().on_event(event)
            return
        for key in self._late.passed(event):
            await super().on_event(key)
        self.set_timer(BURST, self._let_go)

    async def _let_go(self) -> None:
        if self._late is not None:
            for key in self._late.let_go():
                await super().on_event(key)
            if self._late.over:
                self._late = None

    def on_app_focus(self) -> None:
        self.attention.focused = True

    def on_app_blur(self) -> None:
        self.attention.focused = False

    def bell(self) -> None:
        """Rings where the person wants it."""
        self.attention.ring()

    def notify(self, message: str, *, title: str = "", **options: object) -> None:
        """A toast; whatever it quotes drives no terminal and hides nothing."""
        super().notify(printable(message), title=printable(title), **options)  # type: ignore[arg-type]

    def _tell_terminal(self, text: str) -> None:
        if self._driver is not None and not self.is_headless:
            self._driver.write(text)
