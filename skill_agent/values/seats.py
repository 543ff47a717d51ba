"""Who takes part in a conversation: what changes there, and what a message means for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .routing import Routing

SeatMove = Literal["invited", "joined", "left", "leads"]
"""`leads`: the conversation went over to the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatChange:
    """One change of who takes part."""

    move: SeatMove
    agent: str
    came_from: str = ""
    """Who led before; of `leads` alone."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatPlan:
    """What a message changes, and who answers it then."""

    routing: Routing
    changes: tuple[SeatChange, ...] = ()
    otherwise: Routing | None = None
    """Who answers unless the person agrees; None: it is done unasked."""
    ask: str = ""
    """What the person is asked then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatMoment:
    """A change as it happened."""

    id: str
    at: datetime
    move: SeatMove
    agent: str
    came_from: str = ""
    reason: str = ""
    turn: str = ""
    """The turn it belongs to; empty where it came in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What an agent that was given a conversation reads beside its first message there."""

    agent: str
    after: int
    """The position of the last message before that."""
    turn: str = ""
    """The turn in which it happened, which is the new agent's from there on."""
    text: str = ""
    """Empty where that was erased."""
