"""The list of agents: two rows each, those one can talk to first to the eye."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ..frame.agents import AgentList, Member

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA


class TeamList(OptionList):
    """Remembers which agent is chosen by its slug, whatever the rows around it do."""

    class Chosen(Message):
        """Another one is highlighted, or the same one has changed."""

        def __init__(self, dna: "AgentDNA") -> None:
            super().__init__()
            self.dna = dna

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False)
        self._known: dict[str, AgentDNA] = {}

    @property
    def chosen(self) -> "AgentDNA | None":
        option = self.highlighted_option
        return self._known.get(option.id or "") if option else None

    def put(self, agents: "Sequence[AgentDNA]", members: AgentList, choose: str | None) -> None:
        """Replaces the rows; `choose` is looked at where it is among them, else who was."""
        before = choose or (self.chosen.slug if self.chosen else None)
        place = self.highlighted or 0
        self._known = {one.slug: one for one in agents}
        with self.app.batch_update(), self.prevent(OptionList.OptionHighlighted):
            self.clear_options()
            self.add_options([_row(members[one.slug], one) for one in agents])
            slugs = list(self._known)
            if slugs:
                there = slugs.index(before) if before in slugs else min(place, len(slugs) - 1)
                self.highlighted = there
        if self.chosen is not None:
            self.post_message(self.Chosen(self.chosen))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if dna := self._known.get(event.option.id or ""):
            self.post_message(self.Chosen(dna))


def _row(member: Member, dna: "AgentDNA") -> Option:
    active, muted = member.status == "active", "$foreground-muted"
    model = "" if member.model == "default" else f" · {member.model.rsplit('/', 1)[-1]}"
    runs = f" · runs on {_program(dna)}" if dna.runs is not None else model
    return Option(
        Content.assemble(
            member.mark,
            (member.name, "bold" if active else muted),
            ("" if active else f"  {member.status}", "$warning"),
            (runs, muted),
            (f"\n   {member.tagline or f'@{member.slug}'}", muted),
        ),
        id=member.slug,
    )


def _program(dna: "AgentDNA") -> str:
    acp = dna.runs.acp if dna.runs else ""
    return acp if isinstance(acp, str) else acp[0].rsplit("/", 1)[-1]
