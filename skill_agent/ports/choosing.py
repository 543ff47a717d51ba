"""What turns ask of the team: who answers a message, on which model, and who sits there."""

from collections.abc import Sequence
from typing import Protocol

from skill_agent.values import (
    Handed,
    Message,
    ModelChoice,
    Routing,
    SeatMoment,
    SeatPlan,
    Session,
    TurnRequest,
)


class ChoosesAgent(Protocol):
    """Says who answers."""

    async def agent(self, request: TurnRequest, session: Session | None) -> Routing:
        """`request.agent` and `@slug` have been found wanting: nobody was named. Never raises for
        a message, however odd; where nobody fits it is the default agent."""
        ...


class KeepsDecisions(Protocol):
    """Writes down what was decided for a turn."""

    async def keep(
        self, turn: str, session: Session, routing: Routing, choice: ModelChoice
    ) -> None:
        """Never raises: a turn goes on also where this cannot be kept."""
        ...


class ChoosesModel(Protocol):
    """Says on which model an agent answers."""

    async def model(
        self, agent: str, request: TurnRequest, session: Session | None, *, dry: bool = False
    ) -> ModelChoice:
        """`choice.model` is what is given for `-m`; empty leaves it to the agent's settings. A dry
        one asks no model. Never raises for a message, however odd."""
        ...


class KeepsSeats(Protocol):
    """Says what a message means for who takes part in its conversation, and keeps it."""

    async def called_for(self, request: TurnRequest, session: Session) -> SeatPlan | None:
        """What the person's words ask for: another agent, or one more."""
        ...

    async def routed(
        self, routing: Routing, request: TurnRequest, session: Session | None
    ) -> SeatPlan | None:
        """What comes of who was chosen; None where that changes nothing."""
        ...

    async def keep(
        self, plan: SeatPlan, message: Message, request: TurnRequest
    ) -> Sequence[SeatMoment]:
        """Writes down what changes with a message that is in the ledger; it is told in its turn."""
        ...

    async def handed(self, session: str) -> Sequence[Handed]:
        """What the agents of a conversation were given it with, the oldest first."""
        ...
