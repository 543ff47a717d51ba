"""What a person chooses from and looks at before choosing: models, agents, skills."""

from dataclasses import dataclass
from typing import Literal

from .nouns import ModelInfo, Skill


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOffer:
    """A model as one may choose it now, or why one cannot."""

    id: str
    """`provider/model`, as `model_name` takes it."""
    model: ModelInfo
    place: Literal["embedded", "ollama", "remote"]
    problem: str = ""
    """Why it could not answer now; empty where it could."""
    fix: str = ""
    """What to do about it."""
    prompt_usd: float | None = None
    """For a million tokens; None where no price is known."""
    completion_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTrust:
    """How far an agent has proved itself, as routing weighs it."""

    id: str
    """The agent's slug."""
    trust: float
    """0..1; .5 is what nobody knows anything of. What is older counts less."""
    good: int = 0
    """Replies that were rated good, and work that was verified or done."""
    bad: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillPage:
    """One skill to be read by a person before they trust it."""

    id: str
    """Its name, or its path where it could not be loaded."""
    skill: Skill
    text: str = ""
    """What its SKILL.md says, as an agent would be told it; empty where it cannot be loaded."""
    cut: bool = False
    """There is more of it."""
    files: tuple[str, ...] = ()
    """What else lies in its folder."""
    findings: tuple[str, ...] = ()
    """Warnings, and what departs from the standard."""
