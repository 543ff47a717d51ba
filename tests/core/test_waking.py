"""Agents woken ahead of their first turn: the default one first, one after another, told."""

import asyncio

from fakes import OpenRuntime

from skill_agent.errors import ModelFailed
from skill_agent.events import AgentWaking
from skill_agent.host.runtime import Runtime
from skill_agent.models.scripted import ScriptedModel
from skill_agent.ports import ModelRequest


class Waiting(ScriptedModel):
    """Reads instructions only when it is let; raises for the agents whose name is given."""

    def __init__(self, *, fails_for: str = "nobody") -> None:
        super().__init__(otherwise="All right.")
        self.let = asyncio.Event()
        self.at_once = 0
        self.most_at_once = 0
        self._fails_for = fails_for

    async def prefill(self, request: ModelRequest) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.let.wait()
            if self._fails_for in request.messages[0].content:
                raise ModelFailed("not this one")
            await super().prefill(request)
        finally:
            self.at_once -= 1


async def awake(runtime: Runtime, count: int) -> list[str]:
    """Who is awake once so many are."""
    async with asyncio.timeout(60):
        while len(found := await runtime.turns.awake()) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found


async def test_the_whole_team_wakes_one_after_another(open_runtime: OpenRuntime) -> None:
    model = Waiting()
    model.let.set()
    async with open_runtime(model) as runtime:
        active = [one.slug for one in await runtime.agents.list() if one.status == "active"]
        await runtime.turns.wake_team()
        found = await awake(runtime, len(active))
        assert found[0] == runtime.settings.general.default_agent
        assert sorted(found) == sorted(active)
        assert model.most_at_once == 1
        await runtime.turns.wake_team()
        assert len(model.prefills) == len(active)


async def test_what_takes_long_is_told(open_runtime: OpenRuntime) -> None:
    model = Waiting()
    async with open_runtime(model) as runtime:
        with runtime.turns.subscribe() as events:
            await runtime.turns.wake_team()
            async with asyncio.timeout(60):
                event = await events.next()
        assert isinstance(event, AgentWaking)
        assert (event.agent, event.number) == ("kyra", 1)
        assert event.line == f"waking Kyra (1 of {event.of})"
        assert await runtime.turns.awake() == []


async def test_paused_agents_sleep_on_and_one_failure_stops_nobody(
    open_runtime: OpenRuntime,
) -> None:
    model = Waiting(fails_for="Kyra")
    model.let.set()
    async with open_runtime(model) as runtime:
        await runtime.agents.set_status("luke", "paused")
        active = [one.slug for one in await runtime.agents.list() if one.status == "active"]
        await runtime.turns.wake_team()
        found = await awake(runtime, len(active) - 1)
    assert "luke" not in found
    assert "kyra" not in found
