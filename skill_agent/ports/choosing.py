"""What turns ask of the team: who answers a message, and on which model."""

from typing import Protocol

from skill_agent.values import ModelChoice, Routing, Session, TurnRequest


class ChoosesAgent(Protocol):
    """Says who answers."""

    async def agent(self, request: TurnRequest, session: Session | None) -> Routing:
        """`request.agent` and `@slug` have been found wanting: nobody was named. Never raises for
        a message, however odd; where nobody fits it is the default agent."""
        ...


class ChoosesModel(Protocol):
    """Says on which model an agent answers."""

    async def model(
        self, agent: str, request: TurnRequest, session: Session | None, *, dry: bool = False
    ) -> ModelChoice:
        """`choice.model` is what is given for `-m`; empty leaves it to the agent's settings. A dry
        one asks no model. Never raises for a message, however odd."""
        ...
