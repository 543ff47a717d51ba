"""A tool as it is offered: what it takes and gives, what it needs, what it does."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp import types

from skill_agent.mcp_server.sets import Tell, Told
from skill_agent.mcp_server.visit import Visit

from .shapes import Schema

Arguments = Mapping[str, Any]
Run = Callable[[Visit, Arguments, Tell], Awaitable[Told]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One tool."""

    name: str
    title: str
    description: str
    scope: str
    """What a client must be allowed to."""
    takes: Schema
    gives: Schema
    run: Run
    writes: bool = False
    destroys: bool = False
    repeatable: bool = True
    """Another time changes nothing more."""
    open_world: bool = False

    def tool(self) -> types.Tool:
        """As the protocol tells of it."""
        return types.Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=self.takes,
            output_schema=self.gives,
            annotations=types.ToolAnnotations(
                title=self.title,
                read_only_hint=not self.writes,
                destructive_hint=self.destroys,
                idempotent_hint=self.repeatable,
                open_world_hint=self.open_world,
            ),
        )


class Offers:
    """Tools that belong together; those a client may not use are missing."""

    def __init__(self, *offers: Offer) -> None:
        self._offers = {one.name: one for one in offers}

    async def tools(self, visit: Visit) -> Sequence[types.Tool]:
        return [one.tool() for one in self._offers.values() if visit.may(one.scope)]

    async def call(
        self, visit: Visit, name: str, arguments: dict[str, Any], tell: Tell
    ) -> Told | None:
        """Raises Forbidden where the client may not."""
        offer = self._offers.get(name)
        if offer is None:
            return None
        visit.demand(offer.scope)
        return await offer.run(visit, arguments, tell)
