"""The four signals of every agent, put together.

`overall` = .40 skill match + .25 past performance + .20 personality fit + .15 load balance. Trust
enters inside past performance: how replies to similar queries were rated, blended 60 to 40 with
the agent's trust (and the boost of a trusted one), clamped to 1. So an unrated idle agent has
performance .5 and load 1 however well it matches, and no trust makes up for a missing skill.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skill_agent.values import ExpertScore

from .comparing import Compared
from .load import Load, balances
from .performance import UNRATED
from .personality_fit import fits
from .trust import UNKNOWN, blended, reasoning

if TYPE_CHECKING:
    import numpy as np

SKILL, PERFORMANCE, FIT, LOAD = 0.40, 0.25, 0.20, 0.15
MOST_TOLD = 20
"""Scores that are told of a message, the best first."""


def overall(skill: float, performance: float, fit: float, load: float) -> float:
    """The four signals as one figure, 0..1."""
    total = SKILL * skill + PERFORMANCE * performance + FIT * fit + LOAD * load
    return min(1.0, max(0.0, total))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All agents of a team by their signals, in the team's order."""

    compared: Compared
    performance: "np.ndarray"
    similar: "np.ndarray"
    trust: "Mapping[str, float] | None"
    """By agent of whom anything is known; None where it could not be looked up."""
    fit: "np.ndarray"
    load: "np.ndarray"
    full: frozenset[str]
    """Those that run as much as one agent may."""
    overall: "np.ndarray"
    uncapped: "np.ndarray"
    """The same as if nobody had a `cannot_do`."""

    @property
    def slugs(self) -> list[str]:
        return [one.slug for one in self.compared.team]

    def row(self, slug: str) -> int:
        return self.slugs.index(slug)

    def selectable(self) -> "np.ndarray":
        import numpy as np

        free = np.array([one.slug not in self.full for one in self.compared.team])
        return self.compared.matches.able & free

    def told(self, *, most: int | None = MOST_TOLD, also: Sequence[str] = ()) -> list[ExpertScore]:
        """The scores in words, the best first; `also` are told however they stand."""
        import numpy as np

        order = np.argsort(-self.overall, kind="stable").tolist()
        slugs = self.slugs
        kept = order if most is None else order[:most]
        kept = [*kept, *(row for row in order if slugs[row] in also and row not in kept)]
        return [self._score(row) for row in kept]

    def _score(self, row: int) -> ExpertScore:
        one, matches = self.compared.team[row], self.compared.matches
        matching = self.compared.match.named(matches, row) if matches.able[row] else []
        skill, similar = float(matches.skill[row]), float(self.similar[row])
        known = None if self.trust is None else self.trust.get(one.slug, UNKNOWN)
        return ExpertScore(
            agent=one.slug,
            name=one.name,
            overall=_rounded(self.overall[row]),
            skill_match=_rounded(skill),
            past_performance=_rounded(self.performance[row]),
            personality_fit=_rounded(self.fit[row]),
            load_balance=_rounded(self.load[row]),
            trust=_rounded(UNKNOWN if known is None else known),
            matching_skills=tuple(matching),
            able=bool(matches.able[row]),
            explanation=self._explained(row, matching, similar, known),
        )

    def _explained(
        self, row: int, matching: Sequence[str], similar: float, known: float | None
    ) -> str:
        one, matches = self.compared.team[row], self.compared.matches
        parts = [f"does {', '.join(matching)}"] if matching else []
        if not matches.able[row]:
            parts.append("may not do this (cannot_do)")
        if one.slug in self.full:
            parts.append("busy: runs as many turns as one agent may")
        parts.append(reasoning(similar, known))
        if not matches.by_meaning:
            parts.append("compared by letters alone: no embedder that knows this script")
        return "; ".join(parts)


def standing(
    compared: Compared,
    *,
    similar: Mapping[str, float],
    trust: "Mapping[str, float] | None",
    loads: Mapping[str, Load],
) -> Standing:
    """What is not named in a mapping is unrated, unknown, idle."""
    import numpy as np

    team, matches = compared.team, compared.matches
    rated = np.array([similar.get(one.slug, UNRATED) for one in team])
    usual = blended(UNRATED, None if trust is None else UNKNOWN)
    performance = np.full(len(team), usual)
    for row, one in enumerate(team):
        known = None if trust is None else trust.get(one.slug)
        if known is not None or one.slug in similar:
            level = None if trust is None else UNKNOWN if known is None else known
            performance[row] = blended(float(rated[row]), level)
    balance = balances(loads)
    load = np.array([balance.get(one.slug, 1.0) for one in team])
    fit = fits(compared.manner, team)
    rest = PERFORMANCE * performance + FIT * fit + LOAD * load
    return Standing(
        compared=compared,
        performance=performance,
        similar=rated,
        trust=trust,
        fit=fit,
        load=load,
        full=frozenset(agent for agent, one in loads.items() if one.full),
        overall=np.clip(rest + SKILL * matches.skill, 0.0, 1.0),
        uncapped=np.clip(rest + SKILL * matches.uncapped, 0.0, 1.0),
    )


def _rounded(value: float) -> float:
    return round(float(value), 4)
