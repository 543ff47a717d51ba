"""One setting: what it means, what it is, where that comes from, what it may be, when it holds."""

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.values import Setting

from ..frame.plain import one_line, printable
from .typed import about, at_once, came_from, value_of, waits, words_of


class SettingPane(VerticalScroll, can_focus=True):
    """Beside or below the list."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._drawn: Setting | None = None

    async def tell(self, setting: Setting | None) -> None:
        """Draws it."""
        if setting == self._drawn:
            return
        self._drawn = setting
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all([*_parts(setting)] if setting else [])
        self.scroll_home(animate=False)


def holds(setting: Setting) -> str:
    """When a change holds."""
    return "at once in this window" if at_once(setting) else "once the host is started again"


def _parts(one: Setting) -> Iterator[Widget]:
    yield Static(one_line(one.id, 200), markup=False, classes="title")
    if meaning := about(one):
        yield Static(meaning, markup=False, classes="about")
    yield _Fact("value", _whole(one), "bold" if one.origin != "default" else "")
    yield _Fact("from", came_from(one), "$warning" if one.origin == "env" else "")
    if one.origin != "default":
        yield _Fact("default", words_of(value_of(one.default)))
    yield _Fact("may be", _wanted(one))
    yield _Fact("holds", holds(one))
    if waits(one):
        yield Static("↻ Changed; what runs still goes by the old one.", classes="waits")
    if one.origin == "env":
        said = f"It cannot be changed here: {one.variable} wins over config.toml."
        yield Static(said, markup=False, classes="waits")
    elif one.hidden:
        yield Static("A password in it is not shown.", classes="note")


def _whole(one: Setting) -> str:
    value = value_of(one.value)
    if isinstance(value, dict) and value:
        return "\n".join(f"{name}: {words_of(inner)}" for name, inner in value.items())
    return words_of(value)


def _wanted(one: Setting) -> str:
    if one.kind == "truth":
        return "on or off"
    if one.choices:
        return ", ".join(one.choices)
    return one.wanted.replace("text in quotes", "text")


class _Fact(Horizontal):
    """What something is called, and beside it what it is."""

    def __init__(self, name: str, value: str, ink: str = "") -> None:
        super().__init__(classes="fact")
        self._name, self._value, self._ink = name, value, ink

    def compose(self) -> ComposeResult:
        yield Static(self._name, classes="name")
        yield Static(Content.styled(printable(self._value), self._ink), classes="value")
