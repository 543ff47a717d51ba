"""The settings screen: every key of config.toml, its value and meaning; searched and changed."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, OptionList

from skill_agent.errors import Conflict, SkillAgentError
from skill_agent.events import HostFound
from skill_agent.values import Setting

from ..frame.deeds import Deed
from ..frame.page import FindRuntime, FindTrouble, Page
from . import deeds
from .dialogs import ChoiceDialog, WriteDialog
from .key_list import KeyList, SectionList
from .pane import SettingPane, holds
from .typed import THEME, found, section_of, shown, value_of, waits

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

NO_MATCH = "No setting matches.\n\nEsc clears the search, x shows all."


class _GoesBySettings(Protocol):
    """The app, as far as it goes by a setting at once."""

    def use_setting(self, key: str, value: Any) -> None: ...


class SettingsScreen(Page):
    """Opened with a setting's key it begins with that one."""

    HEADING = "Settings"
    PART = deeds.PART
    CSS_PATH = Path(__file__).with_name("settings.tcss")
    WAKING = "Waking the team. The settings come by themselves."
    NEWS = (HostFound,)
    SEARCH = "Search in all settings"
    CHIPS = (("m", "shown", "mine"),)

    def __init__(
        self, runtime: FindRuntime, trouble: FindTrouble, *, choose: str | None = None
    ) -> None:
        super().__init__(runtime, trouble, choose=choose)
        self._settings: dict[str, Setting] = {}
        self._mine = False

    # -- layout ------------------------------------------------------------------------------

    def _body(self) -> ComposeResult:
        with Horizontal(id="settings-body"):
            yield SectionList(id="settings-sections", markup=False)
            yield from self._beside(KeyList(id="page-list"), SettingPane(id="page-pane"))

    def on_mount(self) -> None:
        self._draw_asked()

    @property
    def listing(self) -> KeyList:
        return self.query_one(KeyList)

    @property
    def pane(self) -> SettingPane:
        return self.query_one(SettingPane)

    @property
    def sections(self) -> SectionList:
        return self.query_one(SectionList)

    # -- what is shown -----------------------------------------------------------------------

    async def _read(self, runtime: "Workstation") -> None:
        every = await runtime.config.list()
        order = [*dict.fromkeys(map(section_of, every))]
        every.sort(key=lambda one: order.index(section_of(one)))
        self._settings = {one.id: one for one in every}
        await self._draw()

    async def _draw(self) -> None:
        every = [*self._settings.values()]
        some = found(every, self.words, mine=self._mine)
        self.sections.put([*dict.fromkeys(map(section_of, every))])
        if not some:
            if every:
                await self._show_none(NO_MATCH)
            return
        self._show_list()
        self.listing.put(some, self._chosen)
        self._chosen = None
        own = sum(one.origin != "default" for one in every)
        waiting = sum(waits(one) for one in every)
        held = f" · {waiting} from the next start" if waiting else ""
        self._count(f"{own} of {len(every)} yours{held}")

    async def _clear(self) -> None:
        self.listing.put([])
        await self.pane.tell(None)

    @on(KeyList.Chosen)
    def chosen(self, event: KeyList.Chosen) -> None:
        self.refresh_bindings()
        self.sections.show(section_of(event.setting))
        self.run_worker(partial(self.pane.tell, event.setting), group="pane", exclusive=True)

    @on(OptionList.OptionHighlighted, "#settings-sections")
    def section_chosen(self, event: OptionList.OptionHighlighted) -> None:
        """To the first key of the section; where the search hides it there is none."""
        wanted = event.option.id
        first = (one.id for one in self.listing.settings if section_of(one) == wanted)
        self.listing.choose(next(first, None))

    # -- searching ---------------------------------------------------------------------------

    def _search(self) -> None:
        """In what is read already."""
        self._narrow()

    def action_mine(self) -> None:
        self._mine = not self._mine
        self._narrow()

    def action_clear(self) -> None:
        self._mine = False
        self.forget_words()
        self._narrow()

    def action_again(self) -> None:
        self._load(0)

    def _narrow(self) -> None:
        self._draw_asked()
        self.run_worker(self._draw(), group="draw", exclusive=True)

    def _draw_asked(self) -> None:
        self.chips[0].tell("only yours" if self._mine else "all", lit=self._mine)
        self.refresh_bindings()

    # -- changing ----------------------------------------------------------------------------

    @on(OptionList.OptionSelected)
    def entered(self, event: OptionList.OptionSelected) -> None:
        if event.option_list is self.sections:
            self._to_list()
        elif (setting := self.listing.chosen) is not None:
            self._change(setting)

    def action_unset(self) -> None:
        setting = self.listing.chosen
        if setting is not None and self._may_change(setting):
            self._do(setting, None)

    def _change(self, setting: Setting) -> None:
        if not self._may_change(setting):
            return
        if setting.kind == "truth":
            self._do(setting, "false" if value_of(setting.value) else "true")
            return
        choices = setting.choices
        if setting.id == THEME:
            choices = ("auto", *sorted(self.app.available_themes))
        if choices:
            self._choose_value(setting, choices)
        else:
            self._write_value(setting)

    def _may_change(self, setting: Setting) -> bool:
        if setting.origin != "env":
            return not self._doing
        self.app.notify(
            f"{setting.variable} in the environment wins over config.toml. "
            "Unset it where the host is started.",
            title="It cannot be changed here", severity="warning", markup=False,
        )  # fmt: skip
        return False

    @work(group="dialog")
    async def _choose_value(self, setting: Setting, choices: tuple[str, ...]) -> None:
        value = await self.app.push_screen_wait(ChoiceDialog(setting, choices))
        if value is not None:
            self._do(setting, value)

    @work(group="dialog")
    async def _write_value(self, setting: Setting) -> None:
        before = setting.value

        async def write(value: str) -> Setting:
            nonlocal before
            try:
                return await self._send(setting.id, value, before)
            except Conflict:
                before = (await self._newest(setting.id)).value
                raise

        new = await self.app.push_screen_wait(WriteDialog(setting, write))
        if new is not None:
            self._changed(new)

    @work(group="deed")
    async def _do(self, setting: Setting, value: str | None) -> None:
        self._doing += 1
        try:
            self._changed(await self._send(setting.id, value, setting.value))
        except SkillAgentError as error:
            self.refuse(error)
            self._load(0)
        finally:
            self._doing -= 1

    async def _send(self, key: str, value: str | None, before: str) -> Setting:
        """Raises as the home does, and where that is not open."""
        runtime = self._runtime()
        if runtime is None:
            raise SkillAgentError("the home is not open", hint="What you wrote is kept here.")
        if value is None:
            return await runtime.config.unset(key, before=before)
        return await runtime.config.set(key, value, before=before)

    async def _newest(self, key: str) -> Setting:
        runtime = self._runtime()
        if runtime is None:
            return self._settings[key]
        return next(one for one in await runtime.config.list() if one.id == key)

    def _changed(self, setting: Setting) -> None:
        self.app.notify(
            f"{setting.id}: {shown(setting)}\nIt holds {holds(setting)}.",
            title="Written to config.toml", markup=False,
        )  # fmt: skip
        cast(_GoesBySettings, self.app).use_setting(setting.id, value_of(setting.value))
        self._load(0)

    # -- keys --------------------------------------------------------------------------------

    def action_copy(self) -> None:
        if (setting := self.listing.chosen) is not None:
            self.app.copy_to_clipboard(f"{setting.id} = {setting.value}")

    def action_turn(self, step: int) -> None:
        """Around: search, sections, settings, meaning."""
        every: tuple[Widget, ...] = (
            self.query_one(Input), self.sections, self.listing, self.pane,
        )  # fmt: skip
        stops = [one for one in every if one.display]
        at = next((i for i, one in enumerate(stops) if one is self.focused), 0)
        stops[(at + step) % len(stops)].focus()

    def foot_label(self, deed: Deed) -> str | None:
        setting = self.listing.chosen
        match deed.id:
            case "settings.edit" if setting is None or setting.origin == "env":
                return None
            case "settings.edit" if setting is not None and setting.kind == "truth":
                return "off" if value_of(setting.value) else "on"
            case "settings.unset" if setting is None or setting.origin != "file":
                return None
            case "settings.mine" if self._mine:
                return None
            case "settings.clear" if not (self.words or self._mine):
                return None
            case _:
                return deed.label
