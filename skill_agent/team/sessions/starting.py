"""Who takes part in a collaboration, and whether that can mean anything; nothing is begun here."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from skill_agent.agents.directory import AgentDirectory
from skill_agent.errors import UsageError
from skill_agent.text.checks import sound_text
from skill_agent.values import (
    NewCollaboration,
    Participant,
    ParticipantRole,
    Pattern,
)

from .patterns import KINDS

Rank = Callable[[str], Awaitable[Sequence[str]]]
"""The slugs of agents by how well they fit a text, the best first."""

LONGEST_GOAL, LONGEST_CONTEXT = 20_000, 200_000
MOST_SECONDS, MOST_ROUNDS, MOST_AGENTS = 86_400.0, 20, 20
BETWEEN: tuple[Pattern, ...] = ("supervisor_worker", "pipeline")
"""Patterns that can ask the person between their stages."""
_COLLEAGUES = 2
"""So many join a lead where nobody is named and the pattern takes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who takes part, and who leads."""

    lead: str
    participants: tuple[Participant, ...]


class Casting:
    """Chooses and checks participants."""

    def __init__(self, directory: AgentDirectory, default: str, rank: Rank) -> None:
        self._directory, self._default, self._rank = directory, default, rank

    async def cast(self, new: NewCollaboration) -> Cast:
        """Raises UsageError and NotFound, naming what fits."""
        check_limits(new)
        people = self._named(new) or await self._chosen(new)
        if new.pattern == "pipeline" and len({one.stage for one in people}) > 1:
            people = sorted(people, key=lambda one: one.stage)
        lead = self._lead(new, people)
        if lead not in [one.slug for one in people]:
            if new.lead is not None:
                raise UsageError(
                    f"{lead} leads, but takes no part", hint=f"name {lead} among the participants"
                )
            people = [Participant(slug=lead, role="lead"), *people]
        self._check(new.pattern, people)
        return Cast(lead=lead, participants=_roles(new.pattern, lead, people))

    def _named(self, new: NewCollaboration) -> list[Participant]:
        found = [replace(one, slug=self._active(one.slug)) for one in new.participants]
        for one in found:
            sound_text(one.task, f"the task of {one.slug}")
        names = [one.slug for one in found]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise UsageError(
                f"{twice} is named twice", hint="an agent takes part in a collaboration once"
            )
        return found

    async def _chosen(self, new: NewCollaboration) -> list[Participant]:
        """The lead, and the colleagues that fit the goal best."""
        lead = self._active(new.lead or self._default)
        active = {dna.slug for dna in self._directory.list("active")} - {lead}
        ranked = [slug for slug in await self._rank(new.goal) if slug in active]
        kind = KINDS[new.pattern]
        room = _COLLEAGUES if kind.most is None else kind.most - 1
        colleagues = [Participant(slug=slug) for slug in ranked[:room]]
        if new.pattern == "pipeline":  # whoever leads comes last and has all before its eyes
            return [*colleagues, Participant(slug=lead)]
        return [Participant(slug=lead, role="lead"), *colleagues]

    def _lead(self, new: NewCollaboration, people: Sequence[Participant]) -> str:
        if new.lead is not None:
            return self._active(new.lead)
        slugs = [one.slug for one in people]
        if led := next((one.slug for one in people if one.role == "lead"), None):
            return led
        if self._default in slugs or new.pattern in ("supervisor_worker", "brainstorm"):
            return self._active(self._default)
        return slugs[-1] if new.pattern == "pipeline" else slugs[0]

    def _active(self, name: str) -> str:
        dna = self._directory.get(name)
        if dna.status != "active":
            raise UsageError(f"{dna.name} is {dna.status}", hint=f"ska agents activate {dna.slug}")
        return dna.slug

    def _check(self, pattern: Pattern, people: Sequence[Participant]) -> None:
        kind, number = KINDS[pattern], len(people)
        named = pattern.replace("_", " ")
        if number > MOST_AGENTS:
            raise UsageError(f"{number} agents are too many", hint=f"{MOST_AGENTS} at most")
        if not kind.fits(number):
            told = "1 agent" if number == 1 else f"{number} agents"
            fitting = ", ".join(name for name, one in KINDS.items() if one.fits(number))
            raise UsageError(
                f"{named} takes {kind.needs}, not {told}", hint=f"with {told}: {fitting}"
            )
        if pattern == "peer_review" and sum(one.role == "reviewer" for one in people) > 1:
            raise UsageError(
                "peer review takes one writer and one reviewer, not two reviewers",
                hint="give only one of them the role reviewer",
            )


def check_limits(new: NewCollaboration) -> None:
    """Raises UsageError for a goal or limits that cannot be."""
    if new.ask_between and new.pattern not in BETWEEN:
        raise UsageError(
            f"{new.pattern.replace('_', ' ')} has no stages between which to ask",
            hint=f"these have: {', '.join(BETWEEN)}",
        )
    if not new.goal.strip():
        raise UsageError("what is the goal?", hint='ska team run "GOAL" --pattern PATTERN')
    sound_text(new.goal, "the goal")
    sound_text(new.context, "the context")
    for name, text, most in (
        ("goal", new.goal, LONGEST_GOAL),
        ("context", new.context, LONGEST_CONTEXT),
    ):
        if len(text) > most:
            raise UsageError(f"the {name} is longer than {most:,} characters", hint="shorten it")
    if not 0 < new.max_duration_s <= MOST_SECONDS:
        raise UsageError(
            f"max_duration_s is {new.max_duration_s:g}",
            hint=f"more than 0, {MOST_SECONDS:g} at most",
        )
    if not math.isfinite(new.max_cost_usd) or new.max_cost_usd < 0:
        raise UsageError(
            f"max_cost_usd is {new.max_cost_usd:g}", hint="0 or more; 0 takes free models only"
        )
    if not 1 <= new.max_rounds <= MOST_ROUNDS:
        raise UsageError(f"max_rounds is {new.max_rounds}", hint=f"1 to {MOST_ROUNDS}")


def _roles(pattern: Pattern, lead: str, people: Sequence[Participant]) -> tuple[Participant, ...]:
    """Everybody with the role and the place the pattern gives them."""
    reviewer = _reviewer(people) if pattern == "peer_review" else ""
    return tuple(
        replace(
            one,
            role=_role(pattern, one.slug, lead, reviewer),
            stage=number if pattern == "pipeline" else 0,
            status="waiting",
            problem="",
        )
        for number, one in enumerate(people, 1)
    )


def _role(pattern: Pattern, slug: str, lead: str, reviewer: str) -> ParticipantRole:
    if pattern == "peer_review":
        return "reviewer" if slug == reviewer else "worker"
    if slug == lead:
        return "lead"
    return "contributor" if pattern in ("brainstorm", "consensus") else "worker"


def _reviewer(people: Sequence[Participant]) -> str:
    """The one that is called so, or the second."""
    return next((one.slug for one in people if one.role == "reviewer"), people[1].slug)
