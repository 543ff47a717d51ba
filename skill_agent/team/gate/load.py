"""How busy agents are: running turns, queued tasks, and how long their replies took lately."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from skill_agent.conversations.turn_states import TurnBoard

MOST_RUNNING = 5
"""An agent with so many running turns is not chosen; who is mentioned is asked all the same."""
_LATELY = timedelta(hours=1)
_SLOWER = 0.2
"""The most that slower replies than the quickest agent's take away."""


def _none() -> Mapping[str, int]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is known of an agent's work now."""

    running: int = 0
    queued: int = 0
    mean_s: float | None = None

    @property
    def full(self) -> bool:
        return self.running >= MOST_RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """The work of all agents of a home."""

    board: TurnBoard
    clock: Callable[[], datetime]
    queued: Callable[[], Mapping[str, int]] = field(default=_none)
    """Tasks that wait, by agent."""

    def now(self) -> dict[str, Load]:
        """By agent; one that is not named has nothing to do."""
        running: Counter[str] = Counter()
        took: defaultdict[str, list[float]] = defaultdict(list)
        since = self.clock() - _LATELY
        for state in self.board.states(1_000):
            if state.state == "running":
                running[state.agent] += 1
            elif state.ended_at is not None and state.ended_at >= since:
                took[state.agent].append((state.ended_at - state.started_at).total_seconds())
        queued = self.queued()
        return {
            agent: Load(
                running=running[agent],
                queued=queued.get(agent, 0),
                mean_s=sum(took[agent]) / len(took[agent]) if took.get(agent) else None,
            )
            for agent in {*running, *took, *queued}
        }


def balances(loads: Mapping[str, Load]) -> dict[str, float]:
    """By agent, 1 for an idle one; what is not named is idle. Latency counts only as far as others
    are quicker: one model that is slow for all makes no difference."""
    means = [one.mean_s for one in loads.values() if one.mean_s is not None]
    quickest = min(means, default=0.0)
    return {agent: _balance(one, quickest) for agent, one in loads.items()}


def _balance(load: Load, quickest: float) -> float:
    work = 1.0 / (1.0 + 0.5 * load.running + 0.25 * load.queued)
    behind = 0.0 if load.mean_s is None else max(0.0, load.mean_s - quickest)
    return work * (1.0 - _SLOWER * behind / (behind + 30.0))
