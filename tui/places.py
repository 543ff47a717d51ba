"""The places of the workstation: each one line here, and a folder with its screen and its deeds.

A place is laid over the conversation as a page; the conversation itself is where one comes back to.
What is registered here is in the palette, has a slash command, and is in the list of Ctrl+O.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from .frame.deeds import ALWAYS, Deed, Part
from .inbox.deeds import PART as INBOX
from .memory.deeds import PART as MEMORY
from .talk.deeds import PARTS as TALK
from .team.deeds import PART as TEAM
from .work.deeds import PART as WORK

if TYPE_CHECKING:
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
        what="what agents do together: watch, stop, write, begin anew", part=TEAM,
    ),
    Place(
        name="inbox", label="Inbox", keys="f8", screen=".inbox.screen:InboxScreen",
        what="what waits for you, and what jobs and agents left for you", part=INBOX,
    ),
    Place(
        name="background", label="Background", keys="f9", screen=".work.screen:WorkScreen",
        what="long work: see, pause, stop, do it once more", part=WORK,
    ),
)  # fmt: skip

EVERYWHERE = (
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
        *(one.part for one in PLACES),
    )


def all_deeds() -> Iterator[Deed]:
    """Every deed there is, once."""
    for part in parts():
        yield from part.deeds
