"""What is asked of agents that work together, in the language of their goal, and what code says of
what came of it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skill_agent.agents.dna import AgentDNA
from skill_agent.text.language import english, language, language_of
from skill_agent.text.shaping import one_line

_LONGEST_FIELD = 60


@dataclass(frozen=True, slots=True)
class Wording:
    """The lines of one language."""

    lines: Mapping[str, Any]

    def line(self, key: str, /, **said: object) -> str:
        return str(self.lines[key]).format_map(said)

    def asked(self, goal: str, key: str, /, **said: object) -> str:
        """The goal with what is wanted of it."""
        return f"{goal.strip()}\n\n{self.line(key, **said)}"


async def wording_of(goal: str) -> Wording:
    """In the goal's language; in English where nothing is known to say in it."""
    code = await asyncio.to_thread(language_of, goal)
    known = language(code) or english()
    return Wording(known.tables.get("together") or english().tables["together"])


def field_of(dna: AgentDNA) -> str:
    """What an agent is good at, in a few words; empty where it does not say."""
    skills = [name.replace("-", " ") for name in dna.custom_skill_names]
    said = [*dna.boundaries.can_do, *skills, dna.tagline]
    return one_line(next((one for one in said if one), ""), _LONGEST_FIELD)


def fields_of(dna: AgentDNA) -> str:
    """The same, as far as three words of it go."""
    said = dna.boundaries.can_do[:3] or (field_of(dna),)
    return ", ".join(one_line(one, _LONGEST_FIELD) for one in said if one)


def attributed(dna: AgentDNA) -> str:
    """How an agent is named to others: `Luke (code review)`."""
    field = field_of(dna)
    return f"{dna.name} ({field})" if field else dna.name


def sections(pieces: Sequence[tuple[str, str]], heading: str = "{who}:") -> str:
    """Texts one below the other, each headed by who gave it."""
    told = ((heading.format(who=who), text.strip()) for who, text in pieces)
    return "\n\n".join(f"{head}\n{text}" for head, text in told)
