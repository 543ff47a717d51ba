"""Models in an agent's name: each call is paid from its money, noted when it ended, and goes to a
cheaper model where the money does not reach.

A call that ended costs what the provider says it used. One that was stopped or broke off once
words had come costs its prompt and those words, for the provider counts them too; one that gave
nothing costs nothing.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA, ModelConfig
from skill_agent.agents.tiers import affordable
from skill_agent.conversations.usage import usage_in, usage_record
from skill_agent.errors import BudgetSpent, ModelUnavailable, SkillAgentError
from skill_agent.models.around import Around
from skill_agent.models.fallback import FallbackModel
from skill_agent.ports import (
    EndPart,
    Model,
    ModelGateway,
    ModelPart,
    ModelRequest,
    StatusPart,
    TextPart,
    ThoughtPart,
    ToolPart,
)
from skill_agent.settings.schema import ModelSettings
from skill_agent.values import Budget, ModelInfo, ModelOffer, Usage

from .budget import Budgets, Hold, Limits, limits_of
from .prices import FREE, Price, Prices, most_tokens, tokens_in

_BEYOND = 20
"""So many times what a call can have used is not believed."""
_CHARACTERS_EACH = 8
"""Of a token, over a whole reply: a model that writes more does not hold to its room."""
_MOST_TOLD = 1_000
"""Conversations remembered in which a missing price was told of."""


@dataclass(slots=True)
class _Call:
    """A call under way: what it may come to, and what has come of it."""

    request: ModelRequest
    price: Price | None
    prompt: int
    characters: int = 0

    def hear(self, part: ModelPart) -> None:
        match part:
            case TextPart() | ThoughtPart():
                self.characters += len(part.text)
            case ToolPart():
                self.characters += len(part.call.name) + len(str(part.call.arguments))
            case _:
                pass

    @property
    def most(self) -> float | None:
        """What it costs if the reply takes all the room it has."""
        return self.costs(self.request.max_tokens)

    def costs(self, room: int) -> float | None:
        """What it costs if the reply takes so many tokens."""
        return self.price and self.price.of(self.prompt, room)

    @property
    def beyond(self) -> bool:
        """Whether the model writes on past the room it was given."""
        return self.characters > self.request.max_tokens * _CHARACTERS_EACH

    def guessed(self, model: str) -> Usage:
        """What it used as far as it came."""
        return self.priced(
            Usage(
                model=model,
                prompt_tokens=self.prompt,
                completion_tokens=tokens_in(self.characters),
            )
        )

    def said(self, usage: Usage, model: str) -> Usage:
        """What the provider says, as far as it can be; what it does not say is worked out."""
        told, guess = usage_in(usage_record(usage)), self.guessed(model)
        told = replace(told, model=told.model or model)
        room = max(self.request.max_tokens, guess.completion_tokens, 1_000)
        if told.completion_tokens > _BEYOND * room:
            told = replace(told, completion_tokens=guess.completion_tokens, cost_usd=0.0)
        if told.prompt_tokens > _BEYOND * max(guess.prompt_tokens, 1_000):
            told = replace(told, prompt_tokens=guess.prompt_tokens, cached_tokens=0, cost_usd=0.0)
        if self.price not in (None, FREE) and not (told.prompt_tokens and told.completion_tokens):
            told = replace(
                told,
                prompt_tokens=told.prompt_tokens or guess.prompt_tokens,
                completion_tokens=told.completion_tokens or guess.completion_tokens,
                cost_usd=0.0,
            )
        return replace(told, priced=True) if told.cost_usd else self.priced(told)

    def priced(self, usage: Usage) -> Usage:
        if self.price is None:
            return replace(usage, priced=False)
        return replace(usage, cost_usd=self.price.of(usage.prompt_tokens, usage.completion_tokens))


class Metered(Around):
    """One model, each call of which is paid for."""

    def __init__(self, model: Model, agent: str, counter: "Counter") -> None:
        super().__init__(model)
        self._agent, self._counter = agent, counter

    async def cost(self, request: ModelRequest) -> float | None:
        """What a call may cost; None where no price is known."""
        return (await self._call(request)).most

    async def check(self, request: ModelRequest) -> None:
        """Raises BudgetSpent where the call could not be paid now."""
        await self._counter.budgets.check(self._agent, await self.cost(request))

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        call = await self._call(request)
        budgets = self._counter.budgets
        drawn = await budgets.purses.draw(request.turn, request.max_tokens, call.costs)
        if drawn is not None:
            call.request = request = replace(request, max_tokens=drawn.tokens)
        hold: Hold | None = await budgets.reserve(self._agent, call.most, drawn)
        try:
            if call.price is None and self._counter.untold(request, self.info.name):
                yield StatusPart(
                    text=f"no price is known for {self.info.name}: what it costs is not counted"
                )
            async with aclosing(self._model.stream(request)) as parts:
                async for part in parts:
                    if isinstance(part, EndPart):
                        part = replace(part, usage=call.said(part.usage, self.info.name))
                        noting, hold = budgets.settle(hold, part.usage, request), None
                        if part.usage.cost_usd:  # money is written down before the call is over
                            await asyncio.shield(noting)
                        yield part
                        return
                    call.hear(part)
                    yield part
                    if drawn is not None and call.beyond:
                        break
            if hold is not None and call.beyond:
                usage = call.guessed(self.info.name)
                budgets.settle(hold, usage, request)
                hold = None
                yield EndPart(usage=usage, finish="length")
        finally:
            if hold is not None and call.characters:
                budgets.settle(hold, call.guessed(self.info.name), request)
            elif hold is not None:
                budgets.release(hold)

    async def _call(self, request: ModelRequest) -> _Call:
        price = await self._counter.prices.of(self.info)
        return _Call(request, price, most_tokens(request))


class Budgeted(Around):
    """An agent's model with its fallbacks, and what stands in where the money does not reach."""

    def __init__(self, chain: Sequence[Model], agent: str, counter: "Counter") -> None:
        self._chain = [Metered(one, agent, counter) for one in chain]
        super().__init__(FallbackModel(self._chain) if len(chain) > 1 else self._chain[0])
        self._agent, self._counter = agent, counter

    async def check(self, room: int) -> None:
        """Raises BudgetSpent where it is known already that nobody could be paid for a reply that
        has so much room."""
        request = ModelRequest(messages=(), max_tokens=room)
        problems: list[BudgetSpent] = []
        for model in (self._chain[0], *await self._cheaper(request)):
            try:
                await model.check(request)
                return
            except BudgetSpent as problem:
                problems.append(problem)
        raise problems[0]

    async def affords(self, request: ModelRequest) -> bool:
        """Whether the agent's money reaches for this very model now, without anything cheaper."""
        try:
            await self._chain[0].check(request)
        except BudgetSpent:
            return False
        return True

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelPart, None]:
        """Goes on to a cheaper model only before a call was made."""
        try:
            async with aclosing(self._model.stream(request)) as parts:
                async for part in parts:
                    yield part
            return
        except BudgetSpent as problem:
            spent = problem
        for model in await self._cheaper(request):
            begun = False
            try:
                async with aclosing(model.stream(request)) as parts:
                    async for part in parts:
                        if not begun:
                            yield StatusPart(text=f"{spent.message}; {model.info.name} answers")
                        begun = True
                        yield part
                return
            except (BudgetSpent, ModelUnavailable):
                if begun:
                    raise
        raise spent

    async def _cheaper(self, request: ModelRequest) -> list[Metered]:
        """What costs less than the agent's own model, the dearest first and the free last."""
        own = await self._chain[0].cost(request)
        looks = any(one.images for one in request.messages)
        found: list[tuple[float, Metered]] = []
        for model in await self._counter.others(self._agent):
            metered = Metered(model, self._agent, self._counter)
            cost = await metered.cost(request)
            if cost is None or (looks and not model.info.profile.vision):
                continue
            if cost == 0 or (own is not None and cost < own):
                found.append((cost, metered))
        return [model for _, model in sorted(found, key=lambda pair: -pair[0])]


class InName:
    """The home's models as one agent is given them."""

    def __init__(self, gateway: ModelGateway, agent: str, counter: "Counter") -> None:
        self._gateway, self._agent, self._counter = gateway, agent, counter

    async def model(self, name: str, *, prefer: str = "") -> Budgeted:
        found = await self._gateway.model(name, prefer=prefer)
        chain = found.chain if isinstance(found, FallbackModel) else (found,)
        return Budgeted(chain, self._agent, self._counter)

    def check(self, name: str) -> None:
        self._gateway.check(name)

    def catalogue(self) -> list[ModelInfo]:
        return self._gateway.catalogue()

    async def offers(self) -> list[ModelOffer]:
        return await self._gateway.offers()

    async def close(self) -> None:
        """The models are the home's, which closes them."""


class Counter:
    """Where agents get their models, and where these are paid."""

    def __init__(
        self,
        gateway: ModelGateway,
        directory: AgentDirectory,
        settings: ModelSettings,
        budgets: Budgets,
    ) -> None:
        self._gateway, self._directory, self._settings = gateway, directory, settings
        self.budgets, self.prices = budgets, Prices()
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    def gateway(self, agent: str) -> InName:
        """The models in an agent's name: whatever is asked of them, it pays for."""
        return InName(self._gateway, agent, self)

    async def others(self, agent: str) -> list[Model]:
        """The models that may stand in for the agent's own, as far as they can answer."""
        found: list[Model] = []
        dna = dna_of(self._directory, agent)
        for name in affordable(dna, self._settings) if dna else ():
            try:
                model = await self._gateway.model(name)
                self._gateway.check(name)
            except SkillAgentError:
                continue
            first = model.chain[0] if isinstance(model, FallbackModel) else model
            if first.info.installed:
                found.append(first)
        return found

    async def standings(self) -> list[Budget]:
        """How the money of each agent stands, in the order of agents.toml; of none where that
        cannot be read."""
        try:
            agents = self._directory.list()
        except SkillAgentError:
            return []
        return [await self.budgets.of(dna.slug) for dna in agents]

    def untold(self, request: ModelRequest, model: str) -> bool:
        """Whether a conversation was not told yet that a model has no known price; it is now."""
        key = request.session, model
        if not request.session or request.purpose not in ("reply", "tools") or key in self._told:
            return False
        self._told[key] = None
        if len(self._told) > _MOST_TOLD:
            self._told.popitem(last=False)
        return True


def dna_of(directory: AgentDirectory, agent: str) -> AgentDNA | None:
    """None for an agent that is gone, or whose table has mistakes."""
    try:
        return directory.get(agent)
    except SkillAgentError:
        return None


def limits_in(directory: AgentDirectory, agent: str) -> Limits:
    """An agent's limits as agents.toml has them now; the usual ones where it has none."""
    dna = dna_of(directory, agent)
    return limits_of(dna.name, dna.model) if dna else limits_of(agent, ModelConfig())
