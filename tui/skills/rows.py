"""Skills as rows: each with what stands between it and the agents."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from skill_agent.values import Skill, SkillActivation

from ..frame.agents import Member
from ..frame.plain import one_line

Show = Literal["all", "waits for you", "refused", "in use"]
SHOWN: tuple[Show, ...] = ("all", "waits for you", "refused", "in use")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A skill with who has it."""

    skill: Skill
    agents: tuple[Member, ...] = ()
    """Those whose skill it is."""

    tools: tuple[SkillActivation, ...] = ()
    """Whose tool it is."""

    @property
    def names(self) -> str:
        """Theirs, in a line."""
        return ", ".join(one.name for one in self.agents)

    @property
    def id(self) -> str:
        """Its name, or its path where it could not be loaded."""
        return self.skill.name if self.skill.loaded else self.skill.path

    @property
    def waits(self) -> bool:
        """Whether a person has to say something about it."""
        return self.skill.loaded and self.skill.trust in ("changed", "not approved")


def entries(
    skills: Iterable[Skill],
    agents: Mapping[str, Sequence[Member]],
    tools: Sequence[SkillActivation],
) -> list[Entry]:
    """`agents` are those who have a skill, by its name."""
    return [
        Entry(
            skill=one,
            agents=tuple(agents.get(one.name, ())) if one.loaded else (),
            tools=tuple(tool for tool in tools if tool.skill == one.name) if one.loaded else (),
        )
        for one in skills
    ]


def wanted(found: Iterable[Entry], show: Show, words: str) -> list[Entry]:
    """Those that fit, in the order given."""
    fits: dict[Show, Callable[[Entry], bool]] = {
        "all": lambda one: True,
        "waits for you": lambda one: one.waits,
        "refused": lambda one: not one.skill.loaded,
        "in use": lambda one: bool(one.agents or one.tools),
    }
    sought = words.lower().split()

    def says(one: Entry) -> bool:
        text = f"{one.skill.name} {one.skill.description} {one.skill.path} {one.skill.reason}"
        return all(word in f"{text} {one.names}".lower() for word in sought)

    return [one for one in found if fits[show](one) and says(one)]


class SkillList(OptionList):
    """Remembers which skill is chosen by its id, whatever the rows around it do."""

    class Chosen(Message):
        """Another one is highlighted, or the same one has changed."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._entries: dict[str, Entry] = {}

    @property
    def chosen(self) -> Entry | None:
        option = self.highlighted_option
        return self._entries.get(option.id or "") if option else None

    def put(self, found: Sequence[Entry], home: Path, choose: str | None = None) -> None:
        """Replaces the rows; the chosen one stays, or where it is gone, its place."""
        before = choose or (self.chosen.id if self.chosen else None)
        place = self.highlighted or 0
        self._entries = {one.id: one for one in found}
        with self.app.batch_update(), self.prevent(OptionList.OptionHighlighted):
            self.clear_options()
            self.add_options([_row(one, home) for one in self._entries.values()])
            ids = list(self._entries)
            if ids:
                self.highlighted = ids.index(before) if before in ids else min(place, len(ids) - 1)
        if self.chosen is not None:
            self.post_message(self.Chosen(self.chosen))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if found := self._entries.get(event.option.id or ""):
            self.post_message(self.Chosen(found))


def _row(entry: Entry, home: Path) -> Option:
    skill, muted = entry.skill, "$foreground-muted"
    sign, words, colour = state_of(skill)
    below = one_line(skill.reason, 200) if not skill.loaded else " · ".join(
        part for part in (origin(skill, home), entry.names, _tools(entry)) if part
    )  # fmt: skip
    return Option(
        Content.assemble(
            (f"{sign} ", colour),
            (one_line(skill.name, 60), "bold" if skill.loaded else muted),
            (f"  {words}" if words else "", colour),
            (f"\n  {below}", colour if not skill.loaded else muted),
        ),
        id=entry.id,
    )


def _tools(entry: Entry) -> str:
    count = len(entry.tools)
    return f"a tool of {count}" if count else ""


def state_of(skill: Skill) -> tuple[str, str, str]:
    """A sign, words and a colour for how it stands."""
    if not skill.loaded:
        return "✗", "refused", "$error"
    match skill.trust:
        case "trusted":
            return "●", "", "$success"
        case "approved":
            return "●", "approved", "$success"
        case "changed":
            return "≠", "changed since you approved it", "$warning"
        case _:
            return "○", "not approved yet", "$warning"


def origin(skill: Skill, home: Path) -> str:
    """Where it comes from, in words."""
    path = Path(skill.path)
    if path.is_relative_to(home / "skills"):
        return "this home"
    if skill.trust == "trusted":
        return "came with the program"
    if ".agents" in path.parts:
        return "shared with other programs"
    return "elsewhere"
