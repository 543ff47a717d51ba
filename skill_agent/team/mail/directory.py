"""Colleagues as agents find one another: who can do what, and who has time for it."""

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.turn_states import MOST_ENDED, TurnBoard
from skill_agent.errors import ModelUnavailable
from skill_agent.ports import Embedder
from skill_agent.values import AgentAvailability, AgentProfile, Skill, TurnState

MOST_TASKS = 5
"""An agent with so many tasks takes no more of them."""
_ALIKE, _BEHIND = 0.4, 0.1
"""The least likeness of meaning that counts, and how far behind the best agent's it may lie: in a
language the embedder knows little of, all are low."""
_WORD = re.compile(r"\w+")
_STEM = 5
"""Letters of a word that have to agree, so that "review" finds "reviews"."""
_log = logging.getLogger(__name__)


def _none(_agent: str) -> int:
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleagues:
    """The agents of a home by what they can do and by their load."""

    directory: AgentDirectory
    board: TurnBoard
    skills: Callable[[], Sequence[Skill]]
    embedder: Callable[[], Embedder] | None = None
    tasks: Callable[[str], int] = _none
    """How many tasks an agent works on, or has waiting."""

    async def find_experts(
        self, skills: Sequence[str] = (), *, exclude: Collection[str] = ()
    ) -> list[AgentProfile]:
        """The agents that can do what is wanted, the best first: by coverage, then by whether they
        can begin now, then by load. Without wanted skills all of them, the least busy first."""
        wanted = [one.strip() for one in skills if one.strip()]
        left_out = {self.directory.get(one).slug for one in exclude}
        there = [one for one in self.directory.list("active") if one.slug not in left_out]
        able = {one.slug: self._abilities(one) for one in there}
        shares = await asyncio.to_thread(self._coverage, wanted, able)
        found = [(self._profile(dna, shares[dna.slug]), self._load(dna)) for dna in there]
        if wanted:
            found = [one for one in found if one[0].skill_coverage > 0]
        found.sort(key=lambda one: _order(*one))
        return [profile for profile, _ in found]

    def availability(self, slug: str) -> AgentAvailability:
        """Raises NotFound for an unknown agent."""
        return self._load(self.directory.get(slug))

    def _abilities(self, dna: AgentDNA) -> tuple[str, ...]:
        """What an agent can do in words: its skills with what they are for, and `can_do`."""
        told = {one.name: one.description for one in self.skills()}
        names = (*dna.effective_skills, *dna.craft_skill_names)
        listed = [f"{name.replace('-', ' ')}: {told.get(name, '')}" for name in names]
        return tuple(dict.fromkeys([*names, *listed, *dna.boundaries.can_do, dna.tagline]))

    def _coverage(
        self, wanted: Sequence[str], able: Mapping[str, tuple[str, ...]]
    ) -> dict[str, float]:
        """The share of what is wanted, by agent. Blocking: it embeds the texts."""
        near = self._alike(wanted, able)
        count = dict.fromkeys(able, 0)
        for skill in wanted:
            best = max((near.get((slug, skill), 0.0) for slug in able), default=0.0)
            least = max(_ALIKE, best - _BEHIND)
            for slug, abilities in able.items():
                named = any(_names(one, skill) for one in abilities)
                count[slug] += named or near.get((slug, skill), 0.0) >= least
        return {slug: round(has / len(wanted), 4) if wanted else 0.0 for slug, has in count.items()}

    def _alike(
        self, wanted: Sequence[str], able: Mapping[str, tuple[str, ...]]
    ) -> dict[tuple[str, str], float]:
        """How like in meaning an agent's abilities are to each wanted skill; nothing where there
        is no embedder."""
        texts = list(dict.fromkeys(one for abilities in able.values() for one in abilities))
        embedder = self.embedder() if self.embedder and wanted and texts else None
        if embedder is None or embedder.dimensions == 1:  # words alone, until a model is there
            return {}
        try:
            known, asked = embedder.embed(texts), embedder.embed(list(wanted))
        except ModelUnavailable as problem:
            _log.info("colleagues are found by words alone: %s", problem.message)
            return {}
        row = {text: number for number, text in enumerate(texts)}
        return {
            (slug, skill): float((known[[row[one] for one in abilities]] @ asked[column]).max())
            for slug, abilities in able.items()
            if abilities
            for column, skill in enumerate(wanted)
        }

    def _profile(self, dna: AgentDNA, coverage: float) -> AgentProfile:
        return AgentProfile(
            id=dna.slug,
            name=dna.name,
            tagline=dna.tagline,
            status=dna.status,
            effective_skills=tuple(dict.fromkeys((*dna.effective_skills, *dna.craft_skill_names))),
            can_do=dna.boundaries.can_do,
            cannot_do=dna.boundaries.cannot_do,
            active_tasks=self.tasks(dna.slug),
            skill_coverage=coverage,
        )

    def _load(self, dna: AgentDNA) -> AgentAvailability:
        turns = [one for one in self.board.states(MOST_ENDED) if one.agent == dna.slug]
        running = [one for one in turns if one.state == "running"]
        tasks, talks = self.tasks(dna.slug), len({one.session for one in running})
        reason = ""
        if dna.status != "active":
            reason = f"{dna.name} is {dna.status}"
        elif tasks >= MOST_TASKS:
            reason = f"{dna.name} has {tasks} tasks, and takes {MOST_TASKS} at once"
        return AgentAvailability(
            id=dna.slug,
            available=not reason,
            active_tasks=tasks,
            active_conversations=talks,
            estimated_wait_s=round(max(tasks, len(running)) * _usual(turns), 1),
            reason=reason,
        )


def _names(ability: str, wanted: str) -> bool:
    """Whether every word of a wanted skill stands in an ability, whatever its ending."""
    there = {word[:_STEM] for word in _words(ability)}
    asked = {word[:_STEM] for word in _words(wanted)}
    return bool(asked) and asked <= there


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold().replace("_", " "))


def _usual(turns: Sequence[TurnState]) -> float:
    """Seconds that an agent's turns took lately; 0 where none has ended."""
    took = [
        (one.ended_at - one.started_at).total_seconds()
        for one in turns
        if one.ended_at is not None and one.started_at is not None
    ]
    return mean(took) if took else 0.0


def _order(profile: AgentProfile, load: AgentAvailability) -> tuple[object, ...]:
    busy = load.active_tasks + load.active_conversations
    return (-profile.skill_coverage, not load.available, busy, profile.id)
