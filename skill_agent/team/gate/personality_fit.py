"""Whether how an agent speaks suits how a message is said: casually, technically, with feeling."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from skill_agent.agents.dna import Tone

from .agent_texts import AgentTexts
from .trades import TECHNICAL, Heard

if TYPE_CHECKING:
    import numpy as np

NEUTRAL = 0.5
_EMPATHETIC = 0.7
"""A trait above this suits a message with feeling."""
_CASUAL: Mapping[Tone, float] = MappingProxyType({
    "friendly": 1.0, "casual": 1.0, "playful": 0.9, "empathetic": 0.8, "custom": 0.5,
    "direct": 0.3, "professional": 0.2, "academic": 0.1,
})  # fmt: skip
_TECHNICAL: Mapping[Tone, float] = MappingProxyType({
    "professional": 1.0, "academic": 1.0, "direct": 1.0, "custom": 0.5, "friendly": 0.4,
    "empathetic": 0.3, "casual": 0.3, "playful": 0.2,
})  # fmt: skip
_WITHOUT_EMPATHY = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a message is said; the three are shares of 1 together at most."""

    casual: float
    technical: float
    emotional: float


def manner_of(chat: float, heard: Heard, names: Sequence[str]) -> Manner:
    """`chat` is how likely the message only chats; `names` are those of the trades."""
    leads = dict(zip(names, heard.trades.tolist(), strict=True))
    technical = _share(max((leads.get(one, -1.0) for one in TECHNICAL), default=-1.0) + 0.25)
    emotional = _share(heard.feelings)
    casual = _share(chat)
    total = max(1.0, casual + technical + emotional)
    return Manner(casual=casual / total, technical=technical / total, emotional=emotional / total)


def fits(manner: Manner, team: Sequence[AgentTexts]) -> "np.ndarray":
    """By agent, 0..1; what is said in no manner in particular suits everybody half."""
    import numpy as np

    tones = np.array([(_CASUAL[one.tone], _TECHNICAL[one.tone], _feels(one)) for one in team])
    shares = np.array([manner.casual, manner.technical, manner.emotional])
    rest = 1.0 - float(shares.sum())
    return np.clip(tones.reshape(-1, 3) @ shares + NEUTRAL * rest, 0.0, 1.0)


def _feels(one: AgentTexts) -> float:
    if one.empathy > _EMPATHETIC:
        return min(1.0, one.empathy)
    return 1.0 if one.tone == "empathetic" else _WITHOUT_EMPATHY


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
