"""Who is who on the screen: an agent's shown name and accent, by slug; and choosing one.

Only what drawing needs; the agents themselves are the runtime's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.style import Style
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from .key_bar import keyed
from .plain import one_line
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
    """One sign two cells wide; empty where it has none that every terminal draws alike."""

    @property
    def colour(self) -> str:
        """Its colour as a style."""
        return f"${self.accent.replace('accent-', 'agent-')}"

    @property
    def mark(self) -> tuple[str, str]:
        """What stands before its name in a list, three cells wide, with its style."""
        return (f"{self.avatar} ", "") if self.avatar else ("●  ", self.colour)


NOBODY = Member(slug="", name="", accent="accent-none")
"""Who speaks before the team is known."""


def link_to(member: Member) -> Content:
    """Its name; a click on it goes to its page."""
    return Content.styled(
        member.name, Style.from_meta({"@click": f"app.place('agents', {member.slug!r})"})
    )


def avatar_of(written: str) -> str:
    """An avatar as a list can show it: one sign that is two cells wide everywhere. What is put
    together of several takes another width in another terminal."""
    sign = written.strip().removesuffix("\ufe0f")
    return sign if len(sign) == 1 and cell_len(sign) == 2 else ""


class AgentList:
    """The members in the order of agents.toml; empty until the runtime is open."""

    def __init__(self, agents: "Sequence[AgentDNA]" = ()) -> None:
        self._members: dict[str, Member] = {}
        self.become(agents)

    def become(self, agents: "Sequence[AgentDNA]") -> bool:
        """Takes over what the team is now; whether that is anything else."""
        before = self._members
        self._members = {
            dna.slug: Member(
                slug=dna.slug,
                name=one_line(dna.name, 60),
                tagline=one_line(dna.tagline, 400),
                model=dna.model.model_name,
                status=dna.status,
                accent=f"accent-{index % ACCENTS}",
                avatar=avatar_of(dna.avatar_emoji),
            )
            for index, dna in enumerate(agents)
        }
        return self._members != before

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
            yield Static(
                keyed("Enter picks · Esc closes · @name asks one of them once"), classes="keys"
            )

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        slugs = [member.slug for member in self._members]
        options.highlighted = slugs.index(self._current) if self._current in slugs else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def _option(self, member: Member) -> Option:
        active = member.status == "active"
        state = "" if active else f"  {member.status}"
        here = "  here now" if member.slug == self._current else ""
        model = "" if member.model == "default" else f" · {member.model}"
        text = Content.assemble(
            member.mark,
            (member.name, "bold"),
            (f"  @{member.slug}{model}", "$foreground-muted"),
            (here, "$success"),
            (state, "$warning"),
            (f"\n   {member.tagline}" if member.tagline else "", "$foreground-muted"),
        )
        return Option(text, id=member.slug, disabled=not active)
