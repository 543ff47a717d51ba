"""The places of the workstation: each one line here, and a folder with its screen and its deeds.

A place is laid over the conversation as a page; the conversation itself is where one comes back to.
What is registered here is in the palette, has a slash command, and is in the list of Ctrl+O.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from .agents.deeds import PART as AGENTS
from .frame.deeds import ALWAYS, Deed, Part
from .inbox.deeds import ANSWERS
from .inbox.deeds import PART as INBOX
from .jobs.deeds import PART as JOBS
from .logs.deeds import PART as LOGS
from .memory.deeds import PART as MEMORY
from .settings.deeds import PART as SETTINGS
from .skills.deeds import PART as SKILLS
from .talk.deeds import PARTS as TALK
from .team.deeds import PART as TEAM
from .usage.deeds import PART as USAGE

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

    from .frame.page import Page

TALK_PLACE = "talk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One page of the workstation."""

    name: str
    """`memory`: its slash command and what `app.place('memory')` goes to."""
    label: str
    what: str
    keys: str = ""
    screen: str
    """`module:class`, loaded when somebody goes there."""
    part: Part
    more: tuple[Part, ...] = ()
    """What can be done in parts of it."""

    def load(self) -> "type[Page]":
        module, name = self.screen.split(":")
        return getattr(import_module(module, __package__), name)

    @property
    def deed(self) -> Deed:
        """Going there."""
        return Deed(
            id=f"go.{self.name}", what=self.what, label=self.label, keys=self.keys,
            action=f"app.place('{self.name}')", slash=self.name, priority=True,
        )  # fmt: skip


PLACES = (
    Place(
        name="memory", label="Memory", keys="f5,ctrl+l", screen=".memory.screen:MemoryScreen",
        what="all memories: search, read, correct, forget, settle disputes", part=MEMORY,
    ),
    Place(
        name="team", label="Team", keys="f7,ctrl+t", screen=".team.screen:TeamScreen",
        what="what agents do together: begin, watch, stop, write", part=TEAM,
    ),
    Place(
        name="inbox", label="Inbox", keys="f8", screen=".inbox.screen:InboxScreen",
        what="what waits for you, and what jobs and agents left for you", part=INBOX,
        more=(ANSWERS,),
    ),
    Place(
        name="jobs", label="Jobs", keys="f9", screen=".jobs.screen:JobsScreen",
        what="what is done at its times, and long work in the background", part=JOBS,
    ),
    Place(
        name="agents", label="Agents", screen=".agents.screen:AgentsScreen", part=AGENTS,
        what="who is in the team: make, change, pause, talk to",
    ),
    Place(
        name="skills", label="Skills", screen=".skills.screen:SkillsScreen", part=SKILLS,
        what="what agents can be taught: read, approve, make tools of",
    ),
    Place(
        name="usage", label="Usage", screen=".usage.screen:UsageScreen",
        what="what models consumed and cost, by day, agent, model; what may be spent",
        part=USAGE,
    ),
    Place(
        name="logs", label="Logs", screen=".logs.screen:LogScreen", part=LOGS,
        what="what the host has to say: follow, search, only what went wrong",
    ),
    Place(
        name="settings", label="Settings", keys="f10", part=SETTINGS,
        screen=".settings.screen:SettingsScreen",
        what="every setting: what it means, where it comes from; change it",
    ),
)  # fmt: skip

EVERYWHERE = (
    Deed(id="go.background", what="long work in the background, among the jobs",
         label="background", action="app.place('jobs', 'background')", slash="background"),
    Deed(id="app.places", what="a list of all places to go to", label="go to", keys="ctrl+o",
         action="app.places", slash="go", foot=80, priority=True),
    Deed(id="app.palette", what="all commands, and the themes", label="commands", keys="ctrl+p",
         action="app.command_palette"),
    Deed(id="app.theme", what="change the colours", label="theme", action="app.change_theme",
         slash="theme"),
    Deed(id="app.suspend", what="back to the shell; `fg` comes back here", keys="ctrl+z",
         label="shell", action="app.suspend_process", priority=True),
    Deed(id="app.quit", what="quit; drafts are kept", label="quit", keys="ctrl+q",
         action="app.quit", slash="quit", priority=True),
    Deed(id="app.keys", what="this page", label="keys", keys="f1", action="app.keys",
         slash="help", foot=ALWAYS + 9, priority=True),
)  # fmt: skip
"""What can be done on any screen."""


def place(name: str) -> Place:
    """Raises KeyError for one there is not."""
    return {one.name: one for one in PLACES}[name]


def going() -> tuple[Deed, ...]:
    """Going to each place."""
    return tuple(one.deed for one in PLACES)


def parts() -> tuple[Part, ...]:
    """Every deed there is, as F1 shows them."""
    return (
        *TALK,
        Part("Everywhere", (*going(), *EVERYWHERE)),
        *(part for one in PLACES for part in (one.part, *one.more)),
    )


def all_deeds() -> Iterator[Deed]:
    """Every deed there is, once."""
    for part in parts():
        yield from part.deeds


async def settle(page: "Page", memory: str, runtime: "Workstation") -> None:
    """The dialog of the memory place in which one decides which is right, over any page."""
    agents = await asyncio.to_thread(import_module, ".frame.agents", __package__)
    actions = await asyncio.to_thread(import_module, ".memory.actions", __package__)
    team = agents.AgentList(await runtime.agents.list())
    book = actions.MemoryActions(runtime, page, team)
    await book.settle(await runtime.memory.get(memory))
