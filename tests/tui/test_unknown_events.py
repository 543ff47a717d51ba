"""An event of a kind this window has never heard of."""

from typing import Any

import pytest
from stage import StageRuntime

from skill_agent.events import AnyEvent


class TeaServed(AnyEvent):
    """Of a kind that came with a newer core."""


@pytest.mark.deep
async def test_it_is_one_quiet_line_and_keeps_nobody_waiting(sit) -> None:
    runtime = StageRuntime([["One."], ["Two."]])
    async with sit(runtime) as seat:
        await seat.say("first")
        await seat.until(lambda: seat.talk.figures.written)
        tea: Any = TeaServed(session="session-0", turn="elsewhere", agent="kyra")
        runtime.bus.publish(tea)
        await seat.until(lambda: "tea served" in seat.shown())
        await seat.say("second")
        await seat.until(lambda: "Two." in seat.shown())
