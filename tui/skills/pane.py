"""One skill beside the list: whom it may speak to, what is odd about it, and its text as data."""

from collections.abc import Iterator
from pathlib import Path

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from skill_agent.values import Skill, SkillPage

from ..frame.agents import link_to
from ..frame.columns import Columns, Row
from ..frame.plain import one_line, printable
from .rows import Entry, origin, state_of

MOST_TEXT = 40_000
"""Characters of a SKILL.md that are shown; `ska skills show` has the rest."""
MOST_FILES = 12


class SkillPane(VerticalScroll, can_focus=True):
    """Quiet until something is chosen."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._shown = ""

    async def say(self, words: str) -> None:
        """Words in place of a skill."""
        await self._fill([Static(words, markup=False, classes="empty")] if words else [], "")

    async def tell(self, entry: Entry, page: SkillPage, home: Path) -> None:
        """Draws it; where one reads stays while it is the same skill."""
        await self._fill(list(_drawn(entry, page, home)), entry.id)

    async def _fill(self, widgets: list[Widget], shown: str) -> None:
        moved = shown != self._shown
        self._shown = shown
        with self.app.batch_update():
            await self.remove_children()
            await self.mount_all(widgets)
        if moved:
            self.scroll_home(animate=False)


def _drawn(entry: Entry, page: SkillPage, home: Path) -> Iterator[Widget]:
    skill = page.skill
    sign, words, colour = state_of(skill)
    yield Static(one_line(skill.name, 80), markup=False, classes="title")
    told = words or "came with the program, so it is trusted"
    yield Static(Content.styled(f"{sign} {told}", colour), classes="state")
    if skill.reason:
        yield Static(Content.styled(printable(skill.reason), "$error"), classes="said")
    if entry.waits:
        yield Static(
            "Read it below. Until you approve it, an agent is told its name only, and opening it "
            "asks you.",
            classes="why",
        )
    if skill.description:
        yield Static(printable(skill.description[:1_200]), markup=False, classes="said")
    yield Columns(list(_facts(entry, skill, home)), classes="facts")
    if page.findings:
        yield Static("Found odd", classes="section")
        for one in page.findings:
            line = Content.assemble(("! ", "$warning"), one_line(one, 400))
            yield Static(line, classes="line")
    if page.files:
        yield Static("Beside it", classes="section")
        more = len(page.files) - MOST_FILES
        lines = [one_line(one, 120) for one in page.files[:MOST_FILES]]
        lines += [f"and {more} more"] if more > 0 else []
        yield Static("\n".join(lines), markup=False, classes="line")
    if page.text.strip():
        yield Static("What it says", classes="section")
        yield Static(printable(page.text.strip()[:MOST_TEXT]), markup=False, classes="text")
        if page.cut:
            yield Static(f"It goes on: ska skills show {skill.name}", classes="empty")


def _facts(entry: Entry, skill: Skill, home: Path) -> Iterator[Row]:
    approved = ["every agent" if one == "*" else one for one in skill.approved_for]
    tools = [f"{one.agent} ({one.problem})" if one.problem else one.agent for one in entry.tools]
    for name, said in (
        ("from", origin(skill, home)),
        ("lies in", skill.path),
        ("had by", "" if entry.agents or not skill.loaded else "nobody"),
        ("approved for", ", ".join(approved)),
        ("a tool of", ", ".join(tools)),
        ("may call", ", ".join(skill.allowed_tools)),
        ("needs", skill.compatibility),
        ("licence", skill.licence),
    ):
        if said:
            yield name, Content(one_line(said, 600))
        elif name == "had by" and entry.agents:
            yield name, Content(", ").join(link_to(one) for one in entry.agents)
