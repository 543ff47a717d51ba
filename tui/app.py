"""The workstation: first paint at once, then the home, then conversations until one quits.

The home is opened by a factory from outside and in the background, so nothing here imports a
store or a model; until it is open one can write, and what is sent waits.
"""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from rich.segment import Segments
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.worker import WorkerFailed

from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.identifiers import new_id

from .frame.background import Told, ask_terminal, asks, by_environment
from .frame.deeds import Deed, bindings, deeds_of, keys_of
from .frame.help import KeyHelp
from .frame.look import Look
from .frame.own_keys import checked
from .frame.page import AGENT
from .frame.place_list import PlaceList
from .frame.plain import printable
from .frame.status import StatusLine
from .frame.terminal import copy_with, draws, give_back, in_browser, own_terminal, routes
from .frame.window import Window
from .places import EVERYWHERE, PLACES, TALK_PLACE, going, parts, place, settle
from .talk.foot.drafts import NEW, DraftBook
from .talk.foot.outbox import Outbox
from .talk.looked import Looked
from .talk.screen import TalkScreen

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

    from .frame.page import Page

LATER = (
    ".frame.news",
    ".talk.asking", ".talk.shown.history", ".talk.shown.lines", ".talk.listener",
    ".talk.sender", ".talk.session_list", ".talk.shown.turn_view", ".talk.foot.attaching",
    ".talk.foot.naming",
    ".talk.export_dialog",
    ".agents.model_picker",
)  # fmt: skip
"""What the first paint does without, and a conversation does not."""

OpenRuntime = Callable[[], "AbstractAsyncContextManager[Workstation]"]


class WorkstationApp(Window):
    """The terminal front end. `session` is an id, title or `latest`; None starts a new one."""

    TITLE = "skill-agent"
    CSS_PATH = [  # noqa: RUF012 Textual declares it as it is
        Path(__file__).parent / "frame" / "frame.tcss",
        Path(__file__).parent / "talk" / "talk.tcss",
    ]
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 Textual declares it as it is
        (0, "-narrow"),
        (80, "-normal"),
        (120, "-wide"),
        (140, "-vast"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (26, "-tall")]  # noqa: RUF012
    DEEDS: ClassVar[tuple[Deed, ...]] = (*going(), *EVERYWHERE)
    BINDINGS: ClassVar[list[BindingType]] = bindings(DEEDS)

    def __init__(
        self,
        open_runtime: OpenRuntime,
        *,
        draft_dir: Path,
        session: str | None = None,
        agent: str | None = None,
        folder: str = "",
        seconds: Callable[[], float] = time.monotonic,
        look: Look | None = None,
        told: Told | None = None,
    ) -> None:
        """`folder` is where agents on outside programs work in conversations begun here; by
        `seconds` is told how long something goes on; `told` is what came from the terminal
        before."""
        super().__init__(look, told)
        self._typed = printable(told.typed.decode("utf-8", "replace")) if told else ""
        self._open_runtime = open_runtime
        self._wanted = session, agent
        self._outbox = Outbox(DraftBook(draft_dir), self._tell_unsaved)
        looked = Looked(draft_dir.with_name("looked.json"))
        self._talk = TalkScreen(self._outbox, f"{NEW}-{new_id()}", folder, seconds, looked=looked)
        self._host: asyncio.Task[None] | None = None
        self._leaving = asyncio.Event()
        self._told: int | None = None
        """The signal by which the process is told to end."""
        self._ending: asyncio.Task[None] | None = None
        self.runtime: Workstation | None = None
        self._failure: SkillAgentError | None = None
        self._over: Page | None = None
        """What lies over the conversation."""

    def get_default_screen(self) -> Screen[None]:
        return self._talk

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin)
        if self._typed:
            self.call_after_refresh(lambda: self._talk.composer.insert(self._typed))

    @property
    def crashed(self) -> bool:
        """Whether it ended by an error that was not about the home."""
        ours = self._told is not None or self._failure is not None
        return self.return_code not in (0, None) and not ours

    @property
    def exit_code(self) -> int:
        """Of the process, where it did not crash."""
        return (self.return_code or 0) if self._told is None else 128 + self._told

    def end(self, number: int) -> None:
        """A signal tells the process to end: as `quit`, whatever is on the screen."""
        self._told = number
        self._ending = asyncio.create_task(self.action_quit())

    # -- the home ----------------------------------------------------------------------------

    def _begin(self) -> None:
        """Starts once: after the first paint, or where another screen was quicker than that."""
        if self._host is None:
            self._start()

    def _start(self) -> None:
        if not self._leaving.is_set():
            self._host = asyncio.create_task(self._hold_home())

    async def _hold_home(self) -> None:
        """Opens the home, keeps it open until the app ends, and closes it, all in one task."""
        try:
            manager = await asyncio.to_thread(self._come_to_home)
            async with manager as runtime:
                self.runtime = runtime
                self.use_look(runtime.settings.tui)
                self.use_keys(runtime.settings.tui.keys)
                self._attend(runtime)
                await self._talk.opened(runtime, *self._wanted)
                self._tell_over()
                for one in PLACES:
                    await asyncio.to_thread(one.load)
                await self._leaving.wait()
        except SkillAgentError as error:
            await self._fail(error)
        except Exception as error:
            # The outer wall: whatever it is, the person gets to read it and keeps their text.
            self.log.error(error)
            await self._fail(
                SkillAgentError(
                    f"{type(error).__name__}: {error}", hint="`ska doctor` looks for the cause"
                )
            )
        finally:
            self.runtime = None

    def _come_to_home(self) -> "AbstractAsyncContextManager[Workstation]":
        """In a thread: what this imports, and what the factory does, must not stall the screen."""
        for name in LATER:
            import_module(name, __package__)
        return self._open_runtime()

    async def _fail(self, error: SkillAgentError) -> None:
        self._failure = error
        if not self._leaving.is_set():
            await self._talk.failed(error)
            self._tell_over()

    def _tell_over(self) -> None:
        if self._over is not None:
            self._over.awake()

    async def action_retry(self) -> None:
        """Opens the home again after a failure."""
        if self._failure is not None:
            self._failure = None
            await self._talk.reopening()
            self._start()

    async def action_quit(self) -> None:
        """Keeps drafts, ends turns, closes the home, and leaves with the failure's exit code."""
        try:
            self._talk.leave()
            await self._leave()
        finally:
            self.exit(return_code=self._failure.exit_code if self._failure else 0)

    def _handle_exception(self, error: Exception) -> None:
        """What the home refuses to a worker is told and ends nothing; on the way out, when the home
        is being closed under it, there is nothing to tell."""
        worked = isinstance(error, WorkerFailed)
        cause = error.error if worked else error
        if worked and self._leaving.is_set():
            self.log.error(cause)
        elif isinstance(cause, SkillAgentError):
            self.notify(cause.message, title="That did not work", severity="warning", markup=False)
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """The report without what variables held: that may be anybody's words."""
        from rich.traceback import Traceback

        self.bell()
        report = Traceback(show_locals=False, width=None)
        self._exit_renderables.append(Segments(self.console.render(report, self.console.options)))
        self._close_messages_no_wait()

    async def on_unmount(self) -> None:
        await self._leave()

    async def _leave(self) -> None:
        self._leaving.set()
        await self._outbox.close()
        if self._host is not None:
            if self.runtime is None:
                self._host.cancel()
            await asyncio.wait([self._host])
        give_back()

    def _tell_unsaved(self, why: str) -> None:
        self.notify(why, title="What you type is not on disk", severity="warning", markup=False)

    def _attend(self, runtime: "Workstation") -> None:
        """Tells a person who looks elsewhere, and the window's title."""
        from .frame.news import News

        news = News(self.attention)
        told = partial(news.show, self._talk)
        self.run_worker(news.attend(runtime, self._talk), group="listen", exclusive=True)
        self.watch(self._talk.query_one(StatusLine), "figures", told)

    # -- screens over the conversation --------------------------------------------------------

    def action_place(self, name: str, choose: str = "") -> None:
        """Goes to a place, at the one thing in it that has this id; from there it goes back."""
        here = self._over
        if self.dialog_is_open:
            return
        if here is not None and isinstance(here, place(name).load()):
            here.dismiss(None)
        elif here is None:
            self._lay_over(name, choose)
        else:
            here.dismiss(None)
            self.call_after_refresh(self._lay_over, name, choose)

    @property
    def dialog_is_open(self) -> bool:
        return self.screen not in (self._talk, self._over)

    def _lay_over(self, name: str, choose: str = "") -> None:
        if self._over is not None or self.dialog_is_open:
            return
        self._over = place(name).load()(
            lambda: self.runtime, lambda: self._failure, choose=choose or None
        )
        self._begin()
        self.push_screen(self._over, self._over_closed)

    def _over_closed(self, session: str | None) -> None:
        self._over = None
        self._talk.returned()
        if session and session.startswith(AGENT):
            self._talk.talk_to(session.removeprefix(AGENT))
        elif session:
            self._talk.go_on_with(session)

    def action_places(self) -> None:
        """The list of places, each with a number to press."""
        if not self.dialog_is_open:
            self.push_screen(PlaceList(PLACES, self._talk.waiting()), self._place_chosen)

    def _place_chosen(self, name: str | None) -> None:
        if name == TALK_PLACE and self._over is not None:
            self._over.dismiss(None)
        elif name and name != TALK_PLACE:
            self.action_place(name)

    def on_page_settle_wanted(self, event: "Page.SettleWanted") -> None:
        """A page shows a dispute, and the dialog for it is another place's."""
        page, memory = event.page, event.memory
        page.do(lambda runtime: settle(page, memory, runtime), alone=True)

    def action_keys(self) -> None:
        """Every key on one page, those of this screen first."""
        if not self.dialog_is_open:
            first = self._over.PART.title if self._over is not None else ""
            self.push_screen(KeyHelp(parts(), self._keymap, first=first))

    # -- commands and copying ----------------------------------------------------------------

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What can be done here that has a name, in the order of the list."""
        for deed in deeds_of(screen):
            if deed.slash and deed.label and deed.action:
                run = partial(self.run_action, deed.action, default_namespace=screen)
                keys = f" · {keys_of(deed)}" if deed.keys else ""
                yield SystemCommand(deed.label.capitalize(), f"{deed.what}{keys}", run)
        if screen is self._talk:
            for member in self._talk.members():
                told = member.tagline or f"@{member.slug}"
                choose = partial(self._talk.choose, member.slug)
                yield SystemCommand(f"Talk to {member.name}", told, choose)

    def use_keys(self, own: Mapping[str, str]) -> None:
        """The person's own keys, by the ids of deeds; what cannot be used is told and left out."""
        good, told = checked(own, parts())
        for one in told:
            self.notify(one, title="[tui.keys] in config.toml", markup=False, timeout=10)
        self.set_keymap(good)

    def use_setting(self, key: str, value: Any) -> None:
        """Goes by a setting that was changed in this window, where it can without a new start."""
        match key:
            case "tui.theme":
                self._use_theme(value)
            case "tui.motion":
                self.use_motion(value)
            case "tui.notify":
                self.attention.use(notify=value)
            case "tui.bell":
                self.attention.use(bell=value)
            case "tui.keys":
                self.use_keys(value)
            case _:
                pass

    def copy_to_clipboard(self, text: str) -> None:
        """Copies by the best way there is, and says which it was."""
        self.run_worker(self._copy(text), group="copy")

    async def _copy(self, text: str) -> None:
        if not text:
            self.notify("There is nothing to copy.")
            return
        way = "terminal (OSC 52), if it allows that"
        for route in routes(os.environ, shutil.which):
            if await asyncio.to_thread(copy_with, route, text):
                way = route.name
                break
        else:
            super().copy_to_clipboard(text)
        self.notify(f"Copied {len(text):,} characters → {way}", markup=False)


class Run(Protocol):
    """Runs a coroutine to its end and gives what it gives."""

    def __call__(
        self,
        main: Coroutine[Any, Any, None],
        *,
        end: Callable[[int], None],
        last_words: Callable[[], None],
    ) -> None:
        """A signal to end calls `end` on the loop; `last_words` are said where it cannot wait."""
        ...


def _run_plainly(
    main: Coroutine[Any, Any, None], *, end: Callable[[int], None], last_words: Callable[[], None]
) -> None:
    """Signals do what they always do."""
    asyncio.run(main)


def run_workstation(
    open_runtime: OpenRuntime,
    *,
    draft_dir: Path,
    log_file: Path,
    run: Run = _run_plainly,
    session: str | None = None,
    agent: str | None = None,
    folder: str = "",
    theme_file: Path | None = None,
) -> int:
    """Runs the workstation until the person leaves; gives the exit code.

    Raises UsageError where stdin or stdout is no terminal (it would wait there for ever) or none
    that can be drawn on, and SkillAgentError when it broke.
    """
    if not (in_browser(os.environ) or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise UsageError(
            "the workstation needs a terminal", hint='use `ska chat`, or `ska ask "…"` in a pipe'
        )
    if not draws(os.environ):
        raise UsageError(
            f"this terminal cannot draw a screen (TERM={os.environ['TERM']})",
            hint="use `ska chat`, which goes line by line",
        )
    told = ask_terminal() if asks(os.environ) else Told()
    light = by_environment(os.environ) if told.light is None else told.light
    app = WorkstationApp(
        open_runtime, draft_dir=draft_dir, session=session, agent=agent, folder=folder, told=told,
        look=Look(theme_file, bool(light)),
    )  # fmt: skip
    with own_terminal(log_file) as restore:
        run(app.run_async(), end=app.end, last_words=restore)
    if app.crashed:
        raise SkillAgentError(
            "the workstation stopped by a fault of its own; what you typed is kept",
            hint=f"the report is at the end of {log_file}",
        )
    return app.exit_code
