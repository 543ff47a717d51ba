"""What a person must read keeps 4.5:1 against its ground, in each theme, wherever it stands."""

import unicodedata
from collections.abc import Iterator
from itertools import product

import pytest
from rich.segment import Segment
from scenes import ASKED, COMPACTED, EXTRACTED, RECALLED, SAVED, TOOL, WORDS
from skill_agent.tui.frame.theme import CONTRAST, DARK, LIGHT, OURS, PAPER, accent_variables
from skill_agent.tui.places import PLACES
from stage import StageRuntime, make
from stage_book import shelf
from stage_inbox import full
from stage_work import at_work, behind
from textual.app import App
from textual.color import Color
from textual.theme import Theme
from waiting import all_handled

from skill_agent.errors import ModelUnavailable
from skill_agent.events import Notice

LEAST = 4.5


parsed = Color.parse


def luminance(colour: Color) -> float:
    def part(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    return 0.2126 * part(colour.r) + 0.7152 * part(colour.g) + 0.0722 * part(colour.b)


def contrast(one: Color, other: Color) -> float:
    """As WCAG 2 counts it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def pale(app: App[None]) -> list[str]:
    """What stands on the screen and is too pale to be read, each once; not what a dialog dims."""
    screen, found = app.screen, list[str]()
    boxes = [one.region for one in screen.children] if screen.is_modal else [screen.region]
    for y, line in enumerate(screen._compositor.render_strips()):
        x = 0
        for segment in line:
            if any(box.contains(x, y) for box in boxes):
                found += too_pale(segment)
            x += segment.cell_length
    return list(dict.fromkeys(found))


def too_pale(segment: Segment) -> Iterator[str]:
    style = segment.style
    if style is None or not any(unicodedata.category(one)[0] in "LN" for one in segment.text):
        return
    if style.color is None or style.bgcolor is None:
        yield f"{segment.text.strip()!r} is left to the terminal: {style}"
        return
    fore, ground = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
    if style.reverse:
        fore, ground = ground, fore
    if style.dim:
        fore = ground.blend(fore, 0.5)
    if (found := contrast(fore, ground)) < LEAST:
        yield f"{segment.text.strip()[:40]!r} {fore.hex} on {ground.hex}: {found:.1f}"


def busy() -> StageRuntime:
    """A home in which every place has something to show."""
    runtime = StageRuntime(memory=shelf())
    runtime.add_session("Deploying on Fridays", "kyra", "Remember that …", "Noted.")
    full(runtime.post, "session-0")
    at_work(runtime.given, runtime.together)
    behind(runtime.background)
    runtime.scripts = [
        [SAVED, RECALLED, COMPACTED, make(Notice, text="a warning", level="warning"), *TOOL,
         *WORDS, "\n\n# One\n\n## Two\n\n> said\n\n`code` [link](https://example.org)\n\n",
         "```python\ndef go(x: int) -> str:  # why\n    return f'{x}' + \"two\"\n```\n", EXTRACTED],
        [ModelUnavailable("qwen is not installed", hint="ska models pull")],
        ["Let me look. ", ASKED],
    ]  # fmt: skip
    return runtime


GREYS = ("foreground-muted", "foreground-disabled")
WORDS_IN = ("primary", "secondary", "accent", "foreground", "success", "warning", "error")


@pytest.mark.parametrize("theme", OURS, ids=lambda one: one.name)
def test_each_colour_of_words_can_be_read_on_every_ground(theme: Theme) -> None:
    colours = accent_variables(theme.dark)
    del colours["agent-none"]  # nobody's name is written in it
    colours |= {name: theme.variables[name] for name in GREYS}
    colours |= {name: getattr(theme, name) for name in WORDS_IN}
    chosen = theme.variables["block-cursor-background"]
    grounds = (theme.background, theme.surface, theme.panel, chosen)
    pairs = product(colours.items(), filter(None, grounds))
    weak = [(name, on) for (name, one), on in pairs if contrast(parsed(one), parsed(on)) < LEAST]
    assert weak == []


THEMES = pytest.mark.parametrize(
    "themes",
    [(DARK, LIGHT), pytest.param((CONTRAST, PAPER), marks=pytest.mark.deep)],
    ids=("usual", "others"),
)
Themes = tuple[Theme, ...]


async def looked(seat, themes: Themes) -> list[str]:
    """What is too pale on the screen as it is, in any of the themes."""
    found = list[str]()
    for theme in themes:
        seat.app.theme = theme.name
        await all_handled(seat.pilot)
        found += [f"{theme.name}: {one}" for one in pale(seat.app)]
    return found


@THEMES
async def test_every_place_can_be_read(sit, themes: Themes) -> None:
    async with sit(busy(), size=(120, 40)) as seat:
        found = dict[str, list[str]]()
        for place in PLACES:
            seat.app.action_place(place.name)
            await seat.until(lambda place=place: isinstance(seat.app.screen, place.load()))
            await seat.press("down")
            await seat.settled()
            found[place.name] = await looked(seat, themes)
            seat.app.screen.dismiss(None)
            await seat.settled()
            assert seat.app.screen is seat.talk
        assert {where: what for where, what in found.items() if what} == {}


@THEMES
async def test_the_conversation_can_be_read(sit, themes: Themes) -> None:
    async with sit(busy(), size=(140, 60)) as seat:
        found = {"welcome": await looked(seat, themes)}
        for number, keys in enumerate((("alt+up",), ("alt+up", "enter"), ("f2",))):
            await seat.say("What is it?")
            await seat.settled()
            await seat.press(*keys)
            await seat.settled()
            found[f"reply {number}"] = await looked(seat, themes)
            if number < 2:
                await seat.press("escape")
        seat.app.notify("Something was told", title="So", severity="error")
        await seat.press("escape", "f3")
        found["memory"] = await looked(seat, themes)
        assert {where: what for where, what in found.items() if what} == {}


@THEMES
async def test_the_dialogs_can_be_read(sit, themes: Themes) -> None:
    async with sit(busy(), size=(120, 40)) as seat:
        found = dict[str, list[str]]()
        for key in ("ctrl+s", "ctrl+g", "ctrl+o", "f1", "ctrl+p"):
            await seat.press(key)
            await seat.settled()
            assert len(seat.app.screen_stack) == 2, key
            found[key] = await looked(seat, themes)
            await seat.press("escape")
            await seat.settled()
        assert {where: what for where, what in found.items() if what} == {}
