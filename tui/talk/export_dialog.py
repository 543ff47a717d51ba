"""Writing a conversation to a file: in which form, and where. Nothing is replaced unasked."""

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from skill_agent.errors import SkillAgentError
from skill_agent.files.private import write_private
from skill_agent.text.redaction import Masker
from skill_agent.workstation.exported import FORMS, exported
from skill_agent.workstation.past import past_of

from ..frame.key_bar import keyed
from ..frame.plain import printable

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

_LONGEST_NAME = 40
_NO_NAME = re.compile(r"[^\w-]+")


class ExportDialog(ModalScreen[str | None]):
    """Says where it went, or gives None."""

    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", show=False),
    ]

    def __init__(self, runtime: "Workstation", session: str) -> None:
        super().__init__()
        self._runtime, self._session = runtime, session
        self._given = ""
        """The path as this dialog filled it in."""
        self._title = ""
        self._sure = ""
        """The path that may be replaced."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -export"):
            yield Static("Export this conversation", classes="dialog-title")
            yield OptionList(*(_option(name) for name in FORMS))
            yield Static("To", classes="why")
            yield Input(id="export-path", compact=True)
            yield Static("", markup=False, classes="problem")
            yield Static(keyed("Enter writes · Tab to the path · Esc closes"), classes="keys")

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0
        self.name_it()

    @work(exclusive=True, group="name")
    async def name_it(self) -> None:
        """A name for the file, of the conversation's own."""
        try:
            self._title = (await self._runtime.conversations.find(self._session)).title
        except SkillAgentError as error:
            self._tell(error.message)
        self._fill()

    @property
    def _form(self) -> str:
        return list(FORMS)[self.query_one(OptionList).highlighted or 0]

    @on(OptionList.OptionHighlighted)
    def _fill(self) -> None:
        """The end of the name goes with the form, unless the person wrote one."""
        box = self.query_one(Input)
        if box.value in ("", self._given):
            named = _NO_NAME.sub("-", self._title[:_LONGEST_NAME]).strip("-").lower()
            self._given = f"{named or 'conversation'}.{self._form}"
            box.value = self._given

    @on(Input.Changed)
    def _changed(self) -> None:
        self._sure = ""
        self.query_one(".problem").remove_class("-shown")

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _asked(self) -> None:
        self.save()

    @work(exclusive=True, group="save")
    async def save(self) -> None:
        """Writes it, or says why not."""
        typed = self.query_one(Input).value.strip()
        if not typed:
            self._tell("Where to? Give it a name.")
            return
        path = await asyncio.to_thread(lambda: Path(typed).expanduser().absolute())
        if self._sure != typed and await asyncio.to_thread(path.exists):
            self._sure = typed
            self._tell("There is such a file already. Enter once more replaces it.")
            return
        masker = Masker()
        try:
            found = await self._runtime.conversations.find(self._session)
            past = await past_of(self._runtime, found.id)
            document = await asyncio.to_thread(exported, found, past, self._form, masker)
            await asyncio.to_thread(write_private, path, document)
            # So that erasing reaches it.
            await self._runtime.user_data.note_written(str(path), "sessions")
        except SkillAgentError as error:
            self._tell(f"{error.message}. {error.hint or ''}".strip())
            return
        secrets = f"; {masker.count} keys or passwords masked" if masker.count else ""
        self.dismiss(f"{len(past.messages)} messages written to {path}{secrets}")

    def _tell(self, problem: str) -> None:
        box = self.query_one(".problem", Static)
        box.update(printable(problem))
        box.add_class("-shown")


def _option(name: str) -> Option:
    title, _, more = FORMS[name].partition(", ")
    told = f"  {more}" if more else ""
    return Option(Content.assemble((title, "bold"), (told, "$foreground-muted")), id=name)
