"""How far an agent has proved itself: verified outcomes, folded from the log, which fade.

Three kinds of notes are read, and nothing else has to know of trust:

- `feedback` (a person's thumb, `memory/feedback`): data `agent`, `rating` `up` or `down`; the
  entity is the reply. A second rating of a reply replaces the first.
- `outcome` (a grader's verdict): data `agent`, `verified` true or false; the entity is the turn or
  task that was judged.
- `team.task` (`team/tasks/records`): the entity is the task, the actor its agent, the state the
  second of `of`. `completed` speaks for the agent, `failed` and `timed_out` against it, a cancelled
  task for nothing.

Trust is a Beta posterior: what is not known is .5, what is good must be proved (its lower bound
counts, never less than .5), what is bad counts at once.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from skill_agent.errors import SkillAgentError
from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry

FEEDBACK, OUTCOME, TASK = "feedback", "outcome", "team.task"
HALF_LIFE_H = 72.0
UNKNOWN = 0.5
PATTERN_SHARE, TRUST_SHARE = 0.6, 0.4
BOOST, BOOST_FROM = 0.15, 0.75
_PRIOR = 2.0
"""Outcomes of either kind that are taken for granted: a single one says little."""
_DEVIATIONS = 1.0
"""The lower bound lies so many deviations below the mean."""
_MOST = 200
"""Outcomes kept of an agent, the newest; older ones have faded."""
_FRESH_S = 2.0
"""So long the log is not looked at again."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One verified outcome of an agent's work."""

    of: str
    """The reply, turn or task."""
    good: bool
    at: datetime
    rated: bool
    """A person's rating of a reply."""


def trust_of(outcomes: Iterable[Outcome], now: datetime) -> float:
    """0..1; each outcome counts half as much after 72 hours."""
    weights = {True: _PRIOR, False: _PRIOR}
    for one in outcomes:
        hours = max(0.0, (now - one.at).total_seconds() / 3600)
        weights[one.good] += 0.5 ** (hours / HALF_LIFE_H)
    good, bad = weights[True], weights[False]
    total = good + bad
    mean = good / total
    if mean <= UNKNOWN:
        return mean
    deviation = math.sqrt(good * bad / (total * total * (total + 1)))
    return max(UNKNOWN, mean - _DEVIATIONS * deviation)


def blended(pattern: float, trust: float | None) -> float:
    """How well something fits with how far it is trusted; without a trust, the fit alone."""
    if trust is None:
        return min(1.0, max(0.0, pattern))
    plain = PATTERN_SHARE * pattern + TRUST_SHARE * trust
    return min(1.0, max(0.0, plain + (BOOST if trust >= BOOST_FROM else 0.0)))


def reasoning(pattern: float, trust: float | None) -> str:
    """The same in words."""
    if trust is None:
        return "Pattern match only (trust lookup failed)"
    plain = PATTERN_SHARE * pattern + TRUST_SHARE * trust
    boost = f" (high-trust boost: {blended(pattern, trust):.2f})" if trust >= BOOST_FROM else ""
    return f"Pattern match (60%) + trust score (40%) = {plain:.2f}{boost}"


class Outcomes:
    """The verified outcomes of a home's agents, looked up at most every few seconds."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        fresh_s: float = _FRESH_S,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._fresh_s, self._seconds = ledger, fresh_s, seconds
        self._seen: tuple[float, int, tuple[str, ...]] | None = None
        self._known: dict[str, tuple[Outcome, ...]] = {}

    async def of(self, agents: Sequence[str]) -> dict[str, tuple[Outcome, ...]] | None:
        """By agent, those of whom there are any; None where the log cannot be asked."""
        now, wanted = self._seconds(), tuple(agents)
        if self._seen and self._seen[2] == wanted and now - self._seen[0] < self._fresh_s:
            return self._known
        try:
            head = await self._ledger.last_seq()
            if self._seen is None or self._seen[1:] != (head, wanted):
                states = await self._ledger.projected(_OUTCOMES, agents)
                self._known = {agent: _outcomes(state) for agent, state in states.items()}
        except (SkillAgentError, OSError) as problem:
            _log.warning("trust cannot be looked up: %s", problem)
            return None
        self._seen = now, head, wanted
        return self._known


async def noted_outcome(
    ledger: Ledger, of: str, *, agent: str, verified: bool, by: str, session: str = ""
) -> None:
    """Writes down a verdict of a grader on a turn or task; it counts towards the agent's trust."""
    data = {"agent": agent, "verified": verified, **({"session": session} if session else {})}
    await ledger.note(OUTCOME, of, actor=by, data=data)


# -- the fold ------------------------------------------------------------------------------------


def _good(row: LogEntry) -> bool | None:
    """What a row says of its agent's work; None for nothing."""
    said = _said(row)
    if row.kind == FEEDBACK:
        return {"up": True, "down": False}.get(str(said.get("rating")))
    if row.kind == OUTCOME:
        verified = said.get("verified")
        return verified if isinstance(verified, bool) else None
    match said.get("of"):
        case [_, str(status), *_]:
            return {"completed": True, "failed": False, "timed_out": False}.get(status)
        case _:
            return None


def _said(row: LogEntry) -> Mapping[str, object]:
    return row.new if isinstance(row.new, dict) else {}


def _keys(row: LogEntry) -> tuple[str, ...]:
    agent = row.actor if row.kind == TASK else _said(row).get("agent")
    return (agent,) if isinstance(agent, str) and agent and _good(row) is not None else ()


def _step(_agent: str, state: State | None, row: LogEntry) -> State:
    known = {one[0]: one for one in (state or {}).get("outcomes", ())}
    known.pop(row.entity, None)
    known[row.entity] = [row.entity, _good(row) is True, iso(row.at), row.kind == FEEDBACK]
    return {"outcomes": [*known.values()][-_MOST:]}


def _outcomes(state: State) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(of=of, good=good, at=parse_time(at), rated=rated)
        for of, good, at, rated in state["outcomes"]
    )


_OUTCOMES = Projection(
    name="outcomes", version=1, kinds=(FEEDBACK, OUTCOME, TASK), keys=_keys, step=_step
)
