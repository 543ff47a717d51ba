"""What agents say of themselves, as the texts a message is compared with."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skill_agent.agents.dna import AgentDNA, Tone
from skill_agent.values import Skill

_LONGEST = 400
"""Characters of one text; a description's beginning says what it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTexts:
    """One agent's texts, each with the name it is told by."""

    slug: str
    name: str
    says: tuple[str, ...]
    """Tagline, `can_do` and the effective skills, its craft among them, each on its own."""
    told: tuple[str, ...]
    """What each of `says` is called in an explanation; empty for what names no skill."""
    skills: tuple[str, ...]
    """The effective skills it has, by name."""
    never: tuple[str, ...]
    """`cannot_do`."""
    tone: Tone
    empathy: float
    """The trait `empathetic`, 0..1."""


def texts_of(dna: AgentDNA, skills: Mapping[str, Skill]) -> AgentTexts:
    """`skills` are those of the home by name; one that is not there, or is hidden, says nothing."""
    pairs = [("", dna.tagline)] if dna.tagline.strip() else []
    pairs += [(text, text) for text in dna.boundaries.can_do if text.strip()]
    names = dict.fromkeys((*dna.effective_skills, *dna.craft_skill_names))
    has = [skills[name] for name in names if name in skills]
    has = [skill for skill in has if skill.loaded and not skill.hidden]
    pairs += [(one.name, f"{one.name.replace('-', ' ')}: {one.description}") for one in has]
    return AgentTexts(
        slug=dna.slug,
        name=dna.name,
        says=tuple(text[:_LONGEST] for _, text in pairs),
        told=tuple(name for name, _ in pairs),
        skills=tuple(one.name for one in has),
        never=tuple(text[:_LONGEST] for text in dna.boundaries.cannot_do if text.strip()),
        tone=dna.personality.tone,
        empathy=float(dna.personality.traits.get("empathetic", 0.0)),
    )


def digest_of(team: Sequence[AgentTexts]) -> str:
    """Another one with every change of what is compared."""
    return hashlib.sha256(repr(tuple(team)).encode()).hexdigest()
