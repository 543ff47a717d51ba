"""Turns of a runtime as the tests of a team ask for them."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

from skill_agent.events import Event, TurnStarted
from skill_agent.host.runtime import Runtime
from skill_agent.values import Routing, Session, TurnRequest

Kind = TypeVar("Kind")


async def events_of(turn: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in turn]


def one(events: list[Event], kind: type[Kind]) -> Kind:
    (found,) = [event for event in events if isinstance(event, kind)]
    return found


def none_of(events: list[Event], kind: type) -> bool:
    return not [event for event in events if isinstance(event, kind)]


async def said(runtime: Runtime, text: str, **wishes: Any) -> list[Event]:
    return await events_of(runtime.ask(text, **wishes))


async def begun(runtime: Runtime, text: str = "My hens are called Berta and Frieda") -> str:
    return one(await said(runtime, text), TurnStarted).session


async def lead(runtime: Runtime, session: str) -> str:
    return (await runtime.conversations.find(session)).agent


class Chooses:
    """Chooses whoever the test says, as the gate would."""

    def __init__(self, **routing: Any) -> None:
        self.routing = Routing(**{"confidence": 0.9, "reason": "skill_match", **routing})
        self.asked: list[str] = []

    async def agent(self, request: TurnRequest, session: Session | None) -> Routing:
        self.asked.append(request.text)
        return self.routing

    def put_into(self, runtime: Runtime) -> None:
        runtime._turns._chooses_agent = self
