"""How long a collaboration will take and what it will cost, told before it begins.

A model's speed is what it showed in the last turns of this home; of one that never spoke here it is
guessed by its size, or as remote models usually are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.accounts import TURN
from skill_agent.conversations.usage import usage_of
from skill_agent.models.money.prices import Prices
from skill_agent.ports import Ledger, Model
from skill_agent.ports.projections import Projection, State
from skill_agent.text.shaping import estimate_tokens
from skill_agent.turns.fitting import reply_room, window_of
from skill_agent.values import LogEntry, ModelInfo, PlannedStep

_NEWEST = 0.3
"""So much a new turn counts for beside all before it."""
_FIXED = 300
"""Tokens of who an agent is, its rules and what is wanted, about."""
_USUAL_REPLY = 250
"""Tokens of a reply where no earlier one is known."""
_READ_PER_SECOND, _WRITTEN_PER_SECOND = 2_000.0, 50.0
"""Tokens of a model that runs elsewhere."""
_BYTES_PER_SECOND = 10e9
"""Weights read by an ordinary machine; a model reads all of its own for each token it writes."""
_READ_FASTER = 6
"""So many times faster a model reads than it writes, on a processor."""
_LEAST_SECONDS = 0.05
"""Turns that took less tell nothing of a model's speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Tokens a second, and tokens of a usual reply."""

    read: float
    written: float
    reply: float = _USUAL_REPLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A step whose cost is to be estimated: who does it, and how many earlier results are read."""

    stage: str
    agent: str
    reads: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The steps in order, and what all come to."""

    steps: tuple[PlannedStep, ...]
    seconds: float
    usd: float | None


class Estimator:
    """Estimates for one home."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._prices = ledger, Prices()

    async def of(
        self,
        groups: Sequence[Sequence[Draft]],
        said: str,
        people: Mapping[str, tuple[AgentDNA, Model]],
    ) -> Estimate:
        """Groups follow one another; the steps of one run at the same time, but for those whose
        models are on this machine, which share it. `said` are the goal and its context."""
        names = list({model.info.name for _, model in people.values()})
        known = await self._ledger.projected(_SPEEDS, names)
        seconds, steps = 0.0, list[PlannedStep]()
        for group in groups:
            local, elsewhere = 0.0, 0.0
            for draft in group:
                dna, model = people[draft.agent]
                step = await self._step(draft, said, dna, model, known.get(model.info.name))
                steps.append(step)
                if model.info.local:
                    local += step.estimate_s
                else:
                    elsewhere = max(elsewhere, step.estimate_s)
            seconds += max(local, elsewhere)
        return Estimate(steps=tuple(steps), seconds=seconds, usd=_total(steps))

    async def _step(
        self, draft: Draft, said: str, dna: AgentDNA, model: Model, state: State | None
    ) -> PlannedStep:
        speed = speed_of(state, model.info)
        window = window_of(model)
        reply = min(speed.reply, reply_room(dna.model.max_output_tokens, window))
        results = min(draft.reads * reply, window // 2)
        prompt = _FIXED + estimate_tokens(said) + results
        price = await self._prices.of(model.info)
        return PlannedStep(
            stage=draft.stage,
            agent_slug=draft.agent,
            model=model.info.name,
            estimate_s=round(prompt / speed.read + reply / speed.written, 1),
            estimate_usd=None if price is None else round(price.of(int(prompt), int(reply)), 6),
        )


def speed_of(state: State | None, info: ModelInfo) -> Speed:
    """What a model showed; a guess where it never did."""
    guess = _guessed(info)
    if state is None:
        return guess
    return Speed(
        read=state.get("read") or guess.read,
        written=state.get("written") or guess.written,
        reply=state.get("reply") or guess.reply,
    )


def _guessed(info: ModelInfo) -> Speed:
    if not info.local or not info.size_bytes:
        return Speed(read=_READ_PER_SECOND, written=_WRITTEN_PER_SECOND)
    written = max(0.2, _BYTES_PER_SECOND / info.size_bytes)
    return Speed(read=written * _READ_FASTER, written=written)


def _total(steps: Iterable[PlannedStep]) -> float | None:
    costs = [one.estimate_usd for one in steps]
    return None if None in costs else round(sum(one for one in costs if one is not None), 6)


# -- what models showed ----------------------------------------------------------------------------


def _keys(row: LogEntry) -> Iterable[str]:
    used = usage_of(row)
    return (used.model,) if used.model and used.total_s > _LEAST_SECONDS else ()


def _step(_model: str, state: State | None, row: LogEntry) -> State:
    used, state = usage_of(row), state or {}
    fresh = used.prompt_tokens - used.cached_tokens
    writing = used.total_s - used.first_token_s
    shown = {
        "read": fresh / used.first_token_s if fresh > 0 and used.first_token_s > 0 else 0.0,
        "written": used.completion_tokens / writing if writing > _LEAST_SECONDS else 0.0,
        "reply": float(used.completion_tokens),
    }
    return {name: _blended(state.get(name), value) for name, value in shown.items()}


def _blended(before: float | None, now: float) -> float:
    if not before or not now:
        return before or now
    return round(before * (1 - _NEWEST) + now * _NEWEST, 3)


_SPEEDS = Projection(name="model_speeds", version=1, kinds=(TURN,), keys=_keys, step=_step)
