"""An agent that is being made: what was said of it so far, and the table that makes of it.

Nothing is written here; a step of the wizard asks what is wrong with it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from .archetypes import ARCHETYPES, Archetype

MOST_NAME = 60
STEPS = ("Who it is", "What it is for", "What it can do", "How it answers", "All of it")
_STEP_OF = {
    "slug": 0, "name": 0, "tagline": 0, "personality": 1, "boundaries": 1,
    "custom_skill_names": 2, "craft_skill_names": 2, "model": 3, "avatar_emoji": 3,
}  # fmt: skip
"""Where one mends which field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was said so far."""

    name: str = ""
    slug: str = ""
    tagline: str = ""
    kind: Archetype = ARCHETYPES[0]
    skills: tuple[str, ...] = ()
    model: str = "default"
    avatar: str = ARCHETYPES[0].avatar

    def problem(self, step: int, taken: Collection[str]) -> str:
        """Why one cannot go on from a step; empty where one can."""
        if step != 0:
            return ""
        if not self.name:
            return "name: it needs one"
        if len(self.name) > MOST_NAME:
            return f"name: at most {MOST_NAME} characters"
        if not self.slug:
            return "called by: a word of a-z, digits, - and _ that begins with a letter"
        if self.slug in taken:
            return f"called by: there is a {self.slug} already; {free(self.slug, taken)} is free"
        return ""

    @property
    def fields(self) -> dict[str, Any]:
        """Its table as agents.toml writes it; what is left to the defaults is left out."""
        found: dict[str, Any] = {"name": self.name}
        if self.tagline:
            found["tagline"] = self.tagline
        if self.avatar:
            found["avatar_emoji"] = self.avatar
        if self.skills:
            found["custom_skill_names"] = list(self.skills)
        if craft := [one for one in self.kind.skills if one in self.skills]:
            found["craft_skill_names"] = craft
        found |= self.kind.tables()
        found["model"] = {"model_name": self.model, "temperature": self.kind.temperature}
        return found


def free(slug: str, taken: Collection[str]) -> str:
    """The slug, or the nearest one nobody has."""
    if slug not in taken:
        return slug
    number = 2
    while (other := f"{slug[:36]}-{number}") in taken:
        number += 1
    return other


def step_of(problem: str, slug: str) -> int:
    """Where the field is that an error names; the last step where it names none."""
    for field, step in _STEP_OF.items():
        if f"agents.{slug}.{field}" in problem:
            return step
    return len(STEPS) - 1
