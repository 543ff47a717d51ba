"""Who is who on the screen: an agent's shown name and accent, by slug.

Only what drawing needs; the agents themselves are the runtime's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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


NOBODY = Member(slug="", name="", accent="accent-none")
"""Who speaks before the team is known."""


class Cast:
    """The members in the order of agents.toml; empty until the runtime is open."""

    def __init__(self, agents: "Sequence[AgentDNA]" = ()) -> None:
        self._members = {
            dna.slug: Member(
                slug=dna.slug,
                name=dna.name,
                tagline=dna.tagline,
                model=dna.model.model_name,
                status=dna.status,
                accent=f"accent-{index % ACCENTS}",
            )
            for index, dna in enumerate(agents)
        }

    def __getitem__(self, slug: str) -> Member:
        """The member; one that has left the team keeps its slug as its name."""
        return self._members.get(slug) or replace(NOBODY, slug=slug, name=slug)

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

    def starting_with(self, prefix: str) -> list[Member]:
        """Active members whose slug begins so, for completing a mention."""
        return [member for member in self.active() if member.slug.startswith(prefix.lower())]
