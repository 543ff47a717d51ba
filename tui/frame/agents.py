"""Who is who on the screen: an agent's shown name and accent, by slug; and choosing one.

Only what drawing needs; the agents themselves are the runtime's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from .plain import one_line, printable
from .theme import ACCENTS

if TYPE_CHECKING:
    from skill_agent.agents.dna import AgentDNA


@dataclass(frozen=True, slots=True)
class Member:
    """One agent as the screen needs it."""

    slug: str
    name: str
    tagline: str = ""
    model: str = ""
    status: str = "active"
    accent: str = "accent-0"
    """CSS class of its colour."""
    avatar: str = ""
    """One sign of at most two cells; empty where it has none, or one terminals disagree about."""


NOBODY = Member(slug="", name="", accent="accent-none")
"""Who speaks before the team is known."""


class AgentList:
    """The members in the order of agents.toml; empty until the runtime is open."""

    def __init__(self, agents: "Sequence[AgentDNA]" = ()) -> None:
        self._members = {
            dna.slug: Member(
                slug=dna.slug,
                name=one_line(dna.name, 60),
                tagline=one_line(dna.tagline, 400),
                model=dna.model.model_name,
                status=dna.status,
                accent=f"accent-{index % ACCENTS}",
                avatar=_one_sign(dna.avatar_emoji),
            )
            for index, dna in enumerate(agents)
        }

    def __getitem__(self, slug: str) -> Member:
        """The member; one that has left the team keeps its slug as its name."""
        return self._members.get(slug) or replace(NOBODY, slug=slug, name=one_line(slug, 60))

    def all(self) -> list[Member]:
        return list(self._members.values())

    def active(self) -> list[Member]:
        """Those one can talk to."""
        return [member for member in self._members.values() if member.status == "active"]

    def after(self, slug: str, step: int) -> Member:
        """The active member `step` places on, around the end."""
        active = self.active()
        if not active:
            return self[slug]
        slugs = [member.slug for member in active]
        at = slugs.index(slug) if slug in slugs else -step
        return active[(at + step) % len(active)]


def _one_sign(emoji: str) -> str:
    """The emoji where it is a single character; joined ones are drawn in other widths."""
    sign = printable(emoji.strip().removesuffix("\ufe0f"))
    return sign if len(sign) == 1 and Content(sign).cell_length <= 2 else ""


class AgentPicker(ModalScreen[str | None]):
    """Gives the chosen slug, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+g", "dismiss(None)", "Close", show=False),
    ]

    def __init__(self, members: Sequence[Member], current: str) -> None:
        super().__init__()
        self._members, self._current = members, current

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Talk to", classes="dialog-title")
            yield OptionList(*(self._option(member) for member in self._members))
            yield Static("Enter picks · Esc closes · @name asks one of them once", classes="keys")

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        slugs = [member.slug for member in self._members]
        options.highlighted = slugs.index(self._current) if self._current in slugs else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def _option(self, member: Member) -> Option:
        active = member.status == "active"
        colour = f"${member.accent.replace('accent-', 'agent-')}"
        state = "" if active else f"  {member.status}"
        here = "  here now" if member.slug == self._current else ""
        model = "" if member.model == "default" else f" · {member.model}"
        text = Content.assemble(
            ("● ", colour),
            (member.name, "bold"),
            (f"  @{member.slug}{model}", "$foreground-muted"),
            (here, "$success"),
            (state, "$warning"),
            (f"\n  {member.tagline}" if member.tagline else "", "$foreground-muted"),
        )
        return Option(text, id=member.slug, disabled=not active)
